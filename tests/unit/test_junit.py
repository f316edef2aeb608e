"""JUnit XML: which element each outcome becomes, the counts, and XML whatever was observed."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from hubspec.model import Outcome
from hubspec.report import jsonl, junit
from hubspec.report.text import scene
from tests.records import HOSTILE, drifted, many, one_of_each, run

ELEMENTS = {
    Outcome.COMPLIANT: None,
    Outcome.FIXED: None,
    Outcome.DRIFTED: "failure",
    Outcome.UNREADABLE: "error",
    Outcome.WAIVED: "skipped",
    Outcome.NOT_APPLICABLE: "skipped",
}


@pytest.mark.parametrize("made", one_of_each(), ids=lambda made: made.outcome.value)
def test_element_of_an_outcome(made: object) -> None:
    case = ET.fromstring(junit.render([made], run())).find("testsuite/testcase")  # type: ignore[list-item] # noqa: S314
    assert case is not None
    told = [child for child in case if child.tag != "properties"]
    assert [child.tag for child in told] == [one for one in [ELEMENTS[made.outcome]] if one]  # type: ignore[attr-defined]
    assert [child.text for child in told] == [scene(made) for _ in told]  # type: ignore[arg-type]
    assert {(one.get("name"), one.get("value")) for one in case.iter("property")} >= {
        ("outcome", made.outcome.value), ("control", made.control), ("NIST 800-53", "CM-2, CM-6"),  # type: ignore[attr-defined]
    }  # fmt: skip


def test_counts_and_suites() -> None:
    top = ET.fromstring(junit.render(one_of_each(), run()))  # noqa: S314 - our own
    assert {name: top.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6", "failures": "1", "errors": "1", "skipped": "2",
    }  # fmt: skip
    assert [suite.get("name") for suite in top] == [
        "research.package", "research.user", "research.package", "teaching.package", "research.kernel",
    ]  # fmt: skip
    assert all(len(suite) == int(suite.get("tests", "")) for suite in top)
    assert {suite.get("timestamp") for suite in top} == {"2026-03-04T05:06:07"}


def test_names_are_those_that_pytest_runs() -> None:
    case = ET.fromstring(junit.render([drifted()], run())).find("testsuite/testcase")  # noqa: S314
    assert case is not None
    assert (case.get("classname"), case.get("name")) == ("research.package", "test_declared[research-numpy]")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_it_is_xml_whatever_was_observed(text: str) -> None:
    action = {"sentence": text, "door": "hub", "request": text, "command": text, "safety": "safe", "result": None}
    made = drifted(
        cluster=text, resource=text, test=f"a::{text}", message=text, title=text, why=text, tags={text: [text]},
        declared_at=text, evidence=text, differences=[{"field": text, "wanted": text, "found": text}], actions=[action],
    )  # fmt: skip
    top = ET.fromstring(junit.render([made], run(command=text, notices=[text])))  # noqa: S314
    assert len(top.findall("testsuite/testcase/failure")) == 1
    assert len(list(top.iter())) == len(list(ET.fromstring(junit.render([drifted(tags={"a": []})], run())).iter()))  # noqa: S314


def test_no_records_make_an_empty_report() -> None:
    assert ET.fromstring(junit.render([], run())).get("tests") == "0"  # noqa: S314
    assert jsonl.render([]) == ""


def test_jsonl_is_one_record_a_line() -> None:
    made = many(20)
    lines = jsonl.render(made).splitlines()
    assert [type(made[0]).model_validate_json(line) for line in lines] == made
