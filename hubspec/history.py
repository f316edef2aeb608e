"""What a run leaves for the next one: one small file of what it looked at. Pure: bytes in, bytes out.

The file is gzip over two lines of JSON: who ran when, and each look as [cluster, control, resource, check, outcome,
what differs], the first two as numbers of a list. What differs is told by digests of the fields' names, never by values.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, get_args

from hubspec.model import Outcome, Record, Run, Severity

SCHEMA = 1
LARGEST = 256 * 1024 * 1024
"""Bytes that a file may unfold to: what is more is no history."""
BLIND = {Outcome.UNREADABLE, Outcome.NOT_APPLICABLE}
"""Outcomes that say nothing of the state: whoever could not look did not look."""
DRIFTING = {Outcome.DRIFTED, Outcome.WAIVED}
_CHECKS: tuple[str, ...] = get_args(Record.model_fields["check"].annotation)
"""In the order of the model: what is kept has their numbers, so that a new one comes last."""
_OUTCOMES = tuple(Outcome)
Key = tuple[str, str, str, str, str]
"""Cluster, kind, resource, sort of check, control: what stays the same from run to run."""


class DamagedError(Exception):
    """A file of the history cannot be read as one; it says why."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one check found in a run. `differing` holds a digest of the name of each field that was not as declared."""

    severity: Severity
    outcome: Outcome
    differing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Past:
    """A run of the history. `seen` is when the newest state that it judged was read; `looks` is empty in a head."""

    run: str
    seen: datetime
    started: datetime
    version: str
    clusters: list[str]
    exit_code: int
    outcomes: dict[str, int]
    drifted: dict[str, int]
    looks: dict[Key, Look] = field(default_factory=dict)


def name(past: Past) -> str:
    """Return the name of its file: by time, and never that of another run."""
    digest = hashlib.sha256(past.run.encode()).hexdigest()[:8]
    return f"{past.seen.astimezone(UTC):%Y%m%dT%H%M%S%fZ}-{digest}.json.gz"


def seen_at(name_: str) -> datetime | None:
    """Return the time in the name of a file of the history, None where it is another file's."""
    try:
        return datetime.strptime(name_.partition("-")[0], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def of(records: Iterable[Record], run: Run) -> Past:
    """Return what is kept of a run with these records."""
    records = list(records)
    drifted = Counter(str(record.severity) for record in records if record.outcome is Outcome.DRIFTED)
    looks = {key(record): look(record) for record in records}
    return Past(
        run=run.id,
        seen=max((record.started for record in records), default=run.started),
        started=run.started,
        version=run.version,
        clusters=sorted({record.cluster for record in records}),
        exit_code=run.exit_code,
        outcomes=dict(Counter(str(record.outcome) for record in records)),
        drifted=dict(drifted),
        looks=looks,
    )


def key(record: Record) -> Key:
    """Return what tells a check from the others, in this run and the next."""
    return record.cluster, record.kind, record.resource, record.check, record.control


def look(record: Record) -> Look:
    """Return what a record says, as the history keeps it."""
    fields = (str(one.get("field")) for one in record.differences)
    return Look(record.severity, record.outcome, frozenset(map(_digest, fields)))


def worsened(before: Look, now: Look) -> bool:
    """Say whether a drift that was there before is news: it differs in more, or nobody accepts it any more."""
    ended = before.outcome is Outcome.WAIVED and now.outcome is Outcome.DRIFTED
    return ended or bool(now.differing - before.differing)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:10]


def pack(past: Past) -> bytes:
    """Return the content of its file."""
    clusters = {one: number for number, one in enumerate(past.clusters)}
    controls: dict[tuple[str, str, str], int] = {}
    looks = []
    for (cluster, kind, resource, check, control), one in past.looks.items():
        about = controls.setdefault((control, kind, str(one.severity)), len(controls))
        row = [clusters[cluster], about, resource, _CHECKS.index(check), _OUTCOMES.index(one.outcome)]
        looks.append([*row, sorted(one.differing)] if one.differing else row)
    head = {
        "hubspec_history": SCHEMA,
        "run": past.run,
        "seen": past.seen.isoformat(),
        "started": past.started.isoformat(),
        "version": past.version,
        "clusters": past.clusters,
        "exit_code": past.exit_code,
        "outcomes": past.outcomes,
        "drifted": past.drifted,
    }
    body = {"controls": list(controls), "outcomes": [str(one) for one in _OUTCOMES], "looks": looks}
    lines = [json.dumps(part, separators=(",", ":")) for part in (head, body)]
    return gzip.compress("\n".join(lines).encode(), 6, mtime=0)


def unpack(data: bytes, *, head: bool = False) -> Past:
    """Return the run in the content of a file; with `head` without its looks, which costs little. Raises DamagedError."""
    try:
        reader = zlib.decompressobj(31)
        text = reader.decompress(data, 64 * 1024 if head else LARGEST)
        if not head and not reader.eof:
            raise DamagedError("it is cut short, or too large")
        first, _, rest = text.partition(b"\n")
        told = json.loads(first)
        if told["hubspec_history"] != SCHEMA:
            raise DamagedError(f"its form is {told['hubspec_history']!r}, and this version reads {SCHEMA}")
        return Past(
            run=str(told["run"]),
            seen=_time(told["seen"]),
            started=_time(told["started"]),
            version=str(told["version"]),
            clusters=[str(one) for one in told["clusters"]],
            exit_code=int(told["exit_code"]),
            outcomes={str(key): int(value) for key, value in told["outcomes"].items()},
            drifted={str(key): int(value) for key, value in told["drifted"].items()},
            looks={} if head else _looks(told["clusters"], json.loads(rest)),
        )
    except (zlib.error, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(f"it is no history of a run ({type(error).__name__}: {error})") from None


def _time(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _looks(clusters: list[str], body: dict[str, Any]) -> dict[Key, Look]:
    outcomes = [Outcome(one) for one in body["outcomes"]]
    controls = [(str(id_), str(kind), Severity(severity)) for id_, kind, severity in body["controls"]]
    looks: dict[Key, Look] = {}
    for cluster, about, resource, check, outcome, *differing in body["looks"]:
        id_, kind, severity = controls[about]
        fields = frozenset(differing[0]) if differing else frozenset[str]()
        looks[clusters[cluster], kind, resource, _CHECKS[check], id_] = Look(severity, outcomes[outcome], fields)
    return looks
