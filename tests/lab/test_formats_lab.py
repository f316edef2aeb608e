"""Three breaks of the lab, one waived, one put right and one left, and a second run after two more: every format tells exactly these."""

from __future__ import annotations

import json
from pathlib import Path

import lab
from lab import breaks
from tests import told
from tests.conftest import ROOT, Audit, Run

BASELINE = f"""
extends: {ROOT}/baselines/lab.yaml
waivers:
  default: {{control: USR-02, resource: jovyan, reason: agreed, owner: ana, ticket: T-1, until: "2099-12-31"}}
"""
BROKEN, LATER = ("diego-missing", "default-password", "user-stray"), ("user-shell", "user-locked")
USERS = "checks/test_users.py"


def agree(run: Run) -> None:
    """Hold every format against the records."""
    latest = run.folder / "latest"
    wanted = told.of_records(run.records)
    for name, found in told.told(latest):
        assert found == wanted, name
    assert told.hdf_agrees(latest, run.records)
    assert told.allure(latest) == sorted((control, outcome) for control, _, outcome, _ in wanted)
    counts, listed = told.summary(latest)
    assert {name: count for name, count in counts.items() if count} == run.outcomes()
    drifts = [(control, change) for control, _, outcome, change in wanted if outcome == "drifted"]
    # A drift that was there before is listed without a word about it.
    assert sorted(listed) == sorted((control, change if change in {"new", "regressed"} else "") for control, change in drifts)  # fmt: skip


def changes(run: Run) -> dict[tuple[str, str], tuple[str, str]]:
    """Return control and resource -> outcome and change, of what is not simply compliant."""
    said = told.of_records(run.records)
    return {(control, name): (outcome, change) for control, name, outcome, change in said if change or outcome != "compliant"}  # fmt: skip


def test_every_format_tells_the_same_three(audit: Audit, tmp_path: Path) -> None:
    (tmp_path / "baseline.yaml").write_text(BASELINE)
    lab.up(print)
    asked = ("--cluster", "lab", "--baseline", str(tmp_path / "baseline.yaml"), "--report", "all")
    try:
        for name in BROKEN:
            breaks.apply(name)
        first = audit(*asked, "--remediate=safe", checks=USERS)
        results = [
            json.loads(path.read_text()) for path in (first.folder / "latest" / "allure-results").glob("*-result.json")
        ]
        agree(first)
        before = changes(first)
        for name in LATER:
            breaks.apply(name)
        second = audit(*asked, checks=USERS)
        agree(second)
    finally:
        for name in (*BROKEN, *LATER):
            breaks.mend(name)

    assert (first.code, second.code) == (1, 1), first.text
    assert before.pop(("USR-01", "diego")) == ("fixed", "fixed")
    assert before.pop(("USR-02", "jovyan")) == ("waived", "new")
    assert before.pop(("USR-09", "*")) == ("drifted", "new")
    assert set(before.values()) <= {("fixed", "fixed")}, "the other controls of diego"
    fixed = [one for one in results if {"name": "outcome", "value": "fixed"} in one["labels"]]
    assert {one["status"] for one in fixed} == {"passed"}
    assert {step["status"] for one in fixed for step in one["steps"]} == {"passed"}
    assert "undeclared users: mallory" in second.text

    assert changes(second) == {
        ("USR-01", "diego"): ("drifted", "regressed"),
        ("USR-02", "jovyan"): ("waived", "still"),
        ("USR-03", "diego"): ("drifted", "new"),
        ("USR-09", "*"): ("drifted", "still"),
    }
