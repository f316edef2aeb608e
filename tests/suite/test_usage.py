"""Asking for what cannot be: exit code 4, one sentence each with the next step, and the last report is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from snapshots import write

from tests.conftest import Audit

USERS = "checks/test_users.py"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--dor", "ssh"], "unrecognized arguments: --dor; --dor: did you mean '--door'?"),
        ([], "which cluster? Give --cluster lab"),
        (["--cluster", "prod"], "--cluster prod: there is no such cluster"),
        (["--cluster", "j-x; reboot"], "there is no such cluster"),
        (["--cluster", "tag:env"], "--cluster tag:env: there is no such cluster; known are lab, or an id of EMR"),
        (["--cluster", "local"], "--cluster local: this machine is no node of an EMR cluster"),
        (
            ["--cluster", "j-A", "--region", "everywhere"],
            "--region: wanted a region such as us-east-1, found 'everywhere'",
        ),
        (["--cluster", "lab", "--snapshot", "x.json"], "--snapshot looks at no cluster: give it or --cluster"),
        (["--cluster", "j-A", "--deadline", "soon"], "--deadline: wanted a number of seconds above 0, found 'soon'"),
        (["--cluster", "j-A", "--baseline", "no-such.yaml"], "no-such.yaml: there is no such file"),
        (["--snapshot", "no-such.json"], "no-such.json: cannot be read"),
        (["--cluster", "j-A", "--cluster", "j-B", "--save-snapshot", "x"], "a file holds one cluster"),
    ],
)
def test_usage(audit: Audit, args: list[str], sentence: str) -> None:
    run = audit(*args, checks=USERS)

    assert run.code == 4
    assert sentence in run.text
    assert "Traceback" not in run.text
    assert run.records == []


def test_every_fault_of_a_baseline_is_told_at_once(audit: Audit, tmp_path: Path) -> None:
    options = write(tmp_path)
    with (tmp_path / "baseline.yaml").open("a") as file:
        file.write("  shirley: {shel: /bin/bash}\nhub_users:\n  li: {admin: perhaps}\n")
    run = audit(*options, checks=USERS)

    assert run.code == 4
    assert "the baseline has 2 faults" in run.text
    assert "baseline.yaml:11: users.shirley.shel: unknown key 'shel'; did you mean 'shell'?" in run.text
    assert "baseline.yaml:13: hub_users.li.admin: wanted true or false; found 'perhaps'" in run.text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"hubspec_snapshot": 99}, "is a snapshot of schema 99; this hubspec reads schema 1"),
        ({"kinds": {"user": 3}}, "is damaged"),
        ({"kinds": {"unicorn": {}}}, "is damaged"),
        (None, "is no hubspec snapshot"),
    ],
)
def test_a_snapshot_that_is_none(audit: Audit, tmp_path: Path, change: dict[str, object] | None, sentence: str) -> None:
    options = write(tmp_path)
    path = tmp_path / "snapshot.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change) if change else "{")
    run = audit(*options, checks=USERS)

    assert run.code == 4
    assert sentence in run.text


def test_a_run_that_could_not_start_keeps_the_last_report(audit: Audit, tmp_path: Path) -> None:
    options = write(tmp_path)
    first = audit(*options, checks=USERS)
    second = audit("--cluster", "prod", checks=USERS)

    assert second.code == 4
    assert second.records == first.records != []
    assert [path.name for path in first.folder.iterdir()] == ["latest"]


def test_collecting_only_looks_at_nothing_and_writes_nothing(audit: Audit, tmp_path: Path) -> None:
    run = audit(*write(tmp_path), "--collect-only", "-q", checks=USERS)

    assert run.code == 0
    assert "test_users.py::test_declared[diego]" in run.text
    assert not run.folder.exists()
