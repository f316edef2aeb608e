"""From what was seen of a cluster to a baseline that it meets, section by section. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from hubspec.baseline import Baseline
from hubspec.durable import FIELDS, literal, sayable, step_name, without_secret
from hubspec.kind import REST, Observations
from hubspec.kinds import KINDS
from hubspec.model import NotApplicable, Present, Unreadable
from hubspec.printable import printable
from hubspec.snapshot import Snapshot
from hubspec.survey import found
from hubspec.thing import Note, Sort, Thing, thing
from hubspec.written import Entry, Page

MANY_LINES = {"container", "cluster", "hub"}
"""Kinds of which one thing is long: a line for each of its fields."""


@dataclass
class Draft:
    """A baseline in the making over `base`: its page, and its notes, each with what it is about."""

    snapshot: Snapshot
    base: Baseline
    page: Page
    notes: list[tuple[str, Note]] = field(default_factory=list)
    ignored: dict[str, list[str]] = field(default_factory=dict)

    def told(self, sort: Sort) -> list[str]:
        """Return the notes of one sort, a line each, in which nothing hides."""
        return [printable(f"{about}: {note.sentence}") for about, note in self.notes if note.sort == sort]

    def note(self, about: str, *notes: Note) -> list[str]:
        """Keep notes, and return them as comments."""
        self.notes += [(about, note) for note in notes]
        return [note.sentence for note in notes]

    def aside(self, about: str, *notes: Note) -> None:
        """Keep notes on something that has no entry of its own: they stand on top of the file."""
        self.page.comments += [f"{about}: {sentence}" for sentence in self.note(about, *notes)]


def draft(snapshot: Snapshot, base: Baseline, page: Page, watch: Sequence[str] | None = None) -> Draft:
    """Return the baseline over `base` that this cluster meets, below the entries that `page` has.

    `watch`: the folders that were listed; None where that is not known.
    """
    made = Draft(snapshot, base, page)
    things = {kind: _kind(made, kind) for kind in KINDS}
    _agree(made, things)
    if _nobody_home(made, things):
        note = Note("taken", "directory, for a user of the hub has no account that was seen in the container")
        page.entries["accounts"] = Entry("directory", made.note("accounts", note))
    page.entries["undeclared"] = Entry(
        {
            kind: _policy(made, kind, watch)
            for kind in KINDS
            if _taken(kind) and KINDS[kind].listed and _whole(made, kind)
        }
    )
    if not page.entries["undeclared"].value:
        del page.entries["undeclared"]
    for kind, entries in things.items():
        if entries and KINDS[kind].single:
            page.entries[KINDS[kind].section] = next(iter(entries.values()))
        elif entries:
            page.entries[KINDS[kind].section] = Entry(entries)
    return made


def _agree(made: Draft, things: dict[str, dict[str, Entry]]) -> None:
    """Leave out who is in a group where the hub's users say otherwise: no baseline can demand both."""
    users = things.get("hub_user", {})
    for group, entry in things.get("hub_group", {}).items():
        members = entry.value.get("users")
        other = [
            name
            for name, user in users.items()
            if members is not None
            and (user.value.get("ensure") == "absent" or "groups" in user.value)
            and (group in user.value.get("groups", ())) != (name in members)
        ]
        if other:
            note = Note("left out", f"the hub's users say otherwise of {', '.join(other)}: somebody was just moved")
            kept = {field: value for field, value in entry.value.items() if field != "users"}
            things["hub_group"][group] = Entry(kept, [*entry.comments, *made.note(f"hub_group {group}", note)])


def _seen(made: Draft, kind: str) -> Observations:
    seen = made.snapshot.reading(kind).seen
    return seen if isinstance(seen, dict) else {}


def _taken(kind: str) -> bool:
    return kind in FIELDS or kind == "step"


def _whole(made: Draft, kind: str) -> bool:
    """Say whether all there is of a kind was seen, so that whatever is new can be told."""
    return isinstance(made.snapshot.reading(kind).seen, dict) and REST not in _seen(made, kind)


def _kind(made: Draft, kind: str) -> dict[str, Entry]:
    about, seen = KINDS[kind].section, made.snapshot.reading(kind).seen
    if not _taken(kind):
        made.aside(about, Note("hint", "no more of them is taken over; what of them lasts is for a person to say"))
    if isinstance(seen, Unreadable):
        made.aside(about, Note("unread", f"could not be read: {seen.reason}"))
    elif isinstance(seen, NotApplicable):
        made.aside(about, Note("hint", f"not applicable: {seen.reason}"))
    else:
        rest = seen.get(REST)
        if isinstance(rest, Unreadable):
            made.aside(about, Note("unread", rest.reason))
        if kind == "step":
            return _steps(made, seen)
        # What is meant by more than its name cannot be declared by its name.
        return _things(made, kind, seen) if KINDS[kind].find is None else {}
    return {}


