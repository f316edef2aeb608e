"""One thing that was seen, as a baseline would declare it from now on; and a note on whatever of it that does not say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hubspec.compare import compare
from hubspec.durable import EXPLAINED, RIGHT, lasting, stated, told, valid, version
from hubspec.kinds import KINDS
from hubspec.model import NotApplicable, Observation, Present, Resource, Unreadable

Sort = Literal["taken", "wrong", "left out", "unread", "hint"]
NOT_ASKED = "the snapshot was taken without asking for it"


@dataclass(frozen=True)
class Note:
    """A sentence about a thing, which becomes a comment.

    'taken': otherwise than the extended baseline demands, and taken as it is. 'wrong': so wrong that it is not taken.
    'left out': a baseline cannot state it. 'unread': it could not be read. 'hint': only for whoever edits the file.
    """

    sort: Sort
    sentence: str


@dataclass(frozen=True)
class Thing:
    """The fields to declare, None where nothing is declared, and notes. `nameless`: no baseline can declare its name."""

    fields: dict[str, Any] | None
    notes: tuple[Note, ...] = ()
    nameless: bool = False


def thing(kind: str, name: str, seen: Observation | None, below: Resource | None, container: str) -> Thing:
    """Return how to declare one thing over what the extended baseline says of it, which is `below`.

    `seen` is None where the reading has nothing about it. `container` is the name of the hub's own.
    """
    if isinstance(seen, Present):
        return _present(kind, name, seen, below, container)
    if isinstance(seen, NotApplicable):
        return Thing(None, (Note("hint", f"not applicable: {seen.reason}"),))
    if isinstance(seen, Unreadable) or (seen is None and not KINDS[kind].complete):
        reason = seen.reason if isinstance(seen, Unreadable) else NOT_ASKED
        return Thing(None, (Note("unread", f"could not be read: {reason}"),))
    if below is None or below.ensure == "absent":
        return Thing(None)
    if kind == "cluster" or (kind == "container" and name == container):
        return Thing(None, (Note("wrong", "is not there; that is not taken over, so that an audit shows it"),))
    return Thing({"ensure": "absent"}, (Note("taken", "is not there, though the extended baseline declares it"),))


def _present(kind: str, name: str, seen: Present, below: Resource | None, container: str) -> Thing:
    fields: dict[str, Any] = {}
    notes: list[Note] = []
    if below is not None and below.ensure == "absent":
        fields["ensure"] = "present"
        notes.append(Note("taken", "is there, though the extended baseline says that it must not be"))
    for field in lasting(kind, seen, below, container):
        missing = (seen.unread or {}).get(field)
        if missing is None and field not in seen.resource.model_fields_set:
            missing = "nothing was told of it"
        if missing is not None:
            notes.append(Note("unread", f"{field} could not be read: {missing}"))
            continue
        value = getattr(seen.resource, field)
        right = RIGHT.get((kind, field), value)
        if value != right:
            sentence = f"{field} is {told(value)} now; that is not taken over, so that an audit shows it"
            notes.append(Note("wrong", sentence))
        elif field == "version" and isinstance(value, str):
            right = version(name, value)
        fields[field] = stated(kind, field, right, below)
        notes += _partly(field, fields, seen)
        if (kind, field) in EXPLAINED:
            notes.append(Note("hint", EXPLAINED[kind, field]))
    good, refused = valid(kind, name, fields, seen)
    if good is None:
        return Thing(None, (Note("left out", "is there, and no baseline can declare its name"),), nameless=True)
    for field in refused:
        sentence = f"{field} is {told(getattr(seen.resource, field))}, which a baseline cannot state"
        notes.append(Note("left out", sentence))
    return Thing(good, (*notes, *_otherwise(kind, seen, below, good)))


def _partly(field: str, fields: dict[str, Any], seen: Present) -> list[Note]:
    """Leave out of a mapping what could not be read of it, or may be set elsewhere: that stays as it was demanded."""
    notes = []
    known = getattr(seen.resource, field)
    for name, why in (seen.unread or {}).items():
        of, _, key = name.partition(".")
        if of == field and key:
            for unknown in [one for one in fields[field] if one == key or (key == "*" and one not in known)]:
                del fields[field][unknown]
            notes.append(Note("left out", f"{name}: {why}"))
    return notes


def _otherwise(kind: str, seen: Present, below: Resource | None, fields: dict[str, Any]) -> list[Note]:
    """Return a note for each field that is not as the extended baseline demands."""
    drift = compare(kind, below, seen) if below is not None and below.ensure == "present" else None
    notes = []
    for one in drift.differences if drift else ():
        field = one.field.partition(".")[0]
        if (kind, field) in RIGHT:
            continue
        sort: Sort = "taken" if field in fields else "wrong"
        wanted, found = told(one.wanted), told(one.found)
        notes.append(Note(sort, f"{one.field} is {found}; the extended baseline demands {wanted}"))
    return notes
