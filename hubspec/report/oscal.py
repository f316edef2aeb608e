"""`oscal-assessment-results.json`: NIST OSCAL 1.1.3 assessment results.

An observation for each record, a finding for each requirement that something was held against, and an approved
deviation (a risk) for each waived drift. Source: https://pages.nist.gov/OSCAL-Reference/models/v1.1.3/assessment-results/.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from hubspec.framework import Standing, Standpoint, coverage
from hubspec.model import Outcome, Record, Run
from hubspec.printable import printable
from hubspec.report.common import about, dumps, frameworks, identity, member, opened, remediation, seen, uid, waived
from hubspec.waiver_time import end_of

VERSION = "1.1.3"
STATE = {
    Standing.FAILED: ("not-satisfied", "fail"),
    Standing.UNREADABLE: ("not-satisfied", "other"),
    Standing.WAIVED: ("not-satisfied", "other"),
    Standing.COVERED: ("satisfied", "pass"),
}
"""State and reason of a finding; a requirement that is not covered has none."""
_SPACE = "https://hubspec.example/ns/oscal"
_NIST = re.compile(r"([A-Z]{2}-\d+)(?:\((\d+)\))?")
_TOOL, _PLATFORM, _PLAN = uid("tool"), uid("platform"), uid("plan")


def render(records: Sequence[Record], run: Run) -> Iterator[str]:
    """Yield the document, a line for each observation, risk and finding."""
    points = [point for point in coverage(records, run.frameworks) if point.standing in STATE]
    of: dict[tuple[str, str], list[int]] = {}
    for number, record in enumerate(records):
        for framework, ids in record.tags.items():
            for id_ in ids:
                of.setdefault((framework, id_), []).append(number)
    yield '{"assessment-results": ' + opened(_head(run)) + ', "results": [' + opened(_result(run, records, points))
    yield from member("observations", (_observation(n, record, run) for n, record in enumerate(records)))
    yield from member("risks", (_risk(n, r, run) for n, r in enumerate(records) if r.outcome is Outcome.WAIVED))
    titles = frameworks(run)
    yield from member("findings", (_finding(p, titles, of[p.framework, p.requirement], records, run) for p in points))
    plan = {"uuid": _PLAN, "title": "Baselines", "description": word(", ".join(run.baselines))}
    yield '}], "back-matter": ' + dumps({"resources": [plan]}) + "}}\n"


def _head(run: Run) -> dict[str, Any]:
    return {
        "uuid": uid("oscal", run.id),
        "metadata": {
            "title": word(f"hubspec audit of {', '.join(run.clusters)}"),
            "last-modified": _utc(run.finished),
            "version": word(run.id),
            "oscal-version": VERSION,
        },
        "import-ap": {"href": f"#{_PLAN}", "remarks": "the baselines are the plan of the assessment"},
    }


def _result(run: Run, records: Sequence[Record], points: list[Standpoint]) -> dict[str, Any]:
    ids = dict.fromkeys(token(point.framework, point.requirement) for point in points)
    clusters = sorted({*run.clusters, *(record.cluster for record in records)})
    controls: dict[str, Any] = (
        {"include-controls": [{"control-id": id_} for id_ in ids]} if ids else {"include-all": {}}
    )
    return {
        "uuid": uid("result", run.id),
        "title": word(f"Run {run.id}"),
        "description": word(run.command),
        "start": _utc(run.started),
        "end": _utc(run.finished),
        "props": [_prop("exit-code", run.exit_code)],
        "local-definitions": {
            "inventory-items": [{"uuid": uid("cluster", name), "description": word(name)} for name in clusters],
            "assessment-assets": {
                "components": [
                    {
                        "uuid": _TOOL,
                        "type": "software",
                        "title": "hubspec",
                        "description": word(f"hubspec {run.version}"),
                        "status": {"state": "operational"},
                    }
                ],
                "assessment-platforms": [{"uuid": _PLATFORM, "uses-components": [{"component-uuid": _TOOL}]}],
            },
        },
        "reviewed-controls": {"control-selections": [controls]},
    }


def _observation(number: int, record: Record, run: Run) -> dict[str, Any]:
    told = ("outcome", "severity", "control", "kind", "resource", "cluster", "change", "since")
    made: dict[str, Any] = {
        "uuid": _uid("observation", number, record, run),
        "title": word(f"{record.control}: {about(record)} of {record.cluster}"),
        "description": record.message or record.outcome.value,
        "props": [_prop(name, value) for name in told if (value := getattr(record, name))],
        "methods": ["TEST"],
        "types": ["finding" if record.outcome in {Outcome.DRIFTED, Outcome.WAIVED} else "control-objective"],
        "origins": [{"actors": [{"type": "tool", "actor-uuid": _TOOL}]}],
        "subjects": [
            {"subject-uuid": uid("cluster", record.cluster), "type": "inventory-item", "title": word(record.cluster)}
        ],
        "relevant-evidence": [{"description": dumps(seen(record))}],
        "collected": _utc(record.started),
    }
    if record.actions:
        made["remarks"] = remediation(record)
    return made


def _risk(number: int, record: Record, run: Run) -> dict[str, Any]:
    return {
        "uuid": _uid("risk", number, record, run),
        "title": word(f"{record.title}: {about(record)} of {record.cluster}"),
        "description": record.message,
        "statement": f"{record.why} {waived(record)}",
        "status": "deviation-approved",
        **({"deadline": _utc(end)} if (end := _end(record)) else {}),
        "related-observations": [{"observation-uuid": _uid("observation", number, record, run)}],
    }


def _end(record: Record) -> datetime | None:
    """Return when the waiver of a record ends; None where it says no moment."""
    try:
        return end_of(str((record.waiver or {}).get("until")))
    except ValueError:
        return None


def _finding(
    point: Standpoint, titles: dict[str, str], numbers: list[int], records: Sequence[Record], run: Run
) -> dict[str, Any]:
    state, reason = STATE[point.standing]
    id_ = token(point.framework, point.requirement)
    counts = ", ".join(f"{point.outcomes[outcome]} {outcome}" for outcome in Outcome if point.outcomes[outcome])
    risks = [number for number in numbers if records[number].outcome is Outcome.WAIVED]
    made: dict[str, Any] = {
        "uuid": uid("requirement", run.id, point.framework, point.requirement),
        "title": word(f"{titles.get(point.framework, point.framework)} {point.requirement} {point.title}"),
        "description": f"{point.standing}: {counts}, by {', '.join(sorted(point.controls))}",
        "target": {
            "type": "objective-id",
            "target-id": id_,
            "status": {"state": state, "reason": reason, "remarks": point.standing.value},
        },
        "related-observations": [{"observation-uuid": _uid("observation", n, records[n], run)} for n in numbers],
    }
    if risks:
        made["related-risks"] = [{"risk-uuid": _uid("risk", n, records[n], run)} for n in risks]
    return made


def token(framework: str, requirement: str) -> str:
    """Return a requirement as OSCAL writes ids: NIST's AC-2(3) is ac-2.3 there; another has its framework before it."""
    nist = _NIST.fullmatch(requirement)
    if framework.startswith("nist-800-53") and nist:
        return (f"{nist[1]}.{nist[2]}" if nist[2] else nist[1]).lower()
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", whole := f"{framework}_{requirement}")
    plain = plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"
    return plain if plain == whole else f"{plain}_{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def word(text: object) -> str:
    """Return a text as the values and titles of OSCAL can be: one line, neither empty nor between blanks."""
    return printable(text).strip() or "-"


def _uid(sort: str, number: int, record: Record, run: Run) -> str:
    return uid(sort, run.id, number, *identity(record))


def _prop(name: str, value: object) -> dict[str, str]:
    return {"name": name, "ns": _SPACE, "value": word(value)}


def _utc(when: datetime) -> str:
    aware = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    return aware.astimezone(UTC).isoformat()
