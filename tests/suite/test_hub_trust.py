"""Where the token goes, by which header, what it opens while it is good, and how much of an answer is taken in."""

from __future__ import annotations

import gzip
import json
import resource
import socket
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from hubs import Answer, Hub, answer, running
from pydantic import SecretStr

from hubspec.cluster.hub import HubDoor, Trust
from hubspec.cluster.hub_http import LARGEST
from hubspec.errors import AnsweredError, DoorError
from tests.conftest import Audit

TOKEN = "canary-0f1e2d3c4b5a69788796a5b4c3d2e1f0"
FORBIDDEN = answer(403, b'{"status": 403, "message": "Forbidden"}')
USERS = [{"name": name, "admin": name == "jovyan", "groups": []} for name in ("jovyan", "ana")]


def door(hub: Hub, token: str = TOKEN) -> HubDoor:
    return HubDoor(lambda: hub.url, lambda: SecretStr(token), Trust(fingerprint=hub.fingerprint), 10)


def only(word: str, good: Answer, otherwise: Answer = FORBIDDEN) -> Answer:
    """Return what a hub answers behind a gateway that keeps every other header for itself."""

    def send(request: BaseHTTPRequestHandler) -> None:
        (good if request.headers.get("Authorization") == f"{word} {TOKEN}" else otherwise)(request)

    return send


def test_a_redirect_to_another_host_gets_nothing_from_us(audit: Audit, tmp_path: Path) -> None:
    """By what the other host itself was asked, and not by what we say of it."""
    (tmp_path / "there").mkdir()
    with running({"/users": answer(200, b"[]")}, tmp_path / "there") as there:
        away = answer(302, Location=f"{there.url}/hub/api/users")
        with running({"/users": away}, tmp_path) as hub:
            run = audit(
                *("--cluster", "j-TRUST", "--baseline", "baselines/lab.yaml", "--hub-url", hub.url, "--insecure"),
                checks="checks/test_hub_users.py",
                env={"HUBSPEC_HUB_TOKEN": TOKEN},
            )

    assert run.code == 11
    assert "not followed, the token is for" in run.text
    assert set(run.outcomes()) == {"unreadable"}
    assert len(hub.asked) == 1
    assert there.asked == []


@pytest.mark.parametrize("status", [403, 401])
def test_where_a_gateway_keeps_one_header_the_other_is_used(status: int, tmp_path: Path) -> None:
    good = {"/users": answer(200, json.dumps(USERS).encode()), "/user": answer(200, b'{"name": "jovyan"}')}
    with running({path: only("Bearer", one, answer(status)) for path, one in good.items()}, tmp_path) as hub:
        made = door(hub)
        first, second = made.pages("/users"), made.pages("/users")

    assert first == second == USERS
    said = [(path.partition("?")[0].removeprefix("/hub/api"), word.split(" ")[0]) for path, word in hub.asked]
    assert said == [
        *(("/users", "token"), ("/user", "token"), ("/user", "Bearer"), ("/users", "Bearer")),
        ("/users", "Bearer"),
    ]


def test_a_token_that_neither_header_opens_anything_with(tmp_path: Path) -> None:
    with (
        running({"/users": FORBIDDEN, "/user": FORBIDDEN}, tmp_path) as hub,
        pytest.raises(AnsweredError, match="the token is wrong, expired or revoked") as error,
    ):
        door(hub).pages("/users")

    assert error.value.status == 403
    assert TOKEN not in str(error.value)
    assert len(hub.asked) == 3


