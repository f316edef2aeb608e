"""--smoke=auth on the real hub: what it finds, that its breaks turn it red, and that nothing of it is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

import lab
from hubspec import auth
from hubspec.kinds import KINDS
from lab import Lab, breaks, inside
from lab import hub as lab_hub
from lab.model import HUB
from lab.versions import at_least
from tests.conftest import ROOT, Audit, Run

SMOKE = "checks/smoke/test_token_auth.py"
_TRACES = """grep -c hubspec-probe /etc/passwd; ls -d /home/hubspec-probe-* 2>/dev/null | wc -l
python3 -c '
import sqlite3
db = sqlite3.connect("file:/home/jovyan/jupyterhub.sqlite?mode=ro", uri=True, timeout=10)
print(db.execute("SELECT count(*) FROM users WHERE name LIKE ?", ("hubspec-probe-%",)).fetchone()[0])
columns = {row[1] for row in db.execute("PRAGMA table_info(api_tokens)")}
noted = " OR note = ?" if "note" in columns else " OR ? = 1"
print(db.execute("SELECT count(*) FROM api_tokens WHERE user_id IS NULL AND service_id IS NULL"
                 " OR user_id NOT IN (SELECT id FROM users)" + noted, ("hubspec smoke test",)).fetchone()[0])'"""


@pytest.fixture
def here() -> Lab:
    return lab.up(print)


@pytest.fixture(autouse=True)
def _nothing_is_left(here: Lab) -> Iterator[None]:
    """Hold that no account, home, hub user or token of a smoke test is there, before and after."""
    assert traces() == ["0", "0", "0", "0"], here.version
    yield
    assert traces() == ["0", "0", "0", "0"]


def traces() -> list[str]:
    client = docker.from_env()
    try:
        return inside.must(client, HUB, f"{_TRACES}; true").split()
    finally:
        client.close()


def look(audit: Audit, *args: str) -> tuple[Run, dict[str, str]]:
    run = audit("--cluster", "lab", "--smoke=auth", *args, checks=SMOKE)
    return run, {record["resource"]: record["outcome"] for record in run.records}


def expected(version: str) -> dict[str, str]:
    """Return what a hub that is as it should be answers for each test, in the version of the lab."""
    silent = {auth.FEW} if not at_least(version, "2.0") else set()
    if not at_least(version, "0.9"):
        silent |= {auth.REVOKED, auth.EXPIRED, auth.NO_ADMIN}
    return {name: "not applicable" if name in silent else "compliant" for name in auth.NAMES}


def test_the_names_are_those_of_the_kind() -> None:
    assert KINDS["hub_token"].smoke == auth.NAMES


def test_whoever_has_no_right_is_refused_and_the_admin_is_let_in(audit: Audit, here: Lab) -> None:
    run, found = look(audit)

    assert run.code == 0, run.text
    assert found == expected(here.version)
    assert {record["control"] for record in run.records} == {"TOK-20"}


def test_a_gateway_that_adds_an_admins_token_turns_all_that_are_refused_red(audit: Audit, here: Lab) -> None:
    breaks.apply("gateway-adds-a-token")
    try:
        run, found = look(audit)
    finally:
        breaks.mend("gateway-adds-a-token")

    assert run.code == 1, run.text
    red = {name for name, outcome in expected(here.version).items() if outcome == "compliant" and name != auth.ADMIN}
    assert {name for name, outcome in found.items() if outcome == "drifted"} == red
    assert found[auth.ADMIN] == "compliant"
    none = next(record for record in run.records if record["resource"] == auth.NO_TOKEN)
    assert {"field": "GET /hub/api/users, no Authorization", "wanted": 403, "found": 200} in none["differences"]
    assert none["actions"]


def test_a_gateway_that_keeps_a_header_turns_the_admin_red(audit: Audit) -> None:
    breaks.apply("gateway-keeps-a-header")
    try:
        run, found = look(audit)
    finally:
        breaks.mend("gateway-keeps-a-header")

    assert run.code == 1, run.text
    assert found[auth.ADMIN] == "drifted"
    admin = next(record for record in run.records if record["resource"] == auth.ADMIN)
    assert {one["field"] for one in admin["differences"]} == {
        "GET /hub/api/user, Authorization: Bearer",
        "GET /hub/api/users, Authorization: Bearer",
    }


def test_without_a_declared_admin_the_token_at_hand_proves_nothing(audit: Audit, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        f"extends: {ROOT / 'baselines' / 'lab.yaml'}\nhub_users:\n  jovyan: {{admin: false}}\n"
    )
    run, found = look(audit, "--baseline", str(tmp_path / "mine.yaml"))

    assert found[auth.ADMIN] == "not applicable"
    assert "the token at hand is jovyan's, and the baseline declares as admins of the hub: nobody" in run.text


def test_a_hub_that_does_not_answer_is_unreadable(audit: Audit) -> None:
    breaks.apply("hub-down")
    try:
        run, found = look(audit, "--deadline", "5")
    finally:
        breaks.mend("hub-down")

    assert run.code == 11, run.text
    assert set(found.values()) == {"unreadable"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_when_it_is_interrupted_nothing_is_left(number: int, here: Lab, tmp_path: Path) -> None:
    if not at_least(here.version, "0.9"):
        pytest.skip("this hub has no token to be made and taken back")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("HUBSPEC_", "AWS_", "PYTEST_"))}
    words = [
        sys.executable,
        "-u",
        "-m",
        "pytest",
        SMOKE,
        "--cluster",
        "lab",
        "--smoke=auth",
        "--reports",
        str(tmp_path),
    ]
    with subprocess.Popen(words, cwd=ROOT, env=clean, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        said = ""
        for line in run.stdout:
            said += line
            if "for a token to end" in line:
                assert traces()[2] == "1"
                run.send_signal(number)
                break
        said += run.stdout.read()
        code = run.wait(60)

    assert code == 2, said
    assert "removing it from the hub and the container" in said


def test_no_token_of_it_is_in_an_artefact(audit: Audit, here: Lab) -> None:
    """The admin's by its value; those of the probe user by what the hub would know them by."""
    run, _ = look(audit, "-vv", "--showlocals", "-o", "log_cli_level=DEBUG")
    token = here.token_file.read_text().strip()
    written = [path for path in run.folder.rglob("*") if path.is_file()]

    assert token not in run.text
    assert len(written) > 5
    assert [path.name for path in written if token.encode() in path.read_bytes()] == []


def test_nobodys_server_is_asked_for_anything(audit: Audit, here: Lab) -> None:
    """The proxy notes when a route was last used; that of a running server stays as it was."""
    lab_hub.must(here, "POST", "/users/ana/server")
    try:
        until = time.monotonic() + 60
        while not (user := lab_hub.must(here, "GET", "/users/ana"))["server"]:
            assert time.monotonic() < until, user
            time.sleep(0.2)
        before = routes(here)
        run, _ = look(audit)
        after = routes(here)
    finally:
        lab_hub.must(here, "DELETE", "/users/ana/server")

    assert run.code == 0, run.text
    assert before == after


def routes(here: Lab) -> str:
    """Return the routes of servers with the time of their last use."""
    told = lab_hub.must(here, "GET", "/proxy")
    return json.dumps({path: one for path, one in told.items() if path.startswith("/user/")}, sort_keys=True)
