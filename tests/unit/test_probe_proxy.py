"""The probe of the proxy, really run by sh against a made-up /proc and a server on loopback: whom it believes, what it tells."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hubspec import proxy_probe
from hubspec.kinds import proxy
from hubspec.model import Present

TOKEN = "canary-0f1e2d3c4b5a6978"
HUB_MARK = {"jupyterhub": True, "target": "http://h:8081", "hub": True}
HUB = ("/opt/conda/bin/python3", "/opt/conda/bin/jupyterhub", "-f", "hub config.py")
NODE = ("node", "/usr/local/bin/configurable-http-proxy", "--ip", "", "--port", "9443")


@dataclass
class Api:
    """A proxy's API: its table, its token, how it answers; and what it was asked (method, path, header)."""

    token: str | None = TOKEN
    routes: dict[str, Any] = field(default_factory=lambda: {"/": HUB_MARK, "/x": {"target": "http://127.0.0.1:9"}})
    moved: str = ""
    hangs: bool = False
    port: int = 0
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)


@contextlib.contextmanager
def serving(api: Api) -> Iterator[Api]:
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            api.asked.append((self.command, self.path, self.headers.get("Authorization")))
            if api.hangs:
                ended.wait(20)
            path = self.path.removeprefix("/api/routes")
            status, body = 200, json.dumps(api.routes.get(path, api.routes)).encode()
            if api.token and self.headers.get("Authorization") != f"token {api.token}":
                status, body = 403, b""
            elif path and path not in api.routes:
                status, body = 404, b""
            elif self.command == "DELETE":
                del api.routes[path]
                status, body = 204, b""
            self.send_response(302 if api.moved else status)
            self.send_header("Location", api.moved)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_args: None  # type: ignore[method-assign] # a client that goes away is the point
    api.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def process(proc: Path, pid: str, argv: tuple[str, ...], *, mine: bool = True, state: str = "S") -> Path:
    folder = proc / pid
    (folder / "fd").mkdir(parents=True)
    uid = os.getuid() if mine else 65534
    (folder / "status").write_text(f"Name:\tx\nState:\t{state} (x)\nPPid:\t1\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
    (folder / "cmdline").write_text("".join(f"{word}\0" for word in argv))
    return folder


def listens(folder: Path, port: int, *, owned: bool = True, token: str | None = TOKEN) -> None:
    (folder / "fd" / "3").symlink_to("socket:[777]" if owned else "socket:[1]")
    (folder / "net").mkdir()
    row = f"   0: 0100007F:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1"
    (folder / "net" / "tcp").write_text(f"  sl  local_address\n{row}\n")
    (folder / "environ").write_text("A=1\0" + (f"CONFIGPROXY_AUTH_TOKEN={token}\0" if token else ""))


def whole(proc: Path, port: int, **about: Any) -> Path:
    process(proc, "7", HUB)
    state = about.pop("state", "S")
    folder = process(proc, "17", (*NODE, "--api-port", str(port)), state=state)
    listens(folder, port, **about)
    return folder


def run(proc: Path, make: Any = proxy_probe.script, *args: str) -> subprocess.CompletedProcess[str]:
    before = proxy_probe.PROC, proxy_probe.PYTHONS, proxy_probe.SECONDS
    proxy_probe.PROC, proxy_probe.PYTHONS, proxy_probe.SECONDS = str(proc), f"/no/such/python {sys.executable}", 1.0
    try:
        script = make(*args)
    finally:
        proxy_probe.PROC, proxy_probe.PYTHONS, proxy_probe.SECONDS = before
    done = subprocess.run(["sh"], input=script, capture_output=True, text=True, timeout=60, check=False)
    assert TOKEN not in done.stdout + done.stderr + script
    return done


def test_it_is_asked_without_a_token_with_a_wrong_one_and_with_its_own(tmp_path: Path) -> None:
    with serving(Api()) as api:
        whole(tmp_path, api.port)
        done = run(tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    (seen,) = proxy.parse(done.stdout).values()
    assert isinstance(seen, Present)
    assert seen.resource.stated() == {
        "running": True,
        "version": None,
        "api_address": f"127.0.0.1:{api.port}",
        "api_needs_token": True,
        "unmarked": {"/x": "http://127.0.0.1:9"},
    }
    words = [word for _, _, word in api.asked]
    assert words[0] is None
    assert words[1] not in {None, f"token {TOKEN}"}
    assert words[2:] == [f"token {TOKEN}"]


def test_one_without_a_token_is_open(tmp_path: Path) -> None:
    with serving(Api(token=None)) as api:
        whole(tmp_path, api.port, token=None)
        told = json.loads(run(tmp_path).stdout)

    assert (told["without"], told["wrong"]) == (200, 200)


def test_a_process_of_somebody_else_is_not_the_proxy_and_is_given_no_token(tmp_path: Path) -> None:
    with serving(Api(token=None)) as theirs:
        process(tmp_path, "7", HUB)
        listens(process(tmp_path, "9", (*NODE, "--api-port", str(theirs.port)), mine=False), theirs.port)
        done = run(tmp_path)

    assert json.loads(done.stdout) == {"running": False}
    assert theirs.asked == []


def test_a_port_that_the_proxy_does_not_hold_itself_is_given_no_token(tmp_path: Path) -> None:
    with serving(Api()) as theirs:
        whole(tmp_path, theirs.port, owned=False)
        done = run(tmp_path)

    assert done.returncode == 1
    assert done.stderr == "the proxy runs, and listens on no port for its API\n"
    assert theirs.asked == []


@pytest.mark.parametrize(
    "argv", [("sh", "-c", "x /configurable-http-proxy"), ("vi", "configurable-http-proxy.md"), ("node", "x", NODE[1])]
)
def test_a_process_that_only_speaks_of_the_proxy_is_none(argv: tuple[str, ...], tmp_path: Path) -> None:
    process(tmp_path, "7", HUB)
    process(tmp_path, "9", argv)

    assert json.loads(run(tmp_path).stdout) == {"running": False}


FAULTS: dict[str, tuple[Api, dict[str, Any], str]] = {
    "hangs": (Api(hangs=True), {}, "its API does not answer within 1 s; is it hanging?"),
    "stopped": (Api(), {"state": "T"}, "was stopped by a signal: let it go on with kill -CONT 17"),
    "another token": (Api(), {"token": "other"}, "answers 403 to the token of its own environment"),
    "a redirect": (Api(moved="http://127.0.0.1:1/"), {}, "answers 302 to the token of its own environment"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_proxy_that_cannot_be_asked_is_an_error_with_its_sentence(name: str, tmp_path: Path) -> None:
    api, about, sentence = FAULTS[name]
    with serving(api):
        whole(tmp_path, api.port, **about)
        done = run(tmp_path)

    assert done.returncode == 1
    assert done.stdout == ""
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_where_no_hub_runs_nothing_is_said_of_its_proxy(tmp_path: Path) -> None:
    process(tmp_path, "9", ("/opt/conda/bin/python3", "/opt/conda/bin/jupyterhub", "token", "jovyan"))
    done = run(tmp_path)

    assert done.returncode == 1
    assert "no jupyterhub process of root runs in the container" in done.stderr


def test_a_route_past_the_hub_is_taken_away_once_and_one_of_the_hubs_never(tmp_path: Path) -> None:
    with serving(Api()) as api:
        whole(tmp_path, api.port)
        first, again = (run(tmp_path, proxy_probe.delete, "/x") for _ in range(2))
        hubs = run(tmp_path, proxy_probe.delete, "/")

    assert (first.returncode, first.stderr, again.returncode, again.stderr) == (0, "", 0, "")
    assert list(api.routes) == ["/"]
    assert hubs.returncode == 1
    assert "that route has the hub's mark, so it is left to the hub" in hubs.stderr
    assert [asked[:2] for asked in api.asked if asked[0] == "DELETE"] == [("DELETE", "/api/routes/x")]
