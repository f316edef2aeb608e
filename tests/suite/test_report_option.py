"""`--report`: which files a run leaves, that each tells the same, and what one that fails costs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from snapshots import user, write

from hubspec.report.formats import FORMATS
from tests.conftest import Audit

USERS = "checks/test_users.py"
ALWAYS = {"records.jsonl", "run.json", "manifest.json", "chain.jsonl"}


def test_all_formats_of_one_run_tell_the_same(audit: Audit, tmp_path: Path) -> None:
    run = audit(*write(tmp_path, diego=user(1007)), "--report", "all", checks=USERS)
    latest = run.folder / "latest"

    assert run.code == 1
    assert {path.name for path in latest.iterdir()} == {*ALWAYS, *(one.file for one in FORMATS.values())}
    found = json.loads((latest / "ocsf.json").read_text())
    assert sorted(one["status_code"] for one in found) == ["compliant", "compliant", "compliant", "drifted"]
    log = json.loads((latest / "report.sarif").read_text())["runs"][0]
    assert [one["message"]["text"] for one in log["results"] if one["kind"] == "fail"] == [
        "j-SNAP: user diego differs in uid"
    ]
    assert log["invocations"][0]["exitCode"] == 1
    observations = json.loads((latest / "oscal-assessment-results.json").read_text())["assessment-results"]["results"][
        0
    ]
    assert len(observations["observations"]) == 4
    assert (latest / "records.csv").read_bytes().count(b"\r\n") == 5
    assert "user diego differs in uid" in (latest / "summary.md").read_text()
    results = [json.loads(path.read_text()) for path in (latest / "allure-results").glob("*-result.json")]
    assert len({result["historyId"] for result in results}) == 4, "none is taken for the retry of another"
    outcomes = [label["value"] for result in results for label in result["labels"] if label["name"] == "outcome"]
    assert sorted(outcomes) == sorted(one["status_code"] for one in found)


WAIVER = """
waivers:
  w1: {control: USR-09, reason: agreed, owner: ana, ticket: 'https://tracker.example/T-1', until: "2099-12-31"}
"""


def test_what_allure_makes_of_an_outcome(audit: Audit, tmp_path: Path) -> None:
    unread = user(1003) | {"unread": {"uid": "no passwd"}}
    options = write(tmp_path, diego=None, ana=unread, mallory=user(1666))
    with (tmp_path / "baseline.yaml").open("a") as file:
        file.write(f"  li: {{uid: 1004}}\n{WAIVER}")
    snapshot = json.loads((tmp_path / "snapshot.json").read_text())
    snapshot["kinds"]["user"]["seen"]["li"] = user(1004)
    (tmp_path / "snapshot.json").write_text(json.dumps(snapshot))
    run = audit(*options, "--report", "allure", checks=USERS)

    told = {}
    for path in (run.folder / "latest" / "allure-results").glob("*-result.json"):
        result = json.loads(path.read_text())
        labels = {label["name"]: label["value"] for label in result["labels"]}
        links = [link["url"] for link in result.get("links", []) if link["type"] == "issue"]
        assert links == ["https://tracker.example/T-1"] * (labels["outcome"] == "waived")
        told[labels["outcome"]] = (result["status"], labels["kind"], labels["cluster"])
        assert {step["status"] for step in result.get("steps", [])} <= {"skipped"}, "nothing was done"
        assert bool(result.get("attachments")) == (labels["outcome"] in {"drifted", "waived"})
    assert told == {
        "compliant": ("passed", "user", "j-SNAP"),
        "drifted": ("failed", "user", "j-SNAP"),
        "waived": ("skipped", "user", "j-SNAP"),
        "unreadable": ("broken", "user", "j-SNAP"),
        "not applicable": ("skipped", "user", "j-SNAP"),
    }


def test_only_what_is_asked_for_is_written(audit: Audit, tmp_path: Path) -> None:
    run = audit(*write(tmp_path), checks=USERS, env={"HUBSPEC_REPORT": "csv"})

    assert run.code == 0
    assert {path.name for path in (run.folder / "latest").iterdir()} == {*ALWAYS, "records.csv"}
    assert f"report: {run.folder}/latest/records.csv" in run.text


def test_a_format_that_there_is_not(audit: Audit, tmp_path: Path) -> None:
    run = audit(*write(tmp_path), "--report", "html,oscap", checks=USERS)

    assert run.code == 4
    assert "--report: there is no format 'oscap'; did you mean 'oscal'?" in run.text
    assert run.records == []


BROKEN = """
from hubspec.report import sarif

def render(records, run):
    yield "half of a report"
    raise ZeroDivisionError("no rules")

sarif.render = render
"""


@pytest.mark.parametrize("drift", [False, True])
def test_a_format_that_fails_costs_itself(audit: Audit, tmp_path: Path, *, drift: bool) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    path = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    changes = {"diego": user(1007)} if drift else {}
    options = [*write(tmp_path, **changes), "-p", "broken", "--report", "html,sarif,csv"]
    run = audit(*options, checks=USERS, env={"PYTHONPATH": path})

    assert run.code == int(drift)
    assert "notice: report.sarif was not written: ZeroDivisionError: no rules" in run.text
    assert {path.name for path in (run.folder / "latest").iterdir()} == {*ALWAYS, "records.csv", "report.html"}
