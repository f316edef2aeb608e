"""`ocsf.json`: OCSF 1.5.0 Compliance Findings (class_uid 2003), one a record, in a JSON array.

Source: the Open Cybersecurity Schema Framework, https://schema.ocsf.io/1.5.0/classes/compliance_finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hubspec.model import Outcome, Record, Run, Severity
from hubspec.report.common import CAPTION, dumps, frameworks, identity, remediation, seen, uid

VERSION = "1.5.0"
PASS, WARNING, FAIL, OTHER = 1, 2, 3, 99
COMPLIANCE = {
    Outcome.COMPLIANT: (PASS, "Pass"),
    Outcome.FIXED: (PASS, "Pass"),
    Outcome.DRIFTED: (FAIL, "Fail"),
    Outcome.WAIVED: (FAIL, "Fail"),
    Outcome.UNREADABLE: (WARNING, "Warning"),
    Outcome.NOT_APPLICABLE: (OTHER, CAPTION[Outcome.NOT_APPLICABLE]),
}
"""`compliance.status`: a warning is 'no result for want of information'."""
STATUS = {
    Outcome.COMPLIANT: (OTHER, CAPTION[Outcome.COMPLIANT]),
    Outcome.FIXED: (4, "Resolved"),
    Outcome.DRIFTED: (1, "New"),
    Outcome.WAIVED: (3, "Suppressed"),
    Outcome.UNREADABLE: (1, "New"),
    Outcome.NOT_APPLICABLE: (OTHER, CAPTION[Outcome.NOT_APPLICABLE]),
}
"""`status`: how the finding itself stands."""
_SEVERITY = {Severity.LOW: 2, Severity.MEDIUM: 3, Severity.HIGH: 4, Severity.CRITICAL: 5}
_ACTIVITY = {"new": (1, "Create"), "regressed": (1, "Create"), "still": (2, "Update"), "fixed": (3, "Close")}
"""By the change since the last run; without one to compare with, what was put right is closed and all else created."""


def render(records: Iterable[Record], run: Run) -> Iterator[str]:
    """Yield the findings as one JSON array, a line each."""
    titles = frameworks(run)
    yield "["
    for number, record in enumerate(records):
        yield f"{',' if number else ''}\n{dumps(finding(record, run, titles))}"
    yield "\n]\n"


def finding(record: Record, run: Run, titles: dict[str, str]) -> dict[str, Any]:
    """Return one Compliance Finding. `uid` of `finding_info` is the same in each run, that of `metadata` in this one only."""
    change = record.change or ("fixed" if record.outcome is Outcome.FIXED else "new")
    activity_id, activity = _ACTIVITY[change]
    status_id, status = STATUS[Outcome.FIXED if change == "fixed" else record.outcome]
    when = int(record.started.timestamp() * 1000)
    severity = {"severity_id": _SEVERITY[record.severity], "severity": record.severity.value.title()}
    who = identity(record)
    made: dict[str, Any] = {
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": 200300 + activity_id,
        "type_name": f"Compliance Finding: {activity}",
        "time": when,
        **severity,
        "status_id": status_id,
        "status": status,
        "status_code": record.outcome.value,
        "status_detail": record.message,
        "message": record.message,
        "metadata": {
            "version": VERSION,
            "product": {"name": "hubspec", "vendor_name": "hubspec", "version": run.version},
            "uid": uid("ocsf", run.id, *who),
            "correlation_uid": run.id,
            "event_code": record.control,
        },
        "finding_info": {
            "uid": uid("finding", *who),
            "title": record.title,
            "desc": record.why,
            "types": [record.check],
            "created_time": int((record.since or record.started).timestamp() * 1000),
        },
        "compliance": _compliance(record, severity, titles),
        "resources": [
            {"uid": "/".join(who[:3]), "name": record.resource, "type": record.kind, "namespace": record.cluster}
        ],
        "evidences": [{"name": record.door, "data": seen(record)}],
        "unmapped": {
            "outcome": record.outcome.value,
            "change": record.change,
            "waiver": record.waiver,
            "declared_at": record.declared_at,
            "test": record.test,
            "took": record.took,
        },
    }
    if record.actions:
        made["remediation"] = {"desc": remediation(record)}
    return made


def _compliance(record: Record, severity: dict[str, Any], titles: dict[str, str]) -> dict[str, Any]:
    status_id, status = COMPLIANCE[record.outcome]
    said = {"status_id": status_id, "status": status}
    standards = [titles.get(name, name) for name, ids in record.tags.items() if ids]
    return {
        "control": record.control,
        "desc": record.title,
        "standards": standards,
        "requirements": [f"{name} {id_}" for name, ids in record.tags.items() for id_ in ids],
        **said,
        "checks": [
            {
                "uid": record.control,
                "name": record.title,
                "desc": record.why,
                "standards": standards,
                **severity,
                **said,
            }
        ],
    }
