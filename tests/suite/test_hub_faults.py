"""A hub that does not answer as it should: an error with its own sentence, exit code 11, and no fix planned."""

from __future__ import annotations

import json
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from hubs import Answer, answer, running

from tests.conftest import Audit, Run

TOKEN = "canary-0f1e2d3c4b5a69788796a5b4c3d2e1f0"
USERS = [{"name": name, "admin": name == "jovyan", "groups": []} for name in ("jovyan", "ana", "diego", "shirley")]
FORBIDDEN = b'{"status": 403, "message": "Forbidden"}'


def hang(_request: BaseHTTPRequestHandler) -> None:
    time.sleep(8)


def drip(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    for _ in range(100):
        request.wfile.write(b" ")
        request.wfile.flush()
        time.sleep(0.1)


FAULTS: dict[str, tuple[dict[str, Answer], str]] = {
    "wrong token": (
        {"/users": answer(403, FORBIDDEN), "/user": answer(403, FORBIDDEN)},
        "the token is wrong, expired or revoked",
    ),
    "token of a non-admin": (
        {"/users": answer(403, FORBIDDEN), "/user": answer(200, b'{"name": "ana", "admin": false}')},
        "the token is good, but ana may not list the users",
    ),
    "500": ({"/users": answer(500, b'{"message": "database is locked"}')}, "answered 500"),
    "HTML": ({"/users": answer(200, b"<html>login</html>", mime="text/html")}, "answered no JSON"),
    "broken JSON": ({"/users": answer(200, b'[{"name": "jov')}, "answered no JSON"),
    "JSON of another shape": ({"/users": answer(200, b'{"users": 3}')}, "neither a list nor a page of one"),
    "entries that are no users": ({"/users": answer(200, b'["jovyan"]')}, "an entry that is no user"),
    "redirect to another host": (
        {"/users": answer(302, Location="https://evil.example/hub/api/users")},
        "a redirect to evil.example: not followed",
    ),
    "hanging": ({"/users": hang}, "did not answer within 1 s"),
    "dripping": ({"/users": drip}, "did not answer within 1 s"),
}


def look(audit: Audit, url: str, *args: str, token: str | None = TOKEN) -> Run:
    return audit(
        *("--cluster", "j-FAULTS", "--baseline", "baselines/lab.yaml", "--hub-url", url, "--deadline", "1", *args),
        checks="checks/test_hub_users.py",
        env={"HUBSPEC_HUB_TOKEN": token},
    )


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_hub_is_an_error_with_its_sentence(name: str, audit: Audit, tmp_path: Path) -> None:
    routes, sentence = FAULTS[name]
    with running(routes, tmp_path) as hub:
        run = look(audit, hub.url, "--hub-fingerprint", hub.fingerprint)

    assert sentence in run.text
    assert run.code == 11
    assert set(run.outcomes()) == {"unreadable"}
    assert [record["actions"] for record in run.records if record["actions"]] == []
    words = {word for _, word in hub.asked}
    assert words == {f"token {TOKEN}"} | ({f"Bearer {TOKEN}"} if name == "wrong token" else set())


def test_a_slow_reading_says_that_it_goes_on(audit: Audit, tmp_path: Path) -> None:
    with running({"/users": hang}, tmp_path) as hub:
        run = look(audit, hub.url, "--hub-fingerprint", hub.fingerprint, "--deadline", "3")

    assert "j-FAULTS: still reading; a door may take 3 s (--deadline)" in run.text
    assert "did not answer within 3 s" in run.text


def test_a_good_hub_is_read(audit: Audit, tmp_path: Path) -> None:
    with running({"/users": answer(200, json.dumps(USERS).encode())}, tmp_path) as hub:
        run = look(audit, hub.url, "--hub-fingerprint", hub.fingerprint)

    assert run.code == 1
    assert {r["resource"] for r in run.records if r["outcome"] == "drifted"} == {"diego", "shirley"}


def test_pages_are_followed_and_a_user_made_in_between_is_there_once(audit: Audit, tmp_path: Path) -> None:
    def page(request: BaseHTTPRequestHandler) -> None:
        first = "offset=0" in request.path
        items = USERS[:2] if first else USERS[1:]
        following = {"offset": 200, "limit": 200, "url": "https://evil.example/"} if first else None
        answer(200, json.dumps({"items": items, "_pagination": {"next": following}}).encode())(request)

    with running({"/users": page}, tmp_path) as hub:
        run = look(audit, hub.url, "--hub-fingerprint", hub.fingerprint, "-k", "undeclared or jovyan")

    assert run.code == 0
    assert len(hub.asked) == 2


def test_a_certificate_that_is_not_the_pinned_one_gets_no_token(audit: Audit, tmp_path: Path) -> None:
    with running({"/users": answer(200, b"[]")}, tmp_path) as hub:
        run = look(audit, hub.url, "--hub-fingerprint", "00" * 32)

    assert run.code == 11
    assert "its certificate is not the pinned one" in run.text
    assert hub.asked == []


def test_an_unknown_certificate_is_not_believed_unless_told(audit: Audit, tmp_path: Path) -> None:
    with running({"/users": answer(200, json.dumps(USERS).encode())}, tmp_path) as hub:
        run = look(audit, hub.url)
        told = look(audit, hub.url, "--insecure")

    assert run.code == 11
    assert "its certificate is not trusted; pin it with --hub-fingerprint" in run.text
    assert told.code == 1
    assert "was not verified (--insecure)" in told.text
    assert "was not verified (--insecure)" in (told.folder / "latest" / "report.html").read_text()


def test_nobody_listening(audit: Audit) -> None:
    run = look(audit, "https://127.0.0.1:1", "--insecure")

    assert run.code == 11
    assert "the hub does not answer; is it up?" in run.text


def test_the_hub_is_asked_through_no_proxy(audit: Audit, tmp_path: Path) -> None:
    proxy: dict[str, str | None] = {"HTTPS_PROXY": "http://127.0.0.1:9", "HUBSPEC_HUB_TOKEN": TOKEN}
    users = "checks/test_hub_users.py"
    with running({"/users": answer(200, json.dumps(USERS).encode())}, tmp_path) as hub:
        run = look(audit, hub.url, "--hub-fingerprint", hub.fingerprint, "-k", "jovyan")
        same = audit(
            "--cluster", "j-FAULTS", "--hub-url", hub.url, "--insecure", "-k", "jovyan", checks=users, env=proxy
        )
    gone = audit("--cluster", "j-FAULTS", "--hub-url", "https://127.0.0.1:1", checks=users, env=proxy, into="gone")

    assert (run.code, same.code, gone.code) == (0, 0, 11)
    assert "the hub does not answer" in gone.text
    assert "HTTPS_PROXY is set, and never used for the hub" in gone.text


def test_no_token(audit: Audit) -> None:
    run = look(audit, "https://127.0.0.1:1", token=None)

    assert run.code == 11
    assert "there is no hub token: set HUBSPEC_HUB_TOKEN" in run.text


@pytest.mark.parametrize(("content", "sentence"), [("\n", "is empty"), (None, "cannot be read")])
def test_a_bad_token_file(audit: Audit, tmp_path: Path, content: str | None, sentence: str) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    run = look(audit, "https://127.0.0.1:1", "--hub-token-file", str(path), token=None)

    assert run.code == 11
    assert f"the hub token file {path} {sentence}" in run.text


def test_the_token_is_in_no_artefact(audit: Audit, tmp_path: Path) -> None:
    with running({"/users": answer(500, b"<b>oops</b>")}, tmp_path) as hub:
        run = look(
            audit, hub.url, "--hub-fingerprint", hub.fingerprint, "-vv", "--showlocals", "-o", "log_cli_level=DEBUG"
        )

    assert hub.asked[0][1] == f"token {TOKEN}"
    assert TOKEN not in run.text
    written = [path for path in run.folder.rglob("*") if path.is_file()]
    assert len(written) > 10
    assert [path.name for path in written if TOKEN.encode() in path.read_bytes()] == []
