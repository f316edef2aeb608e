"""What the matrix makes of the runs of a version, and how its page keeps what was measured before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab import matrix
from lab.compatibility import Row, notebook, written

CASES = """<testsuites><testsuite>
  <testcase name="test_break[diego-missing]"/>
  <testcase name="test_break[hub-down]"><failure message="AssertionError: assert 0 == 11&#10;more"/></testcase>
  <testcase name="test_break[token-stray]"><skipped message="a hub before 0.9 has nothing"/></testcase>
  <testcase name="test_break[token-eternal]"><skipped message="a hub before 0.9 has nothing"/></testcase>
  <testcase name="test_the_mends_left_it_as_declared"/>
</testsuite></testsuites>"""


def records(folder: Path, *told: tuple[str, str]) -> Path:
    path = folder / "records.jsonl"
    lines = [json.dumps({"check": check, "outcome": outcome, "message": "why"}) for check, outcome in told]
    path.write_text("\n".join(lines))
    return path


def test_outcomes_become_cells(tmp_path: Path) -> None:
    row = Row("0.8.1")
    told = [("declared", "compliant")] * 3 + [
        ("undeclared", "not applicable"),
        ("smoke", "compliant"),
        ("smoke", "not applicable"),
    ]
    matrix.audited(row, records(tmp_path, *told), 0)

    assert (row.checks, row.beyond, row.smoke, row.faults) == ("3 of 3", "2", "1 of 1", [])


@pytest.mark.parametrize("outcome", ["drifted", "unreadable"])
def test_what_is_not_compliant_is_a_fault(outcome: str, tmp_path: Path) -> None:
    row = Row("0.8.1")
    matrix.audited(row, records(tmp_path, ("declared", "compliant"), ("declared", outcome), ("smoke", outcome)), 1)

    assert (row.checks, row.smoke) == ("1 of 2", "0 of 1")
    assert row.faults == ["the audit's exit code is 1: why, and 1 more"]


def test_a_run_that_left_nothing_is_a_fault(tmp_path: Path) -> None:
    row = Row("0.8.1")
    matrix.audited(row, tmp_path / "none", 4)
    matrix.broken(row, tmp_path / "none", -1)

    assert row.faults == [
        "the audit's exit code is 4: it did not come to its end",
        "the breaks did not come to their end: exit code -1",
    ]


def test_breaks_are_counted_and_skips_have_their_reason(tmp_path: Path) -> None:
    row = Row("0.8.1")
    (tmp_path / "breaks.xml").write_text(CASES)
    matrix.broken(row, tmp_path / "breaks.xml", 1)

    assert row.breaks == "1 of 2, 2 skipped"
    assert row.faults == ["test_break[hub-down]: AssertionError: assert 0 == 11"]
    assert row.notes() == [
        "- 0.8.1: **failed**: test_break[hub-down]: AssertionError: assert 0 == 11",
        "- 0.8.1: 2 skipped: a hub before 0.9 has nothing",
    ]


def test_a_version_measured_anew_leaves_the_others_as_they_were() -> None:
    first = written([Row("6.1.1", "8 of 8"), Row("0.8.1", "9 of 9", faults=["it broke"])], "")
    again = written([Row("0.8.1", "7 of 7")], first)

    assert [line.split(" | ")[0] for line in first.splitlines() if line.startswith("| ")][1:] == ["| 0.8.1", "| 6.1.1"]
    assert "- 0.8.1: **failed**: it broke" in first.splitlines()
    assert Row("6.1.1", "8 of 8").line() in again
    assert "9 of 9" not in again
    assert "it broke" not in again
    assert written([], again) == again


def test_the_page_tells_the_first_faults_and_how_many_more() -> None:
    row = Row("0.8.1", faults=[f"fault {number}" for number in range(7)])
    assert row.notes()[4:] == ["- 0.8.1: **failed**: fault 4", "- 0.8.1: **failed**: 2 more"]


def test_an_unknown_version_is_wrong_use(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "measure", pytest.fail)
    assert matrix.main(["0.8.1", "9.9"]) == 2
    assert "the lab has no hub 9.9" in capsys.readouterr().err


def test_the_notebook_is_that_of_the_image() -> None:
    assert notebook("1.5.0") == "6.4.12"
