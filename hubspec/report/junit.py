"""`junit.xml`: a drift is a failure, what could not be looked at an error, waived and not applicable are skipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

from hubspec.model import Outcome, Record, Run
from hubspec.printable import printable
from hubspec.report.text import scene

_TAG = {
    Outcome.DRIFTED: "failure",
    Outcome.UNREADABLE: "error",
    Outcome.WAIVED: "skipped",
    Outcome.NOT_APPLICABLE: "skipped",
}


def render(records: Sequence[Record], run: Run) -> str:
    """Return the records as JUnit XML: one suite for each cluster and kind, severity and outcome as properties.

    The time of a suite is that of the round trip that read it; a check itself takes none.
    """
    top = ET.Element("testsuites", {"name": "hubspec"} | _counts(records))
    for (cluster, kind), group in groupby(records, key=lambda record: (record.cluster, record.kind)):
        cases = list(group)
        names = {"name": printable(f"{cluster}.{kind}"), "timestamp": f"{run.started:%Y-%m-%dT%H:%M:%S}"}
        suite = ET.SubElement(top, "testsuite", names | _counts(cases))
        for record in cases:
            _case(suite, record)
    return ET.tostring(top, encoding="unicode", xml_declaration=True)


def _case(suite: ET.Element, record: Record) -> None:
    name = printable(record.test.partition("::")[2])
    case = ET.SubElement(suite, "testcase", classname=printable(f"{record.cluster}.{record.kind}"), name=name, time="0")
    properties = ET.SubElement(case, "properties")
    for key in ("control", "severity", "outcome", "kind", "resource", "cluster"):
        ET.SubElement(properties, "property", name=key, value=printable(str(getattr(record, key))))
    if record.change:
        ET.SubElement(properties, "property", name="change", value=record.change)
    for framework, ids in record.tags.items():
        ET.SubElement(properties, "property", name=printable(framework), value=printable(", ".join(ids)))
    tag = _TAG.get(record.outcome)
    if tag:
        ET.SubElement(case, tag, type=record.outcome.value, message=printable(record.message)).text = scene(record)


def _counts(records: Sequence[Record]) -> dict[str, str]:
    tags = Counter(_TAG.get(record.outcome) for record in records)
    counts = {"tests": len(records), "failures": tags["failure"], "errors": tags["error"], "skipped": tags["skipped"]}
    reading = max(record.took for record in records) if records else 0
    return {name: str(count) for name, count in counts.items()} | {"time": f"{reading:.3f}"}
