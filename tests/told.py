"""What each format of a report says of each check: control, resource, outcome, and the change since the last run.

An empty outcome or change is one for which a format has no place: docs/reports.md says which.
"""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hubspec.model import Outcome
from tests.readers import OUTCOME, READ

Said = tuple[str, str, str, str]
_HDF = {"passed": {"compliant", "fixed"}, "failed": {"drifted"}, "skipped": {"waived", "not applicable"}, "error": {"unreadable"}}  # fmt: skip
_ROW = re.compile(r'<details id="[^"]*" data-f="[^"]*" class="[^"]*"><summary><b>([^<]*)</b> .*?<code>([^<]*)</code>.*?</small> ([^<]*)(?: <em>([^<]*)</em>)?</span>')  # fmt: skip


def _named(pairs: list[dict[str, Any]]) -> dict[str, str]:
    return {one["name"]: one["value"] for one in pairs}


def _junit(case: Any) -> Said:
    said = {one.get("name"): one.get("value") for one in case._elem.iter("property")}
    return said["control"], said["resource"], said["outcome"], said.get("change", "")


def _oscal(one: dict[str, Any]) -> Said:
    said = _named(one["props"])
    return said["control"], said["resource"], said["outcome"], said.get("change", "")


_ENTRY: dict[str, Callable[[Any], Said]] = {
    "junit": _junit,
    "oscal": _oscal,
    "ocsf": lambda one: (one["metadata"]["event_code"], one["resources"][0]["name"], one["status_code"], one["unmapped"]["change"] or ""),
    "sarif": lambda one: (one["ruleId"], one["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].split("/", 2)[2], OUTCOME["sarif"](one), one["properties"].get("change", "")),
    "csv": lambda one: (one["control"], one["resource"], one["outcome"], one["change"]),
}  # fmt: skip
FILES = {
    "junit": "junit.xml", "oscal": "oscal-assessment-results.json", "ocsf": "ocsf.json", "sarif": "report.sarif", "csv": "records.csv",
}  # fmt: skip


def told(folder: Path) -> Iterator[tuple[str, list[Said]]]:
    """Yield format -> what it says of each check, in any order, of each that says all of it."""
    for name, file in FILES.items():
        yield name, sorted(map(_ENTRY[name], READ[name]((folder / file).read_bytes().decode())))
    yield "html", rows_of((folder / "report.html").read_text())


def rows_of(page: str) -> list[Said]:
    """Return the same of the HTML report."""
    rows = [tuple(html.unescape(cell).strip() for cell in row) for row in _ROW.findall(page)]
    return sorted((control, resource, outcome, change) for outcome, control, resource, change in rows)


def of_records(records: list[dict[str, Any]]) -> list[Said]:
    """Return the same of the records themselves."""
    return sorted((one["control"], one["resource"], one["outcome"], one["change"] or "") for one in records)


def allure(folder: Path) -> list[tuple[str, str]]:
    """Return control and outcome of each of Allure's results; a control is the first of its tags."""
    results = [json.loads(path.read_text()) for path in (folder / "allure-results").glob("*-result.json")]
    labels = [[(label["name"], label["value"]) for label in one["labels"]] for one in results]
    return sorted((next(value for name, value in said if name == "tag"), dict(said)["outcome"]) for said in labels)


def hdf_agrees(folder: Path, records: list[dict[str, Any]]) -> bool:
    """Say whether HDF has, of each control, as many of each of its four statuses as the records have outcomes for it."""
    document = (folder / "hdf.json").read_text()
    READ["hdf"](document)
    controls = json.loads(document)["profiles"][0]["controls"]
    found = Counter((one["id"], result["status"]) for one in controls for result in one["results"])
    status = {outcome: status for status, outcomes in _HDF.items() for outcome in outcomes}
    assert status.keys() == set(Outcome)
    return found == Counter((one["control"], status[one["outcome"]]) for one in records)


def summary(folder: Path) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return the counts of outcomes in the Markdown summary, and control and state of each drift that it lists."""
    text = (folder / "summary.md").read_text()
    head, row = (line.strip("| ").split(" | ") for line in re.findall(r"^\| .*\|$", text, re.MULTILINE)[::2][:2])
    listed = re.findall(r"^- \*\*\w+(?:, (\w+))?\*\* `([^`]+)`", text, re.MULTILINE)
    return {name: int(count) for name, count in zip(head[1:], row[1:], strict=True)}, [(control, change) for change, control in listed]  # fmt: skip
