"""`hdf.json`: Heimdall Data Format, which is the JSON of `inspec exec`: a control with a result for each resource.

Source: the readers of MITRE's inspecjs 2.12 (Apache-2.0), `ExecJSON`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from hubspec.model import Outcome, Record, Run
from hubspec.report.common import IMPACT, about, dumps, member, opened, place, remediation, waived
from hubspec.report.text import scene

STATUS = {
    Outcome.COMPLIANT: "passed",
    Outcome.FIXED: "passed",
    Outcome.DRIFTED: "failed",
    Outcome.WAIVED: "skipped",
    Outcome.UNREADABLE: "error",
    Outcome.NOT_APPLICABLE: "skipped",
}
"""Skipped says why in its message: accepted by whom until when, or what has no meaning here."""
_NIST = "nist-800-53"
_ENHANCED = re.compile(r"(\S)\(")


def render(records: Sequence[Record], run: Run) -> Iterator[str]:
    """Yield the document, a line for each result."""
    controls: dict[str, list[Record]] = {}
    for record in records:
        controls.setdefault(record.control, []).append(record)
    head = {
        "platform": {"name": "hubspec", "release": run.version, "target_id": ", ".join(run.clusters)},
        "version": run.version,
        "statistics": {"duration": round((run.finished - run.started).total_seconds(), 3)},
    }
    profile = {
        "name": "hubspec",
        "version": run.version,
        "title": ", ".join(run.baselines),
        "summary": f"{len(records)} checks of {', '.join(run.clusters)}",
        "sha256": hashlib.sha256(
            dumps([[id_, of[0].title] for id_, of in sorted(controls.items())]).encode()
        ).hexdigest(),
        "attributes": [],
        "groups": [],
        "supports": [],
        "status": "loaded",
    }
    yield opened(head) + ', "profiles": [' + opened(profile)
    yield ', "controls": ['
    for number, (id_, of) in enumerate(controls.items()):
        yield f"{',' if number else ''}\n{opened(_control(id_, of))}"
        yield from member("results", map(_result, of))
        yield "}"
    yield "\n]}]}\n"


def _control(id_: str, records: list[Record]) -> dict[str, Any]:
    first = records[0]
    file, line = place(first)
    outcomes = {record.outcome for record in records}
    fixes = dict.fromkeys(text for record in records if (text := remediation(record)))
    made = {
        "id": id_,
        "title": first.title,
        "desc": first.why,
        "descriptions": [{"label": "check", "data": first.evidence}]
        + ([{"label": "fix", "data": "\n\n".join(fixes)}] if fixes else []),
        # An impact of nothing is how this format says 'not applicable'.
        "impact": 0.0 if outcomes == {Outcome.NOT_APPLICABLE} else IMPACT[first.severity],
        "tags": _tags(first),
        "refs": [],
        "code": "",
        "source_location": {"ref": file, "line": line},
    }
    accepted = next((record for record in records if record.waiver), None)
    if accepted and accepted.waiver and Outcome.WAIVED in outcomes and Outcome.DRIFTED not in outcomes:
        made["waiver_data"] = {
            "expiration_date": accepted.waiver["until"],
            "justification": waived(accepted),
            "run": True,
            "skipped_due_to_waiver": False,
            "message": "",
        }
    return made


def _tags(record: Record) -> dict[str, Any]:
    """Return the requirements of a control: NIST's as InSpec writes them, `AC-2 (3)`."""
    nist = [_ENHANCED.sub(r"\1 (", id_) for id_ in record.tags.get(_NIST, ())]
    others = {name: list(ids) for name, ids in record.tags.items() if name != _NIST}
    return others | {"severity": record.severity.value, "kind": record.kind} | ({"nist": nist} if nist else {})


def _result(record: Record) -> dict[str, Any]:
    made: dict[str, Any] = {
        "status": STATUS[record.outcome],
        "code_desc": f"{record.cluster}: {about(record)}: {record.title}",
        "resource": record.kind,
        "resource_id": f"{record.cluster}/{record.resource}",
        "run_time": record.took,
        "start_time": record.started.isoformat(),
    }
    if record.outcome in {Outcome.DRIFTED, Outcome.UNREADABLE}:
        made["message"] = scene(record)
    elif record.outcome is Outcome.WAIVED:
        made["skip_message"] = f"{waived(record)}\n{scene(record)}"
    elif record.outcome is not Outcome.COMPLIANT:
        made["skip_message" if record.outcome is Outcome.NOT_APPLICABLE else "message"] = (
            f"{record.outcome.value}: {record.message}"
        )
    return made