def _things(made: Draft, kind: str, seen: Observations) -> dict[str, Entry]:
    entries, uids = dict[str, Entry](), dict[Any, str]()
    below, single, container = made.base.resources[kind], KINDS[kind].single, made.snapshot.reading(kind).container
    ignored = made.base.policy(kind).ignore
    # Of a kind of which nobody said what lasts, only what is demanded already is looked at.
    names = found(made.base, kind, seen) if kind in FIELDS else list(below)
    for name in [single] if single else names:
        if name not in below and any(fnmatchcase(name, pattern) for pattern in ignored):
            continue
        about = f"{kind} {name}" if not single else kind
        one = thing(kind, name, seen.get(name), below.get(name), container)
        if one.nameless:
            made.ignored.setdefault(kind, []).append(name)
        if kind == "user":
            one = _own_uid(one, name, uids)
        if not one.fields and kind not in FIELDS:
            made.note(about, *one.notes)  # it is as demanded
        elif one.fields is None:
            made.aside(about, *one.notes)
        else:
            entries[name] = _entry(kind, one.fields, made.note(about, *one.notes))
    return entries


def _own_uid(user: Thing, name: str, uids: dict[Any, str]) -> Thing:
    """Return the account without a uid that another has too: no baseline may demand that."""
    uid = (user.fields or {}).get("uid")
    if user.fields is None or uid is None or uids.setdefault(uid, name) == name:
        return user
    note = Note("left out", f"uid is {uid}, which is that of {uids[uid]} too: no baseline can demand that")
    return Thing({key: value for key, value in user.fields.items() if key != "uid"}, (*user.notes, note))


def _entry(kind: str, fields: dict[str, Any], comments: list[str]) -> Entry:
    if kind == "package" and set(fields) == {"version"}:
        return Entry(fields["version"], comments)
    if kind in MANY_LINES and len(fields) > 1:
        return Entry({name: Entry(value) for name, value in fields.items()}, comments)
    return Entry(fields, comments)


def _steps(made: Draft, seen: Observations) -> dict[str, Entry]:
    """Return the newest step of each name, where it completed: what was demanded of an older one would not be found."""
    entries, done = dict[str, Entry](), set[str]()
    ignored = made.base.policy("step").ignore
    for key, one in seen.items():
        name = step_name(key)
        if not isinstance(one, Present) or name in done or any(fnmatchcase(name, pattern) for pattern in ignored):
            continue
        done.add(name)
        state, jar = (getattr(one.resource, field_, None) for field_ in ("state", "jar"))
        about = f"step {name}"
        if state != "COMPLETED":
            made.aside(about, Note("hint", f"its newest is {state}, so it is not declared"))
        elif not sayable(name) or not without_secret(name):
            made.aside(
                "a step", Note("left out", "its name looks like it holds a secret, or is no text that YAML holds")
            )
        else:
            shown_jar = {"jar": jar} if isinstance(jar, str) and sayable(jar) and without_secret(jar) else {}
            entries[name] = Entry({"state": state} | shown_jar)
    return entries


def _policy(made: Draft, kind: str, watch: Sequence[str] | None) -> Entry:
    policy: dict[str, Any] = {"policy": "report"}
    comments = []
    if kind == "file" and watch is None:
        policy["policy"] = made.base.policy(kind).policy
        comments.append("the snapshot does not say which folders were listed; `init --cluster` watches EMR's own")
    elif kind == "file" and watch is not None:
        policy["watch"] = list(watch)
    if kind == "step":
        steps = [one.resource for one in _seen(made, kind).values() if isinstance(one, Present)]
        jars = {str(getattr(step, "jar", None) or "") for step in steps}
        policy["jars"] = sorted(literal(jar) for jar in jars if sayable(jar) and without_secret(jar))
        comments.append("whatever runs a jar that none of its steps ran so far is drift")
    names = [name for name in made.ignored.get(kind, []) if sayable(name)]
    if names:
        policy["ignore"] = [*made.base.policy(kind).ignore, *map(literal, names)]
        comments.append("ignored by their whole names: what is there and no baseline can declare")
    return Entry(policy, comments)


def _nobody_home(made: Draft, things: dict[str, dict[str, Entry]]) -> bool:
    """Say whether a user of the hub has no account among the declared ones, which a baseline must then explain."""
    users, hub_users = (_present_names(made, things, kind) for kind in ("user", "hub_user"))
    return made.base.sections.accounts == "local" and bool(hub_users - {name.lower() for name in users})


def _present_names(made: Draft, things: dict[str, dict[str, Entry]], kind: str) -> set[str]:
    below = {name: one.ensure for name, one in made.base.resources[kind].items()}
    now = {name: entry.value.get("ensure", "present") for name, entry in things[kind].items()}
    return {name for name, ensure in (below | now).items() if ensure == "present"}
