"""Three breaks of the lab, one waived, one put right and one left: every format tells exactly these."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import lab
from lab import breaks
from tests.conftest import ROOT, Audit
from tests.readers import OUTCOME, READ

BASELINE = f"""
extends: {ROOT}/baselines/lab.yaml
waivers:
  default: {{control: USR-02, resource: jovyan, reason: agreed, owner: ana, ticket: T-1, until: "2099-12-31"}}
"""


def test_every_format_tells_the_same_three(audit: Audit, tmp_path: Path) -> None:
    (tmp_path / "baseline.yaml").write_text(BASELINE)
    lab.up(print)
    broken = ("diego-missing", "default-password", "user-stray")
    try:
        for name in broken:
            breaks.apply(name)
        asked = ("--baseline", str(tmp_path / "baseline.yaml"), "--remediate=safe", "--report", "all")
        run = audit("--cluster", "lab", *asked, checks="checks/test_users.py")
    finally:
        for name in broken:
            breaks.mend(name)

    told = {(one["control"], one["resource"]): one["outcome"] for one in run.records if one["outcome"] != "compliant"}
    assert run.code == 1, run.text
    assert told.pop(("USR-01", "diego")) == "fixed"
    assert told.pop(("USR-02", "jovyan")) == "waived"
    assert told.pop(("USR-09", "*")) == "drifted"
    assert set(told.values()) <= {"fixed"}, "the other controls of diego"
    latest, count = run.folder / "latest", Counter(one["outcome"] for one in run.records)
    files = {"junit": "junit.xml", "ocsf": "ocsf.json", "sarif": "report.sarif", "csv": "records.csv"}
    for name, file in (files | {"oscal": "oscal-assessment-results.json"}).items():
        found = READ[name]((latest / file).read_bytes().decode())
        assert Counter(map(OUTCOME[name], found)) == count, name
    hdf = Counter(result["status"] for result in READ["hdf"]((latest / "hdf.json").read_text()))
    assert hdf == {"failed": 1, "skipped": 1, "passed": len(run.records) - 2}
    results = [json.loads(path.read_text()) for path in (latest / "allure-results").glob("*-result.json")]
    labels = Counter(one["value"] for result in results for one in result["labels"] if one["name"] == "outcome")
    assert labels == count
    fixed = next(result for result in results if {"name": "outcome", "value": "fixed"} in result["labels"])
    assert {step["status"] for step in fixed["steps"]} == {"passed"}, "what was done is told as done"
    assert "undeclared users: mallory" in (latest / "summary.md").read_text()
