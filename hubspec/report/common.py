"""What several formats say of a record alike: who it is from run to run, where it was declared, what comes next."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from hubspec.model import Outcome, Record, Run, Severity

IDS = uuid.UUID("c6c64a09-3c0e-5a8e-9f0b-6f0f4d5f2a11")
"""The name space of our ids: the same things have the same id in every run, on every machine."""
IMPACT = {Severity.LOW: 0.3, Severity.MEDIUM: 0.5, Severity.HIGH: 0.7, Severity.CRITICAL: 0.9}
"""InSpec's numbers for our severities."""
CAPTION = {outcome: outcome.value.title() for outcome in Outcome}


def identity(record: Record) -> list[str]:
    """Return what a check is, whatever it finds: the same in each run, and in no other check of the run."""
    return [record.cluster, record.kind, record.resource, record.check, record.control]


@lru_cache(maxsize=65536)  # the same things are named by several formats, and often in each
def uid(*parts: str | int) -> str:
    """Return the UUID (version 5, of RFC 9562) of the parts."""
    return str(uuid.uuid5(IDS, json.dumps(parts)))


def about(record: Record) -> str:
    """Return the thing that a record is about, within its cluster: 'user diego'."""
    return f"{record.kind} {record.resource}"


def place(record: Record) -> tuple[str, int | None]:
    """Return file and line of the declaration; no line where it has none."""
    file, _, line = record.declared_at.rpartition(":")
    return (file, int(line)) if file and line.isascii() and line.isdigit() and int(line) else (record.declared_at, None)


def remediation(record: Record) -> str:
    """Return what to do next, one action a paragraph; empty where there is nothing to do."""
    return "\n\n".join(
        f"{action['sentence']} ({action['safety']})\n{action['command']}"
        + (f"\n{action['result']}" if action.get("result") else "")
        for action in record.actions
    )


def waived(record: Record) -> str:
    """Return who accepted a drift, why and until when; empty where nobody did."""
    by = record.waiver
    return f"waived by {by['owner']} until {by['until']} ({by['ticket']}): {by['reason']}" if by else ""


def seen(record: Record) -> dict[str, Any]:
    """Return the evidence of a record as data: what was asked, wanted and found."""
    return {
        "door": record.door,
        "command": record.evidence,
        "expected": record.expected,
        "before": record.before,
        "after": record.after,
        "differences": record.differences,
        "details": [{key: text for key, text in detail.items() if key != "image"} for detail in record.details],
    }


def frameworks(run: Run) -> dict[str, str]:
    """Return framework -> its title with its edition."""
    return {one.id: f"{one.title} {one.version}".rstrip() for one in run.frameworks}


def dumps(value: object) -> str:
    """Return a value as JSON in one line; a lone half of a character, which UTF-8 has not, is an escape."""
    try:
        return to_json(value, fallback=str).decode()
    except PydanticSerializationError:
        return json.dumps(value, default=str)


def opened(head: Mapping[str, object]) -> str:
    """Return a JSON object without its end, so that members can follow."""
    return dumps(head)[:-1]


def member(name: str, items: Iterable[object], *, always: bool = False) -> Iterator[str]:
    """Yield a further member of an opened object: a list, written item by item; without items nothing, or `always` []."""
    started = False
    for item in items:
        yield f"{',' if started else f', {dumps(name)}: ['}\n{dumps(item)}"
        started = True
    if started:
        yield "\n]"
    elif always:
        yield f", {dumps(name)}: []"
