"""The state of one cluster at one time: what `collect` saw of each kind, as JSON in and out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hubspec.errors import BaselineError
from hubspec.kind import Kind, Observations
from hubspec.kinds import KINDS
from hubspec.model import Absent, Detail, NotApplicable, Present, Stopped, Unreadable

SCHEMA = 1
"""Version of a snapshot file."""


@dataclass(frozen=True)
class Reading:
    """What was seen of one kind, through which door, by what, when (UTC) and in how many seconds.

    `container` is the name of the hub's container, for the commands that would put a drift right.
    """

    door: str
    evidence: str
    started: datetime
    took: float
    seen: Observations | Unreadable | NotApplicable
    container: str = "jupyterhub"


@dataclass
class Snapshot:
    """One cluster at one time. `trips` counts the round trips by door; `called` is its name at EMR, where that was looked up."""

    cluster: str
    readings: dict[str, Reading] = field(default_factory=dict)
    trips: dict[str, int] = field(default_factory=dict)
    called: str = ""

    def reading(self, kind: str) -> Reading:
        """Return the reading of a kind; one that says so where the kind was not read."""
        missing = Unreadable(f"the snapshot holds no {KINDS[kind].section}: it was taken without asking for them")
        return self.readings.get(kind) or Reading("snapshot", "", datetime.now(UTC), 0.0, missing)


def unseen(cluster: str, kinds: Iterable[str], reason: str) -> Snapshot:
    """Return the state of a cluster of which nothing could be looked at."""
    now = datetime.now(UTC)
    return Snapshot(cluster, {kind: Reading("none", "", now, 0.0, Unreadable(reason)) for kind in kinds})


def save(snapshot: Snapshot, path: Path) -> None:
    """Write the snapshot as JSON. It holds what was seen, and never a secret: no probe sends one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_dump(snapshot), indent=1), encoding="utf-8")


def _dump(snapshot: Snapshot) -> dict[str, Any]:
    kinds = {}
    for name, reading in snapshot.readings.items():
        entry: dict[str, Any] = {
            "door": reading.door,
            "evidence": reading.evidence,
            "started": reading.started.isoformat(),
            "took": reading.took,
            "container": reading.container,
        }
        if isinstance(reading.seen, dict):
            entry["seen"] = {key: _dump_one(seen) for key, seen in reading.seen.items()}
        else:
            entry["unreadable" if isinstance(reading.seen, Unreadable) else "not_applicable"] = reading.seen.reason
            entry |= {"stopped": True} if isinstance(reading.seen, Stopped) else {}
        kinds[name] = entry
    called = {"called": snapshot.called} if snapshot.called else {}
    return {"hubspec_snapshot": SCHEMA, "cluster": snapshot.cluster, **called, "trips": snapshot.trips, "kinds": kinds}


def _dump_one(seen: Any) -> dict[str, Any]:
    if isinstance(seen, Present):
        more: dict[str, Any] = {"unread": seen.unread} if seen.unread else {}
        if seen.details:
            more["details"] = [[detail.title, detail.text, detail.field] for detail in seen.details]
        return {"present": seen.resource.stated()} | more
    if isinstance(seen, Absent):
        return {"absent": True}
    return {"unreadable" if isinstance(seen, Unreadable) else "not_applicable": seen.reason}


def read_file(path: Path) -> Snapshot:
    """Return a saved snapshot. Raises BaselineError where the file is none, or is of another schema version."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        version = data["hubspec_snapshot"]
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError([f"{path}: cannot be read: {error}"]) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BaselineError([f"{path}: is no hubspec snapshot; make one with --save-snapshot FILE"]) from None
    if version != SCHEMA:
        raise BaselineError(
            [f"{path}: is a snapshot of schema {version}; this hubspec reads schema {SCHEMA}: take a new one"]
        )
    try:
        readings = {name: _load(KINDS[name], entry) for name, entry in data["kinds"].items()}
        if not isinstance(data["cluster"], str):
            raise TypeError("cluster is no text")
        trips = {str(name): int(count) for name, count in data["trips"].items()}
        return Snapshot(data["cluster"], readings, trips, str(data.get("called", "")))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        first = str(error).splitlines()[0]
        raise BaselineError([f"{path}: is damaged ({type(error).__name__}: {first}); take a new one"]) from None


def _load(kind: Kind, entry: dict[str, Any]) -> Reading:
    seen: Observations | Unreadable | NotApplicable
    if "seen" in entry:
        seen = {name: _load_one(kind, name, one) for name, one in entry["seen"].items()}
    elif "unreadable" in entry:
        seen = (Stopped if entry.get("stopped") else Unreadable)(entry["unreadable"])
    else:
        seen = NotApplicable(entry["not_applicable"])
    return Reading(
        "snapshot",
        f"{entry['evidence']} ({entry['door']})",
        datetime.fromisoformat(entry["started"]),
        entry["took"],
        seen,
        entry.get("container", "jupyterhub"),
    )


def _load_one(kind: Kind, name: str, one: dict[str, Any]) -> Any:
    if "present" in one:
        fields = one["present"]
        unknown = set(fields) - set(kind.resource.fields_compared())
        if unknown:
            message = f"a {kind.name} has no field {', '.join(sorted(unknown))}"
            raise ValueError(message)
        details = tuple(Detail(str(title), str(text), str(field)) for title, text, field in one.get("details", ()))
        return Present(
            kind.resource.model_construct({"name", *fields}, name=name, **fields), one.get("unread"), details
        )
    if "absent" in one:
        return Absent()
    return Unreadable(one["unreadable"]) if "unreadable" in one else NotApplicable(one["not_applicable"])
