"""`report.sarif`: SARIF 2.1.0, a rule for each control, a result for each record, a taxonomy for each framework.

Source: OASIS Static Analysis Results Interchange Format 2.1.0, sections 3.27 (result) and 3.19.3 (taxonomies).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from hubspec.framework import coverage
from hubspec.model import Outcome, Record, Run, Severity
from hubspec.report.common import about, identity, member, opened, place, remediation, seen, uid, waived

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
KIND = {
    Outcome.COMPLIANT: "pass",
    Outcome.FIXED: "pass",
    Outcome.DRIFTED: "fail",
    Outcome.WAIVED: "fail",
    Outcome.UNREADABLE: "open",
    Outcome.NOT_APPLICABLE: "notApplicable",
}
"""A waived failure is suppressed; 'open' is what the tool could not decide."""
LEVEL = {Severity.LOW: "note", Severity.MEDIUM: "warning", Severity.HIGH: "error", Severity.CRITICAL: "error"}
_SCORE = {Severity.LOW: "2.0", Severity.MEDIUM: "5.5", Severity.HIGH: "8.0", Severity.CRITICAL: "9.5"}
"""GitHub's `security-severity`, in the middle of the CVSS range of each word."""
_SINCE = {"new": "new", "regressed": "new", "still": "unchanged", "fixed": "updated", None: "unchanged"}
"""What a record says of the change since the last run, as `baselineState`."""
_DONE = {0, 1}
"""Exit codes of a run that looked at everything."""


def render(records: Sequence[Record], run: Run) -> Iterator[str]:
    """Yield the log: its one run with tool, taxonomies and invocation, then a line for each result."""
    rules = {record.control: record for record in reversed(records)}
    number = {control: index for index, control in enumerate(sorted(rules))}
    driver = {
        "name": "hubspec",
        "version": run.version,
        "supportedTaxonomies": [{"name": one["name"], "guid": one["guid"]} for one in _taxonomies(records, run)],
        "rules": [rule(rules[control]) for control in number],
    }
    head = {
        "tool": {"driver": driver},
        "taxonomies": _taxonomies(records, run),
        "automationDetails": {"id": f"hubspec/{run.id}"},
        "invocations": [invocation(run)],
    }
    yield opened({"$schema": SCHEMA, "version": "2.1.0"}) + ', "runs": [' + opened(head)
    yield from member("results", (_result(record, number, run) for record in records), always=True)
    yield "}]}\n"


def rule(record: Record) -> dict[str, Any]:
    """Return the rule that a control is."""
    tags = [f"{name}/{id_}" for name, ids in record.tags.items() for id_ in ids]
    return {
        "id": record.control,
        "shortDescription": {"text": record.title},
        "fullDescription": {"text": record.why},
        "help": {"text": f"{record.title}. {record.why}"},
        "defaultConfiguration": {"level": LEVEL[record.severity]},
        "relationships": [
            {"target": {"id": id_, "toolComponent": {"name": name}}, "kinds": ["relevant"]}
            for name, ids in record.tags.items()
            for id_ in ids
        ],
        "properties": {"tags": list(dict.fromkeys(["security", *tags])), "security-severity": _SCORE[record.severity]},
    }


def _taxonomies(records: Sequence[Record], run: Run) -> list[dict[str, Any]]:
    known = {one.id: one for one in run.frameworks}
    taxa: dict[str, list[dict[str, Any]]] = {}
    for point in coverage(records, run.frameworks):
        told: dict[str, Any] = {"id": point.requirement, "properties": {"standing": point.standing.value}}
        if point.title:
            told["shortDescription"] = {"text": point.title}
        taxa.setdefault(point.framework, []).append(told)
    made = []
    for name, members in taxa.items():
        one: dict[str, Any] = {"name": name, "guid": uid("taxonomy", name), "taxa": members}
        if name in known:
            extra = {"version": known[name].version, "informationUri": known[name].source}
            one |= {"shortDescription": {"text": known[name].title}} | {
                key: text for key, text in extra.items() if text
            }
        made.append(one)
    return made


def invocation(run: Run) -> dict[str, Any]:
    """Return how the run was called, and how it ended."""
    return {
        "executionSuccessful": run.exit_code in _DONE,
        "exitCode": run.exit_code,
        "commandLine": run.command,
        "startTimeUtc": f"{run.started:%Y-%m-%dT%H:%M:%SZ}",
        "endTimeUtc": f"{run.finished:%Y-%m-%dT%H:%M:%SZ}",
        "toolExecutionNotifications": [{"level": "warning", "message": {"text": notice}} for notice in run.notices],
    }


def uri(file: str) -> str:
    """Return a file as a URI: relative to the folder of the run, or with a scheme where it is anywhere."""
    return f"file://{quote(file)}" if file.startswith("/") else quote(file)


def text_of(record: Record) -> str:
    """Return what a record says, with its cluster: many readers show a result's text and its file, and nothing more.

    In SARIF `[a](b)` is a link (section 3.11.6). What was found on a cluster is none.
    """
    return f"{record.cluster}: {record.message or record.outcome.value}".replace("](", "] (")


def _result(record: Record, number: dict[str, int], run: Run) -> dict[str, Any]:
    kind = KIND[record.outcome]
    file, line = place(record)
    where: dict[str, Any] = {"artifactLocation": {"uri": uri(file)}}
    if line:
        where["region"] = {"startLine": line}
    full = f"{record.cluster}/{record.kind}/{record.resource}"
    made: dict[str, Any] = {
        "ruleId": record.control,
        "ruleIndex": number[record.control],
        "kind": kind,
        "level": LEVEL[record.severity] if kind == "fail" else "none",
        "message": {"text": text_of(record)},
        "locations": [
            {
                "physicalLocation": where,
                "logicalLocations": [{"name": about(record), "fullyQualifiedName": full, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"hubspec/v1": uid("finding", *identity(record))},
        "properties": {
            "outcome": record.outcome.value,
            "severity": record.severity.value,
            "cluster": record.cluster,
            "evidence": seen(record),
        },
    }
    if run.last:
        made["baselineState"] = _SINCE[record.change]
    if record.change:
        made["properties"]["change"] = record.change
    if record.actions:
        made["properties"]["remediation"] = remediation(record)
    if record.outcome is Outcome.WAIVED:
        made["suppressions"] = [{"kind": "external", "status": "accepted", "justification": waived(record) or "waived"}]
    return made
