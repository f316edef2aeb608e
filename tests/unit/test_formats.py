"""Every format against its official schema or reader, what each makes of the six outcomes, and that nothing else is in the way."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from hubspec.model import Record
from hubspec.report.csv import COLUMNS, text
from hubspec.report.formats import DEFAULT, FORMATS, chosen
from hubspec.report.oscal import token
from tests.readers import MAP, READ, made, rows, sarif
from tests.records import HOSTILE, drifted, many, one_of_each, record, run


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


@pytest.mark.parametrize("name", FORMATS)
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
    assert [(one["status"], one["deadline"]) for one in result["risks"]] == [
        ("deviation-approved", "2026-07-01T00:00:00+00:00")
    ]
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


def test_formats_are_chosen_by_name() -> None:
    assert chosen(None) == chosen("") == list(DEFAULT)
    assert chosen("sarif, html,html") == ["html", "sarif"]
    assert chosen("all") == list(FORMATS)
    with pytest.raises(ValueError, match=r"there is no format 'sarf'; did you mean 'sarif'\?"):
        chosen("html,sarf")


@pytest.mark.parametrize("name", ["ocsf", "sarif", "oscal", "hdf", "csv", "allure"])
def test_a_writer_holds_no_copy_of_the_records(name: str) -> None:
    records = many(1000)
    told = run(frameworks=[MAP])
    assert list(FORMATS[name].render(records, told)), "the ids that several formats share are kept from here on"
    tracemalloc.start()
    try:
        size = sum(len(piece if isinstance(piece, str) else piece[1]) for piece in FORMATS[name].render(records, told))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < size / 2
