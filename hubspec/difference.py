"""What differs between two snapshots, or between a snapshot and a baseline. Pure: what was read, and no look at a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from hubspec.baseline import Baseline
from hubspec.check import checks, undeclared_check
from hubspec.kind import REST, Observations
from hubspec.kinds import KINDS
from hubspec.model import Absent, AtLeast, AtMost, NotApplicable, Outcome, Present, Unreadable
from hubspec.record import plain
from hubspec.snapshot import Snapshot
from hubspec.verdict import Verdict, judge

ON_DEMAND = {"user": {"default_password"}, "file": {"sha256", "contains", "lacks"}}
"""Kind -> fields that are read only where a baseline states them: unread on both sides, they were asked for on neither."""
Change = tuple[Any, Any]
"""Before and after."""


@dataclass
class Differences:
    """What differs in one kind: name -> fields of what came or went, name -> field -> change, name -> why it is not known."""

    added: dict[str, dict[str, Any]] = field(default_factory=dict)
    removed: dict[str, dict[str, Any]] = field(default_factory=dict)
    changed: dict[str, dict[str, Change]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def between(before: Snapshot, after: Snapshot) -> dict[str, Differences]:
    """Return kind -> what differs between two snapshots; a kind that neither holds is left out.

    A thing of which one snapshot has nothing was added or removed. Of files a snapshot knows those it asked for, so
    a file may be there all the time and only be asked for once.
    """
    found = {}
    for kind in KINDS:
        if kind not in before.readings and kind not in after.readings:
            continue
        found[kind] = Differences()
        one, other = before.reading(kind).seen, after.reading(kind).seen
        if isinstance(one, NotApplicable) and isinstance(other, NotApplicable):
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            _compare(kind, found[kind], one, other)
            continue
        for word, seen in (("before", one), ("after", other)):
            if isinstance(seen, Unreadable | NotApplicable):
                found[kind].unread |= {"*": _both(found[kind].unread.get("*"), f"{word}: {seen.reason}")}
    return found


def _both(first: str | None, second: str) -> str:
    return f"{first}; {second}" if first else second


def _compare(kind: str, found: Differences, before: Observations, after: Observations) -> None:
    for name in {**before, **after}:
        one, other = before.get(name, Absent()), after.get(name, Absent())
        blind = [
            f"{word}: {seen.reason}"
            for word, seen in (("before", one), ("after", other))
            if isinstance(seen, Unreadable | NotApplicable)
        ]
        if blind:
            found.unread[name] = "; ".join(blind)
        elif isinstance(one, Present) and isinstance(other, Present):
            changes = dict(_fields(kind, one, other))
            if changes:
                found.changed[name] = changes
            unread = list(_unread(kind, one, other))
            if unread:
                found.unread[name] = "; ".join(unread)
        elif isinstance(other, Present) and not _cut(before, name):
            found.added[name] = _of(other)
        elif isinstance(one, Present) and not _cut(after, name):
            found.removed[name] = _of(one)


def _cut(seen: Observations, name: str) -> bool:
    """Say whether a reading does not hold everything, so that it says nothing of what it lacks."""
    return REST in seen and name != REST


def _of(seen: Present) -> dict[str, Any]:
    return {name: value for name, value in seen.resource.stated().items() if name not in (seen.unread or {})}


def _fields(kind: str, before: Present, after: Present) -> Iterator[tuple[str, Change]]:
    ones, others = _of(before), _of(after)
    for name in KINDS[kind].resource.fields_compared():
        if _passes(kind, name) or not (name in ones and name in others):
            continue
        one, other = ones[name], others[name]
        if name in KINDS[kind].resource.UNORDERED and isinstance(one, list) and isinstance(other, list):
            one, other = sorted(set(one)), sorted(set(other))
        yield from _values(name, one, other)


_LENGTHS: set[Any] = {AtMost, AtLeast}


def _passes(kind: str, name: str) -> bool:
    """Say whether a field is a length of time, such as a step's age, which time alone changes."""
    found: set[Any] = set(_types(KINDS[kind].resource.model_fields[name].annotation)) - {type(None)}
    return bool(found) and found <= _LENGTHS


def _types(annotation: Any) -> Iterator[Any]:
    if isinstance(annotation, type):
        yield annotation
    for part in get_args(annotation):
        yield from _types(part)


def _values(name: str, before: Any, after: Any) -> Iterator[tuple[str, Change]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from _values(f"{name}.{key}", before.get(key), after.get(key))
    elif before != after:
        yield name, (before, after)


def _unread(kind: str, before: Present, after: Present) -> Iterator[str]:
    ones, others = before.unread or {}, after.unread or {}
    for name in KINDS[kind].resource.fields_compared():
        one, other = ones.get(name), others.get(name)
        same = one == other and (name in ON_DEMAND.get(kind, ()) or _not_asked(kind, one))
        if (one or other) and not same:
            yield f"{name}: {one or other}"


def _not_asked(kind: str, reason: str | None) -> bool:
    return kind in {"container", "cluster"} and (reason or "").startswith(("only the hub's own", "not asked for"))


def against(baseline: Baseline, snapshot: Snapshot, *, backwards: bool = False) -> dict[str, Differences]:
    """Return kind -> what an audit of the snapshot finds: from what is declared to what was seen, or `backwards`.

    What is waived does not count, as it does not in an audit. What the baseline does not check is not compared.
    """
    found = {}
    for kind in KINDS:
        every = [check for check in [*checks(baseline, kind), undeclared_check(baseline, kind)] if check]
        if every:
            found[kind] = Differences()
            for check in every:
                _take(found[kind], judge(check, baseline, snapshot), backwards=backwards)
    return found


def _take(found: Differences, verdict: Verdict, *, backwards: bool) -> None:
    name, resource = verdict.check.name, verdict.check.resource
    if verdict.outcome is Outcome.UNREADABLE:
        found.unread[name] = verdict.reason
    if verdict.outcome is not Outcome.DRIFTED:
        return
    came, went = (found.removed, found.added) if backwards else (found.added, found.removed)
    if resource is None:
        came |= {one.field: _mapping(one.found) for one in verdict.differences}
        return
    for one in verdict.differences:
        if one.field != "ensure":
            change = (one.found, one.wanted) if backwards else (one.wanted, one.found)
            found.changed.setdefault(name, {})[one.field] = change
        elif one.wanted == "present":
            went[name] = resource.stated()
        else:
            came[name] = verdict.found or {}


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {"value": value}


def data(found: Mapping[str, Differences]) -> dict[str, Any]:
    """Return differences as JSON holds them: kind -> added, removed, changed, unread."""
    return {
        kind: {
            "added": plain(one.added),
            "removed": plain(one.removed),
            "changed": {
                plain(name): {
                    plain(field_): {"before": plain(b), "after": plain(a)} for field_, (b, a) in fields.items()
                }
                for name, fields in one.changed.items()
            },
            "unread": plain(one.unread),
        }
        for kind, one in found.items()
    }
