"""Routes as a hub tells them: in pages from JupyterHub 2.0 on, refused without their scope, or in another shape."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hubs import Answer, answer, running

from tests.conftest import Audit, Run

USERS = [
    {"name": name, "admin": name == "jovyan", "groups": [], "server": None, "pending": None, "servers": {}}
    for name in ("jovyan", "ana")
]
HUB = {"routespec": "/", "target": "http://emr-master:8081", "data": {"hub": True}}
GHOST = {"routespec": "/user/ghost/", "target": "http://127.0.0.1:9", "data": {"user": "ghost"}}
FORBIDDEN = b'{"status": 403, "message": "Forbidden"}'


def sent(value: Any) -> Answer:
    return answer(200, json.dumps(value).encode())


def look(audit: Audit, routes: dict[str, Answer], folder: Path) -> tuple[Run, list[str]]:
    with running({"/users": sent(USERS), **routes}, folder) as hub:
        run = audit(
            *("checks/test_hub_users.py", "--cluster", "j-HUB", "--baseline", "baselines/lab.yaml"),
            *("--hub-url", hub.url, "--hub-fingerprint", hub.fingerprint, "-k", "routes or ana"),
            checks="checks/test_routes.py",
            env={"HUBSPEC_HUB_TOKEN": "0123456789abcdef0123456789abcdef"},
        )
    return run, [path.partition("?")[0] for path, _ in hub.asked]


def test_pages_of_routes_are_followed_and_the_users_are_asked_for_once(audit: Audit, tmp_path: Path) -> None:
    def page(request: BaseHTTPRequestHandler) -> None:
        first = "offset=0" in request.path
        following = {"offset": 200, "limit": 200, "url": "https://evil.example/"} if first else None
        items = {"/": HUB} if first else {"/user/ghost/": GHOST}
        sent({"items": items, "_pagination": {"next": following}})(request)

    run, asked = look(audit, {"/proxy": page}, tmp_path)

    assert asked == ["/hub/api/users", "/hub/api/proxy", "/hub/api/proxy"]
    assert run.outcomes("route") == {"compliant": 1, "drifted": 1}
    assert "undeclared routes: /user/ghost/" in run.text
    assert "POST /hub/api/proxy" in run.text


FAULTS: dict[str, tuple[dict[str, Answer], str]] = {
    "refused": (
        {"/proxy": answer(403, FORBIDDEN), "/user": answer(200, b'{"name": "ana"}')},
        "ana may not see the proxy's routes; give the token of an admin of the hub (2.0 and later: one with the scope proxy)",
    ),
    "500": ({"/proxy": answer(500, b'{"message": "no proxy"}')}, "answered 500"),
    "a list": ({"/proxy": sent([HUB])}, "answered neither a mapping nor a page of one"),
    "pages of a list": ({"/proxy": sent({"items": [HUB], "_pagination": {}})}, "answered neither a mapping"),
    "no route": ({"/proxy": sent({"/": "emr-master"})}, "the route '/' has no target"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_routes_that_cannot_be_read_are_unreadable(name: str, audit: Audit, tmp_path: Path) -> None:
    routes, sentence = FAULTS[name]
    run, _ = look(audit, routes, tmp_path)

    assert run.code == 11
    assert sentence in run.text
    assert run.outcomes("route") == {"unreadable": 2}
    if name in {"refused", "500"}:
        assert run.outcomes("hub_user") == {"compliant": 2}, "what the hub does answer is still looked at"
