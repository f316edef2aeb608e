"""What each format makes of the six outcomes; docs/reports.md has the same table. HTML's is in test_report_html.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hubspec.model import Outcome
from hubspec.report.formats import FORMATS
from tests.conftest import ROOT
from tests.readers import OUTCOME, READ, made
from tests.records import WHEN, drifted, one_of_each, record, run

SAYS: dict[str, Callable[[Any], object]] = {
    "junit": lambda case: [type(one).__name__ for one in case.result],
    "ocsf": lambda one: (one["compliance"]["status"], one["status"], one["activity_name"]),
    "sarif": lambda one: (one["kind"], one["level"] != "none", "suppressions" in one),
    "oscal": OUTCOME["oscal"],
    "hdf": lambda one: (one["status"], "skip_message" in one),
    "csv": OUTCOME["csv"],
    "allure": lambda one: (one["status"], bool(one["attachments"]), "statusDetails" in one),
}
TOLD = {
    #               compliant              fixed                        drifted                  waived                          unreadable                   not applicable
    "junit": ([], [], ["Failure"], ["Skipped"], ["Error"], ["Skipped"]),
    "ocsf": (("Pass", "Compliant", "Create"), ("Pass", "Resolved", "Close"), ("Fail", "New", "Create"),
             ("Fail", "Suppressed", "Create"), ("Warning", "New", "Create"), ("Not Applicable", "Not Applicable", "Create")),
    "sarif": (("pass", False, False), ("pass", False, False), ("fail", True, False),
              ("fail", True, True), ("open", False, False), ("notApplicable", False, False)),
    "oscal": tuple(str(outcome) for outcome in Outcome),
    "hdf": (("passed", False), ("passed", False), ("failed", False), ("skipped", True), ("error", False), ("skipped", True)),
    "csv": tuple(str(outcome) for outcome in Outcome),
    "allure": (("passed", False, False), ("passed", True, True), ("failed", True, True),
               ("skipped", True, True), ("broken", False, True), ("skipped", False, True)),
}  # fmt: skip
"""Format -> what it says of each outcome, in the order of Outcome; docs/reports.md has the same table."""


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("outcome", Outcome)
def test_what_a_format_makes_of_an_outcome(name: str, outcome: Outcome) -> None:
    one = next(record for record in one_of_each() if record.outcome is outcome)
    (told,) = READ[name](made(name, [one]))
    assert SAYS[name](told) == TOLD[name][list(Outcome).index(outcome)]
    assert OUTCOME.get(name, lambda _: outcome)(told) == outcome


def test_the_tables_are_about_every_format() -> None:
    assert {*READ, "html", "markdown", "code-scanning"} == set(FORMATS)
    page = (ROOT / "docs" / "reports.md").read_text()
    assert [name for name, one in FORMATS.items() if f"| `{name}` | `{one.file}" not in page] == []
    assert [outcome for outcome in Outcome if f"| {outcome} |" not in page] == []


@pytest.mark.parametrize("outcome", Outcome)
def test_what_the_summary_makes_of_an_outcome(outcome: Outcome) -> None:
    one = next(record for record in one_of_each() if record.outcome is outcome)
    summary = made("markdown", [one])
    cells = next(line for line in summary.splitlines() if line.startswith(f"| `{one.cluster}`")).split(" | ")
    assert [int(cell.strip(" |")) for cell in cells[1:]] == [int(other is outcome) for other in Outcome]
    assert ("### Drifted (1)" in summary) == (outcome is Outcome.DRIFTED)
    assert ("### Could not be looked at (1)" in summary) == (outcome is Outcome.UNREADABLE)


CHANGES = ("new", "regressed", "still", "fixed", None)
CHANGED = {
    #        new, regressed, still, fixed since the last run, as it was
    "junit": ("new", "regressed", "still", "fixed", None),
    "ocsf": ("Create", "Create", "Update", "Close", "Create"),
    "sarif": ("new", "new", "unchanged", "updated", "unchanged"),
    "oscal": ("new", "regressed", "still", "fixed", None),
    "csv": ("new", "regressed", "still", "fixed", ""),
    "allure": ("new", "regressed", "still", "fixed", None),
}  # fmt: skip
HOW: dict[str, Callable[[Any], object]] = {
    "junit": lambda case: next(
        (p.get("value") for p in case._elem.iter("property") if p.get("name") == "change"), None
    ),
    "ocsf": lambda one: one["activity_name"],
    "sarif": lambda one: one["baselineState"],
    "oscal": lambda one: next((prop["value"] for prop in one["props"] if prop["name"] == "change"), None),
    "csv": lambda one: one["change"],
    "allure": lambda one: next((label["value"] for label in one["labels"] if label["name"] == "change"), None),
}


@pytest.mark.parametrize("name", CHANGED)
@pytest.mark.parametrize("change", CHANGES)
def test_what_a_format_makes_of_the_change_since_the_last_run(name: str, change: str | None) -> None:
    one = record(change=change) if change in {"fixed", None} else drifted(change=change, since=WHEN)
    (told,) = READ[name](made(name, [one], run(compared=True, last={"run": "run-0", "seen": "2026-03-03"})))
    assert HOW[name](told) == CHANGED[name][CHANGES.index(change)]


def test_the_summary_counts_what_changed_and_names_the_new_first() -> None:
    records = [drifted(resource="a", change="still"), drifted(resource="b", change="new"), record(change="fixed")]
    summary = made("markdown", records, run(compared=True, last={"run": "run-0", "seen": "2026-03-03"}))
    assert "Since the last run: 1 new, 1 still, 1 fixed." in summary
    assert summary.index("- **high, new** `PKG-01` `package b`") < summary.index("- **high** `PKG-01` `package a`")
    assert "Since the last run" not in made("markdown", records, run(compared=True))
