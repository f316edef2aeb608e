"""What is known of a hub that tells only some of it, or that nobody should trust."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from pathlib import Path

from hubs import Answer, answer, running

from tests.conftest import Audit, Run

VERSION = answer(200, b'{"version": "1.5.0"}')
FORBIDDEN = answer(403, b'{"status": 403, "message": "Forbidden"}')
BASELINE = """
extends: {folder}/baselines/emr.yaml
hub:
  version: "1.5.0"
  certificate_left: {{at_least: 1h}}
hub_users: {{}}
"""


def look(audit: Audit, routes: dict[str, Answer], folder: Path, *args: str, token: str | None = "x" * 32) -> Run:
    path = folder / "face.yaml"
    path.write_text(BASELINE.format(folder=Path(__file__).parents[2]))
    with running(routes, folder) as hub:
        pinned = () if "--hub-fingerprint" in args else ("--hub-fingerprint", hub.fingerprint)
        return audit(
            *("--cluster", "j-HUB", "--baseline", str(path), "--hub-url", hub.url, *pinned, *args),
            *("checks/test_hub_users.py", "-k", "hub"),
            checks="checks/test_hub.py",
            env={"HUBSPEC_HUB_TOKEN": token},
        )


def outcomes(run: Run) -> dict[str, str]:
    return {record["control"]: record["outcome"] for record in run.records if record["kind"] == "hub"}


def test_what_an_admin_alone_is_told_is_unreadable_and_the_rest_is_known(audit: Audit, tmp_path: Path) -> None:
    who = answer(200, b'{"name": "ana", "admin": false}')
    run = look(audit, {"": VERSION, "/info": FORBIDDEN, "/user": who, "/users": FORBIDDEN}, tmp_path)

    assert outcomes(run) == dict.fromkeys(("TLS-01", "TLS-02", "TLS-03", "TLS-04"), "compliant") | {
        "API-01": "unreadable"
    }
    assert "ana may not see what the hub runs with" in run.text
    assert "one with the scope read:hub" in run.text
    assert run.code == 11


def test_without_a_token_what_everybody_is_told_is_known(audit: Audit, tmp_path: Path) -> None:
    asked: list[str] = []

    def version(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.headers.get("Authorization", "none"))
        VERSION(request)

    run = look(audit, {"": version}, tmp_path, token=None)

    assert asked == ["none"]
    assert outcomes(run)["API-01"] == "unreadable"
    assert "there is no hub token" in run.text
    assert "hub: version:" not in run.text


def test_a_certificate_that_is_not_pinned_is_drift_and_all_behind_it_unreadable(audit: Audit, tmp_path: Path) -> None:
    run = look(audit, {"": VERSION, "/users": answer(200, b"[]")}, tmp_path, "--hub-fingerprint", "00" * 32)

    assert run.code == 1
    assert outcomes(run) == {
        "API-01": "unreadable",
        **dict.fromkeys(("TLS-01", "TLS-02", "TLS-03"), "compliant"),
        "TLS-04": "drifted",
    }
    assert run.outcomes("hub_user").keys() == {"unreadable"}
    assert "its certificate is not the pinned one" in run.text


def test_a_hub_that_does_not_answer_still_shows_its_certificate(audit: Audit, tmp_path: Path) -> None:
    slow = answer(503, b'{"message": "Service Unavailable"}')
    run = look(audit, {"": slow, "/info": slow, "/users": slow}, tmp_path)

    assert outcomes(run)["API-01"] == "unreadable"
    assert outcomes(run)["TLS-01"] == "compliant"
    assert run.outcomes("hub_user").keys() == {"unreadable"}
