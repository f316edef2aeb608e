"""Outcomes, exit codes and what a user reads, from snapshots."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from snapshots import user, write

from tests.conftest import Audit

USERS = "checks/test_users.py"


def test_compliant(audit: Audit, tmp_path: Path) -> None:
    run = audit(*write(tmp_path), checks=USERS)

    assert run.code == 0
    assert run.outcomes() == {"compliant": 4}
    assert "4 compliant" in run.text
    assert f"report: {run.folder}/latest/report.html" in run.text


def test_drift_names_what_where_wanted_found_and_the_next_step(audit: Audit, tmp_path: Path) -> None:
    run = audit(*write(tmp_path, diego=user(1007, shell="/bin/sh")), checks=USERS)

    assert run.code == 1
    assert run.outcomes() == {"compliant": 3, "drifted": 1}
    for line in (
        "user diego differs in uid, shell",
        f"declared  {tmp_path}/baseline.yaml:9",
        "wanted  1001",
        "found   1007",
        "wanted  /bin/bash",
        "found   /bin/sh",
        "usermod -s /bin/bash -- diego",
    ):
        assert line in run.text


def test_a_missing_account_is_one_drift_and_its_other_controls_do_not_apply(audit: Audit, tmp_path: Path) -> None:
    run = audit(*write(tmp_path, diego=None), checks=USERS)

    assert run.code == 1
    assert run.outcomes() == {"compliant": 2, "drifted": 1, "not applicable": 1}
    assert "user diego is missing" in run.text


def test_an_undeclared_account(audit: Audit, tmp_path: Path) -> None:
    run = audit(*write(tmp_path, mallory=user(1666), daemon=user(1)), checks=USERS)

    assert run.code == 1
    assert "undeclared users: mallory" in run.text
    assert "daemon" not in run.text


def test_not_having_looked_is_11_and_no_failure(audit: Audit, tmp_path: Path) -> None:
    options = write(tmp_path)
    path = tmp_path / "snapshot.json"
    document = json.loads(path.read_text())
    reading = document["kinds"]["user"]
    del reading["seen"]
    reading["unreadable"] = "the container jupyterhub is paused"
    path.write_text(json.dumps(document))
    run = audit(*options, checks=USERS)

    assert run.code == 11
    assert run.outcomes() == {"unreadable": 4}
    assert "4 errors" in run.text
    assert "failed" not in run.text.splitlines()[-1]


def test_drift_counts_before_not_having_looked(audit: Audit, tmp_path: Path) -> None:
    locked = user(1) | {"unread": {"locked": "no shadow"}}
    run = audit(*write(tmp_path, diego=locked), checks=USERS)

    assert run.outcomes() == {"compliant": 2, "drifted": 1, "unreadable": 1}
    assert run.code == 1


WAIVER = """
waivers:
  w1: {{control: USR-01, resource: "die*", reason: agreed, owner: ana, ticket: T-1, until: "{until}"}}
"""


@pytest.mark.parametrize(("until", "code", "outcome"), [("2099-12-31", 0, "waived"), ("2020-01-01", 1, "drifted")])
def test_a_waiver_counts_until_its_last_day(audit: Audit, tmp_path: Path, until: str, code: int, outcome: str) -> None:
    options = write(tmp_path, diego=user(1007))
    with (tmp_path / "baseline.yaml").open("a") as file:
        file.write(WAIVER.format(until=until))
    run = audit(*options, checks=USERS)

    record = next(record for record in run.records if record["resource"] == "diego" and record["control"] == "USR-01")
    assert run.code == code
    assert record["outcome"] == outcome
    assert record["differences"] == [{"field": "uid", "wanted": 1001, "found": 1007}]
    assert ("waiver w1 of ana (T-1) expired on 2020-01-01" in run.text) == (until == "2020-01-01")


def test_every_report_of_a_run_tells_the_same(audit: Audit, tmp_path: Path) -> None:
    run = audit(*write(tmp_path, diego=user(1007)), checks=USERS)
    latest = run.folder / "latest"
    suites = ET.parse(latest / "junit.xml").getroot()  # noqa: S314 # written by the run above
    results = [json.loads(path.read_text()) for path in (latest / "allure-results").glob("*-result.json")]

    assert suites.attrib["tests"] == "4"
    assert suites.attrib["failures"] == "1"
    assert sorted(result["status"] for result in results) == ["failed", "passed", "passed", "passed"]
    failed = next(result for result in results if result["status"] == "failed")
    labels = {(label["name"], label["value"]) for label in failed["labels"]}
    assert {("severity", "critical"), ("tag", "USR-01"), ("tag", "nist-800-53:AC-2")} <= labels
    assert "user diego differs in uid" in failed["statusDetails"]["trace"]
    assert {record["run"] for record in run.records} == {run.records[0]["run"]}
    assert "user diego differs in uid" in (latest / "report.html").read_text()


def test_workers_of_xdist_bring_the_same_records(audit: Audit, tmp_path: Path) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is the user's choice: pip install pytest-xdist")
    run = audit(*write(tmp_path, diego=user(1007)), "-n", "2", checks=USERS)

    assert run.code == 1
    assert run.outcomes() == {"compliant": 3, "drifted": 1}


def test_names_made_to_break_a_terminal_or_a_page(audit: Audit, tmp_path: Path) -> None:
    name = "\x1b[2J<script>alert(1)</script>\u202e'; rm -rf / #"
    run = audit(*write(tmp_path, **{name: user(1666)}), checks=USERS)
    page = (run.folder / "latest" / "report.html").read_text()

    assert run.code == 1
    assert "\x1b" not in run.text
    assert "\u202e" not in run.text
    assert "<script>alert(1)" not in page
    ET.parse(run.folder / "latest" / "junit.xml")  # noqa: S314 # written by the run above
    assert any(name in record["before"] for record in run.records if record["before"])


def test_selecting_one_resource_checks_it_alone(audit: Audit, tmp_path: Path) -> None:
    run = audit(*write(tmp_path, ana=None), "-k", "diego", checks=USERS)

    assert run.code == 0
    assert {record["resource"] for record in run.records} == {"diego"}
