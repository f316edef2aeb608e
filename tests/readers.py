"""Official schemas and readers of each format: what they take, as a list with an entry for each record.

Sources: allure-python-commons, py-ocsf-models, compliance-trestle, junitparser, the standard library's csv, and tests/schemas/.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import junitparser
from allure_commons import model2
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from trestle.oscal.assessment_results import Model as AssessmentResults

from hubspec.model import Framework, Record, Requirement, Run
from hubspec.report.formats import FORMATS
from tests.records import run

SCHEMAS = Path(__file__).parent / "schemas"

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


def made(name: str, records: list[Record], of: Run | None = None) -> str:
    """Return the text of a file; of a folder its results, and the names of its other files, as JSON."""
    pieces = list(FORMATS[name].render(records, of or run(frameworks=[MAP])))
    files = dict(piece for piece in pieces if isinstance(piece, tuple))
    if files:
        assert len(files) == len(pieces), "no file is written twice"
        results = [json.loads(content) for file, content in files.items() if file.endswith("-result.json")]
        return json.dumps({"results": results, "others": [file for file in files if "-result." not in file]})
    return "".join(piece for piece in pieces if isinstance(piece, str))


def schema(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((SCHEMAS / name).read_text())
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


def allure(document: str) -> list[Any]:
    """Return the results; a key that Allure's own model does not have is one that we made up."""
    found = json.loads(document) if document else {"results": [], "others": []}
    for result in found["results"]:
        model2.TestResult(**result)
        for key, model in _ALLURE.items():
            assert all(isinstance(model(**one), model) for one in result[key])
        for step in result["steps"]:
            assert [model2.Parameter(**one) for one in step["parameters"]]
        assert {one["source"] for one in result["attachments"]} <= set(found["others"])
        model2.StatusDetails(**result.get("statusDetails", {}))
    assert len({result["uuid"] for result in found["results"]}) == len(found["results"])
    return found["results"]  # type: ignore[no-any-return]


_ALLURE = {
    "labels": model2.Label, "links": model2.Link, "steps": model2.TestStepResult, "parameters": model2.Parameter,
    "attachments": model2.Attachment,
}  # fmt: skip


def rows(document: str) -> list[Any]:
    assert document.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(document, newline=""), strict=True))


READ: dict[str, Callable[[str], list[Any]]] = {
    "junit": junit, "ocsf": ocsf, "sarif": sarif, "oscal": oscal, "hdf": hdf, "csv": rows, "allure": allure,
}  # fmt: skip

OUTCOME: dict[str, Callable[[Any], str]] = {
    "junit": lambda case: next(one.get("value") for one in case._elem.iter("property") if one.get("name") == "outcome"),
    "ocsf": lambda one: one["status_code"],
    "sarif": lambda one: one["properties"]["outcome"],
    "oscal": lambda one: next(prop["value"] for prop in one["props"] if prop["name"] == "outcome"),
    "csv": lambda one: one["outcome"],
    "allure": lambda one: next(label["value"] for label in one["labels"] if label["name"] == "outcome"),
}
"""Format -> where the outcome itself stands in an entry."""
