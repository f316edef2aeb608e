"""Every format against its official schema or reader, what each makes of the six outcomes, and that nothing else is in the way."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import jsonschema
import junitparser
import pytest
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from trestle.oscal.assessment_results import Model as AssessmentResults

from hubspec.model import Framework, Outcome, Record, Requirement, Run
from hubspec.report.csv import COLUMNS, text
from hubspec.report.formats import ALLURE, DEFAULT, FORMATS, chosen
from hubspec.report.oscal import token
from tests.conftest import ROOT
from tests.records import HOSTILE, drifted, many, one_of_each, record, run

MAP = Framework(
    id="NIST 800-53",
    title="NIST SP 800-53",
    version="5.1.1",
    source="https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final",
    requirements={
        "CM-2": Requirement(title="Baseline Configuration", controls=["PKG-01"]),
        "PE-1": Requirement(title="Nobody looks at it"),
    },
)
WRITTEN = [name for name in FORMATS if name != ALLURE]


def made(name: str, records: list[Record], of: Run | None = None) -> str:
    return "".join(FORMATS[name].render(records, of or run(frameworks=[MAP])))


def schema(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / "tests" / "schemas" / name).read_text())
    return document


def junit(document: str) -> list[Any]:
    return [case for suite in junitparser.JUnitXml.fromstring(document.encode()) for case in suite]


def ocsf(document: str) -> list[Any]:
    """Return the findings; a key that the models of OCSF do not have is one that we made up."""
    found = json.loads(document)
    for one in found:
        compliance = {key: value for key, value in one["compliance"].items() if key not in _NEWER}
        ComplianceFinding.model_validate(one | {"compliance": compliance}, extra="forbid")
    return found  # type: ignore[no-any-return]


_NEWER = {"status"}
"""Of `compliance`: in the schema since 1.0, and not in the models."""


def sarif(document: str) -> list[Any]:
    log = json.loads(document)
    jsonschema.Draft4Validator(schema("sarif-2.1.0.schema.json")).validate(log)
    rules = [rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]]
    results: list[Any] = log["runs"][0]["results"]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in results)
    return results


def oscal(document: str) -> list[Any]:
    AssessmentResults.model_validate_json(document)
    result = json.loads(document)["assessment-results"]["results"][0]
    ids = {one["uuid"] for one in result.get("observations", [])}
    related = {o["observation-uuid"] for one in result.get("findings", []) for o in one["related-observations"]}
    assert related <= ids
    return result.get("observations", [])  # type: ignore[no-any-return]


def hdf(document: str) -> list[Any]:
    read = json.loads(document)
    jsonschema.Draft202012Validator(schema("hdf-exec.schema.json")).validate(read)
    return [result for control in read["profiles"][0]["controls"] for result in control["results"]]


def rows(document: str) -> list[Any]:
    assert document.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(document, newline=""), strict=True))


READ: dict[str, Callable[[str], list[Any]]] = {
    "junit": junit, "ocsf": ocsf, "sarif": sarif, "oscal": oscal, "hdf": hdf, "csv": rows,
}  # fmt: skip
SAYS: dict[str, Callable[[Any], object]] = {
    "junit": lambda case: [type(one).__name__ for one in case.result],
    "ocsf": lambda one: (one["compliance"]["status"], one["status"], one["activity_name"]),
    "sarif": lambda one: (one["kind"], one["level"] != "none", "suppressions" in one),
    "oscal": lambda one: next(prop["value"] for prop in one["props"] if prop["name"] == "outcome"),
    "hdf": lambda one: (one["status"], "skip_message" in one),
    "csv": lambda one: one["outcome"],
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
}  # fmt: skip
"""Format -> what it says of each outcome, in the order of Outcome; docs/reports.md has the same table."""


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("outcome", Outcome)
def test_what_a_format_makes_of_an_outcome(name: str, outcome: Outcome) -> None:
    one = next(record for record in one_of_each() if record.outcome is outcome)
    (told,) = READ[name](made(name, [one]))
    assert SAYS[name](told) == TOLD[name][list(Outcome).index(outcome)]


def test_the_tables_are_about_every_format() -> None:
    assert {*READ, "html", "markdown", ALLURE} == set(FORMATS)
    page = (ROOT / "docs" / "reports.md").read_text()
    assert [name for name, one in FORMATS.items() if f"| `{name}` | `{one.file}" not in page] == []
    assert [outcome for outcome in Outcome if f"| {outcome} |" not in page] == []


@pytest.mark.parametrize("name", READ)
def test_a_large_report_has_every_record_and_is_what_its_readers_take(name: str) -> None:
    assert len(READ[name](made(name, many(240)))) == 240


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("what", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_leaves_a_report_whole(name: str, what: str) -> None:
    action = {"sentence": what, "door": "hub", "request": what, "command": what, "safety": "safe", "result": what}
    waiver = {"reason": what, "owner": what, "ticket": what, "until": what}
    one = drifted(
        outcome="waived", cluster=what, kind=what, resource=what, test=f"a::{what}", control=what, message=what, title=what,
        why=what, tags={what: [what]}, declared_at=what, evidence=what, actions=[action], waiver=waiver,
        differences=[{"field": what, "wanted": what, "found": what}], details=[{"title": what, "text": what}],
        expected={what: what}, before={what: [what]},
    )  # fmt: skip
    told = run(command=what, notices=[what], clusters=[what], baselines=[what])
    assert len(READ[name](made(name, [one, one], told))) == 2


@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_records_give_the_same_bytes(name: str) -> None:
    records = [*one_of_each(), *many(40)]
    assert made(name, records) == made(name, [Record.model_validate(one.model_dump()) for one in records])


@pytest.mark.parametrize("name", READ)
def test_a_run_without_records_and_frameworks_is_a_report(name: str) -> None:
    assert READ[name](made(name, [], run())) == []


def test_ids_of_a_check_stay_from_run_to_run_and_those_of_a_run_do_not() -> None:
    one, other = (json.loads(made("ocsf", [record()], run(id=id_)))[0] for id_ in ("run-1", "run-2"))
    assert one["finding_info"]["uid"] == other["finding_info"]["uid"]
    assert one["metadata"]["uid"] != other["metadata"]["uid"]
    ids = [result["partialFingerprints"]["hubspec/v1"] for result in sarif(made("sarif", many(240)))]
    assert len(set(ids)) == len(ids)


def test_requirements_reach_the_formats_that_have_a_place_for_them() -> None:
    records = one_of_each()
    log = json.loads(made("sarif", records))["runs"][0]
    taxa = {
        one["name"]: {taxon["id"]: taxon["properties"]["standing"] for taxon in one["taxa"]}
        for one in log["taxonomies"]
    }
    assert taxa == {
        "NIST 800-53": {"CM-2": "failed", "CM-6": "failed", "PE-1": "not covered"},
        "CIS": {"2.1": "failed"},
    }
    assert "NIST 800-53/CM-2" in log["tool"]["driver"]["rules"][0]["properties"]["tags"]
    result = json.loads(made("oscal", records))["assessment-results"]["results"][0]
    states = {one["target"]["target-id"]: one["target"]["status"]["state"] for one in result["findings"]}
    assert len(states) == 3
    assert set(states.values()) == {"not-satisfied"}
    assert [one["status"] for one in result["risks"]] == ["deviation-approved"]
    finding = json.loads(made("ocsf", records))[0]
    assert finding["compliance"]["requirements"] == ["NIST 800-53 CM-2", "NIST 800-53 CM-6", "CIS 2.1"]
    assert finding["compliance"]["standards"] == ["NIST SP 800-53 5.1.1", "CIS"]
    nist = record(tags={"nist-800-53": ["AC-2(3)", "AC-2"], "soc2": ["CC6.1"]})
    tags = json.loads(made("hdf", [nist]))["profiles"][0]["controls"][0]["tags"]
    assert (tags["nist"], tags["soc2"]) == (["AC-2 (3)", "AC-2"], ["CC6.1"])
    assert rows(made("csv", [nist]))[0]["requirements"] == "nist-800-53 AC-2(3); nist-800-53 AC-2; soc2 CC6.1"


@pytest.mark.parametrize(
    ("framework", "requirement", "id_"),
    [
        ("nist-800-53", "AC-2", "ac-2"),
        ("nist-800-53", "AC-2(3)", "ac-2.3"),
        ("cis-docker", "5.10", "cis-docker_5.10"),
        ("soc2", "CC6.1", "soc2_CC6.1"),
    ],
)
def test_ids_of_requirements_in_oscal(framework: str, requirement: str, id_: str) -> None:
    assert token(framework, requirement) == id_
    assert token("a b", "c") != token("a_b", "c")


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\\t=1"), ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"), ("\u200b=1", "\\u200b=1"), ("a=1", "a=1"), ("", ""), ("two\nlines", "two\nlines"), ("\r=1", "\\r=1"),
    ],
)  # fmt: skip
def test_no_cell_is_a_formula(cell: str, shown: str) -> None:
    assert text(cell).lstrip("'") == shown.lstrip("'")
    assert text(cell)[:1] not in {"=", "+", "-", "@", "\t", "\r"}


def test_csv_reads_back_as_it_was() -> None:
    one = drifted(message='He said "no", then;\nleft', evidence="-rm =1")
    (read,) = rows(made("csv", [one]))
    assert list(read) == list(COLUMNS)
    assert read["message"] == one.message
    assert read["evidence"] == "'-rm =1"
    assert json.loads(read["differences"]) == one.differences


@pytest.mark.parametrize("count", [1, 60, 6000])
def test_the_summary_fits_a_message_and_begins_with_the_worst(count: int) -> None:
    summary = made("markdown", [*one_of_each(), *many(count)])
    assert len(summary) <= 3500
    assert summary.startswith("## Not compliant\n")
    found = summary.split("### Drifted")[1].splitlines()
    assert found[2].startswith("- **critical** `USR-01` `user ")
    assert ("- and " in summary) == (count == 6000)
    assert "exit code 1" in summary
    assert summary.count("\n| ") == 2 + len({one.cluster for one in [*one_of_each(), *many(count)]})


def test_no_half_of_a_command_is_in_the_summary() -> None:
    for command in ("x" * 161, "echo `id`", "a | b"):
        action = drifted().actions[0] | {"command": command}
        assert "; next: `Install numpy 1.26.4 with conda.`\n" in made("markdown", [drifted(actions=[action])])
    assert f"; next: `{drifted().actions[0]['command']}`\n" in made("markdown", [drifted()])


@pytest.mark.parametrize("what", [*HOSTILE, "a `b` c | d", "@here <!channel> ![x](https://leak.invalid)"])
def test_what_was_found_is_no_markup_in_the_summary(what: str) -> None:
    one = drifted(resource=what, cluster=what, message=what)
    spans = made("markdown", [one], run(notices=[what])).split("`")
    assert len(spans) % 2 == 1
    assert not any(mark in "".join(spans[::2]) for mark in ("<", "@", "![", "leak.invalid", "javascript"))


def test_formats_are_chosen_by_name() -> None:
    assert chosen(None) == chosen("") == list(DEFAULT)
    assert chosen("sarif, html,html") == ["html", "sarif"]
    assert chosen("all") == list(FORMATS)
    with pytest.raises(ValueError, match=r"there is no format 'sarf'; did you mean 'sarif'\?"):
        chosen("html,sarf")


@pytest.mark.parametrize("name", ["ocsf", "sarif", "oscal", "hdf", "csv"])
def test_a_writer_holds_no_copy_of_the_records(name: str) -> None:
    records = many(1000)
    told = run(frameworks=[MAP])
    next(iter(FORMATS[name].render(records[:1], told)))
    tracemalloc.start()
    try:
        size = sum(len(piece) for piece in FORMATS[name].render(records, told))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < size / 2
