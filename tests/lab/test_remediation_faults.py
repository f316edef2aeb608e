"""What cannot be put right says why, keeps what was there, and leaves the rest to go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emr
import pytest

from lab import breaks, inside, provision
from lab.breaks.model import Scene
from lab.model import HUB
from tests.conftest import ROOT, Audit, Run


@pytest.fixture(scope="module")
def on() -> Iterator[Scene]:
    """Give the lab, up, and leave accounts and packages as declared."""
    with emr.scene() as scene:
        yield scene
        inside.run(scene.client, HUB, "userdel -r zoe; rm -rf /dev/shm/*; rm -f /srv/made*")
        provision.users(scene.client)
        provision.packages(scene.client)


def remedied(audit: Audit, folder: Path, checks: str, how: str = "unsafe", **sections: Any) -> Run:
    """Put right what a baseline declares, on the lab."""
    path = folder / "wanted.yaml"
    baseline = {"extends": str(ROOT / "baselines" / "emr.yaml"), "accounts": "directory", **sections}
    path.write_text(json.dumps(baseline))
    return audit("--cluster", "lab", "--baseline", str(path), f"--remediate={how}", checks=f"checks/{checks}.py")


def result(run: Run, resource: str) -> str:
    """Return what became of the first action about a resource."""
    records = [record for record in run.records if record["resource"] == resource and record["actions"]]
    return str(records[0]["actions"][0]["result"])


def test_a_package_that_does_not_exist(on: Scene, audit: Audit, tmp_path: Path) -> None:
    wanted = {"no-such-package": {"version": "1.0"}, "six": ">=1.16"}
    run = remedied(audit, tmp_path, "test_packages", packages=wanted)

    assert on
    assert run.code == 1
    assert result(run, "no-such-package").startswith("failed at ")
    assert "no-such-package" in result(run, "no-such-package")
    assert [record["outcome"] for record in run.records if record["resource"] == "six"] == ["compliant"]


def test_versions_that_cannot_be_solved(on: Scene, audit: Audit, tmp_path: Path) -> None:
    before = inside.must(on.client, HUB, "ls /opt/conda/conda-meta")
    run = remedied(audit, tmp_path, "test_packages", packages={"keras": "99.*"})

    assert run.code == 1
    assert result(run, "keras").startswith("failed at ")
    assert inside.must(on.client, HUB, "ls /opt/conda/conda-meta") == before


def test_a_uid_that_is_another_accounts(on: Scene, audit: Audit, tmp_path: Path) -> None:
    before = inside.must(on.client, HUB, "cat /etc/passwd")
    run = remedied(audit, tmp_path, "test_users", users={"zoe": {"uid": 1003}, "jovyan": {}})

    assert run.code == 1
    assert "has another account its name or its uid?" in result(run, "zoe")
    assert inside.must(on.client, HUB, "cat /etc/passwd") == before


def test_a_hub_user_whom_the_hub_will_not_have(audit: Audit, tmp_path: Path) -> None:
    run = remedied(audit, tmp_path, "test_hub_users", hub_users={"nobody-has-this-account": {"admin": False}})

    assert run.code == 1
    assert "answered 400" in result(run, "nobody-has-this-account")


def test_a_hub_that_fails_inside_says_so_and_the_next_run_completes_it(on: Scene, audit: Audit, tmp_path: Path) -> None:
    """The hub's database refuses a new user, as a full disk or a damaged table makes it."""
    database = "import sqlite3; sqlite3.connect('/home/jovyan/jupyterhub.sqlite').executescript"
    trigger = "CREATE TRIGGER refused BEFORE INSERT ON users BEGIN SELECT RAISE(ABORT, 'refused'); END;"
    users = {name: {"admin": name == "jovyan"} for name in ("jovyan", "diego", "ana", "shirley")}
    breaks.apply("hub-diego-missing")
    try:
        inside.must(on.client, HUB, f'/opt/conda/bin/python3 -c "{database}(\\"{trigger}\\")"')
        try:
            run = remedied(audit, tmp_path, "test_hub_users", hub_users=users)
            said = result(run, "diego")
        finally:
            inside.must(on.client, HUB, f"/opt/conda/bin/python3 -c \"{database}('DROP TRIGGER IF EXISTS refused')\"")
        again = remedied(audit, tmp_path, "test_hub_users", hub_users=users)
    finally:
        breaks.mend("hub-diego-missing")

    assert run.code == 1, run.text
    assert said.startswith("failed at ")
    assert "answered 500" in said
    assert again.code == 0, again.text
    assert again.outcomes()["fixed"] == 1


def test_a_disk_that_is_full_keeps_the_old_file(on: Scene, audit: Audit, tmp_path: Path) -> None:
    source = tmp_path / "large.conf"
    source.write_text("x" * 500_000)
    inside.must(
        on.client, HUB, "echo old > /dev/shm/a.conf; head -c 100M /dev/zero > /dev/shm/fill 2>/dev/null || true"
    )
    files = {"/dev/shm/a.conf": {"source": str(source)}}
    run = remedied(audit, tmp_path, "test_files", files=files)
    said = result(run, "/dev/shm/a.conf")
    kept = inside.must(on.client, HUB, "cat /dev/shm/a.conf; rm -f /dev/shm/fill; ls -A /dev/shm")
    again = remedied(audit, tmp_path, "test_files", files=files)

    assert run.code == 1
    assert "No space left on device" in said
    assert kept.split() == ["old", "a.conf"], "nothing is half written, nothing is left over"
    assert again.outcomes()["fixed"] == 1


def test_the_content_of_a_file_reaches_the_file_and_no_artefact(on: Scene, audit: Audit, tmp_path: Path) -> None:
    canary = "c4n4ry-0b5e2d"
    source = tmp_path / "secret.conf"
    source.write_text(f"bindpw {canary} 'quoted' $(reboot)\n")
    files = {"/srv/made.conf": {"source": str(source), "mode": "0600"}}
    planned = remedied(audit, tmp_path, "test_files", "plan", files=files)
    artefacts = [path for path in planned.folder.rglob("*") if path.is_file()]
    assert [path for path in artefacts if canary in path.read_text(errors="replace")] == []
    run = remedied(audit, tmp_path, "test_files", files=files)
    inside_now = inside.must(on.client, HUB, "cat /srv/made.conf; stat -c %a /srv/made.conf")

    artefacts = [path for path in run.folder.rglob("*") if path.is_file()]
    assert run.outcomes()["fixed"] >= 1, run.text
    assert inside_now == f"{source.read_text()}600\n"
    assert canary not in run.text
    assert [path for path in artefacts if canary in path.read_text(errors="replace")] == []
    assert any(path.name == "plan.json" for path in artefacts)


def test_a_waived_drift_is_left_alone(on: Scene, audit: Audit, tmp_path: Path) -> None:
    waiver = {
        "control": "USR-01",
        "resource": "zoe",
        "reason": "agreed",
        "owner": "ana",
        "ticket": "T-1",
        "until": "2999-01-01",
    }
    run = remedied(audit, tmp_path, "test_users", users={"zoe": {}}, waivers={"w": waiver})

    assert run.outcomes()["waived"] == 1
    assert "zoe" not in inside.must(on.client, HUB, "cat /etc/passwd")


def test_without_the_container_nothing_is_put_right_in_it(on: Scene, audit: Audit, tmp_path: Path) -> None:
    box = on.client.containers.get(HUB)
    box.pause()
    try:
        run = remedied(audit, tmp_path, "test_users", users={"zoe": {}})
    finally:
        box.unpause()

    assert run.code == 11
    assert "the plan has no actions" in run.text
