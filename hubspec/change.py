"""What changed since the runs before: new, still, fixed, regressed, and how much drifted at each. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from hubspec.history import BLIND, DRIFTING, Key, Look, Past, key, look, worsened
from hubspec.model import Outcome, Record, Severity

Change = Literal["new", "still", "fixed", "regressed"]


@dataclass(slots=True)
class _Known:
    """What is known of a check after the runs so far: its last look, whether it ever drifted, and since when it does."""

    look: Look
    ever: bool
    since: datetime | None


@dataclass(frozen=True)
class Compared:
    """Records with their change, the runs that they were compared with, and how much was known to drift at each."""

    records: list[Record]
    last: Past | None
    trend: list[dict[str, Any]]


def compared(records: Sequence[Record], before: Iterable[Past], run: str, seen: datetime) -> Compared:
    """Return the records with their change since the run before that looked at the same, and the trend of these checks.

    `before` are the earlier runs, oldest first. A run that did not look at a check, or could not, says nothing of it.
    The trend counts what was known to drift after each run and was not waived, by severity.
    """
    mine = {key(record) for record in records}
    known: dict[Key, _Known] = {}
    trend = []
    last = None
    for past in before:
        looked = [(one, seen_) for one, seen_ in past.looks.items() if one in mine and seen_.outcome not in BLIND]
        for one, seen_ in looked:
            known[one] = _after(known.get(one), seen_, past.seen)
        if looked:
            last = past
            trend.append(_point(past.run, past.seen, known))
    told = []
    for record in records:
        one = key(record)
        told.append(_with_change(record, known.get(one)))
    for record in records:
        if record.outcome not in BLIND:
            known[key(record)] = _after(known.get(key(record)), look(record), record.started)
    return Compared(told, last, [*trend, _point(run, seen, known)])


def _after(before: _Known | None, now: Look, at: datetime) -> _Known:
    drifting = now.outcome in DRIFTING
    ever = drifting or now.outcome is Outcome.FIXED or (before is not None and before.ever)
    since = (before.since if before and before.since else at) if drifting else None
    return _Known(now, ever, since)


def _with_change(record: Record, before: _Known | None) -> Record:
    change = _change(record, before)
    if change is None:
        return record
    since = before.since if before and before.since else record.started
    drifting = record.outcome in DRIFTING
    return record.model_copy(update={"change": change, "since": since if drifting else None})


def _change(record: Record, before: _Known | None) -> Change | None:
    now = look(record)
    if now.outcome in BLIND:
        return None
    if now.outcome is Outcome.FIXED:
        return "fixed"
    drifted = before is not None and before.look.outcome in DRIFTING
    if now.outcome not in DRIFTING:
        return "fixed" if drifted else None
    if before is None or not before.ever:
        return "new"
    if not drifted:
        return "regressed"
    return "new" if worsened(before.look, now) else "still"


def _point(run: str, seen: datetime, known: dict[Key, _Known]) -> dict[str, Any]:
    count = Counter(one.look.severity for one in known.values() if one.look.outcome is Outcome.DRIFTED)
    return {"run": run, "seen": seen.isoformat()} | {str(severity): count[severity] for severity in reversed(Severity)}