def test_a_token_revoked_in_the_middle_of_a_run_is_unreadable_and_plans_nothing(audit: Audit, tmp_path: Path) -> None:
    hub_: list[Hub] = []

    def page(request: BaseHTTPRequestHandler) -> None:
        if len(hub_[0].asked) > 1:
            FORBIDDEN(request)
            return
        about = {"offset": 0, "limit": 200, "total": 400, "next": {"offset": 200, "limit": 200, "url": ""}}
        answer(200, json.dumps({"items": USERS, "_pagination": about}).encode())(request)

    with running({"/users": page, "/user": FORBIDDEN}, tmp_path) as hub:
        hub_.append(hub)
        run = audit(
            *("--cluster", "j-TRUST", "--baseline", "baselines/lab.yaml", "--remediate=plan"),
            *("--hub-url", hub.url, "--hub-fingerprint", hub.fingerprint),
            checks="checks/test_hub_users.py",
            env={"HUBSPEC_HUB_TOKEN": TOKEN},
        )

    assert run.code == 11
    assert "the token was good until now: it has ended, or somebody revoked it" in run.text
    assert set(run.outcomes()) == {"unreadable"}
    assert [record["actions"] for record in run.records if record["actions"]] == []
    assert {word for _, word in hub.asked} == {f"token {TOKEN}"}


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    for _ in range(50):
        request.wfile.write(b"[" + b" " * (2**20 - 1))


LARGE = {
    "50 MB": (
        answer(200, b"[" + b" " * (50 * 2**20) + b"]"),
        f"answered more than {LARGEST >> 20} MB; nothing of it was used",
    ),
    "50 MB without a length": (endless, f"answered more than {LARGEST >> 20} MB; nothing of it was used"),
    "a hundred thousand lists in each other": (answer(200, b"[" * 100_000), "answered no JSON"),
    "little that unpacks to much": (
        answer(200, gzip.compress(b"[" + b" " * (200 * 2**20) + b"]"), **{"Content-Encoding": "gzip"}),
        "answered no JSON",
    ),
}


@pytest.mark.parametrize("name", LARGE)
def test_an_answer_that_is_too_much_is_refused_within_bounds(name: str, tmp_path: Path) -> None:
    sent, sentence = LARGE[name]
    with running({"/users": sent}, tmp_path) as hub:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(DoorError, match=r"GET .*/users answered") as error:
            door(hub).pages("/users")
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert sentence in str(error.value)
    assert len(str(error.value)) < 500
    assert grown < 3 * LARGEST / 1024, "in KB: what came so far, and a copy of it"


def test_the_whole_list_of_5000_users_is_one_answer_well_within_bounds(tmp_path: Path) -> None:
    """As JupyterHub 1.5 tells each of them, with a server."""
    one = {
        "kind": "user",
        "admin": False,
        "groups": ["analysts"],
        "pending": None,
        "created": "2026-03-04T05:06:07.123456Z",
        "server": "/user/somebody/",
        "servers": {"": {"name": "", "url": "/user/somebody/", "ready": True, "state": {"pid": 1}, "pending": None}},
    }
    sent = json.dumps([{"name": f"user{number}", **one} for number in range(5000)]).encode()
    with running({"/users": answer(200, sent)}, tmp_path) as hub:
        assert len(door(hub).pages("/users")) == 5000

    assert len(hub.asked) == 1
    assert len(sent) * 10 < LARGEST


@pytest.mark.parametrize("given", [Trust(fingerprint="00" * 32), Trust(), Trust(ca_file="other.pem")])
def test_another_certificate_gets_no_request(
    given: Trust, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    with running({}, other):
        pass
    (tmp_path / "other.pem").write_bytes((other / "pair.pem").read_bytes())
    monkeypatch.chdir(tmp_path)
    with running({"/users": answer(200, b"[]")}, tmp_path) as hub:
        made = HubDoor(lambda: hub.url, lambda: SecretStr(TOKEN), given, 10)
        with pytest.raises(DoorError, match="its certificate is not"):
            made.pages("/users")

    assert hub.asked == []


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_what_is_no_tls_at_all_is_not_called_a_certificate(sent: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def close_at_once() -> None:
            link, _ = server.accept()
            link.sendall(sent)
            link.close()

        thread = threading.Thread(target=close_at_once)
        thread.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        made = HubDoor(lambda: url, lambda: SecretStr(TOKEN), Trust(fingerprint="00" * 32), 5)
        with pytest.raises(DoorError, match=r"the hub does not answer|no TLS connection comes about") as error:
            made.pages("/users")
        thread.join()

    assert "certificate" not in str(error.value)
