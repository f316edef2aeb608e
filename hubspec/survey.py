"""Everything that a baseline could state of a cluster, in two looks: the second asks about what the first one found."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hubspec import probe_name
from hubspec.baseline import Baseline
from hubspec.collect import collect
from hubspec.door import Doors
from hubspec.kind import Observations, Undeclared
from hubspec.kinds import KINDS
from hubspec.kinds.file import UndeclaredFiles
from hubspec.model import Present, Resource
from hubspec.snapshot import Snapshot

WATCHED = ("/etc/jupyter", "/etc/jupyter/conf")
"""Where EMR keeps the hub's configuration (EMR Release Guide, 'JupyterHub')."""
_ANY_HASH = "0" * 64
_REPORT = Undeclared(policy="report")


def watched(base: Baseline) -> list[str]:
    """Return the folders in which files are listed: those of the baseline, and EMR's own."""
    policy = base.policy("file")
    return list(dict.fromkeys([*(policy.watch if isinstance(policy, UndeclaredFiles) else ()), *WATCHED]))


def found(base: Baseline, kind: str, seen: Observations, policy: Undeclared = _REPORT) -> list[str]:
    """Return the names that a baseline of this cluster states: those of `base`, then whatever else would be drift.

    A probe user of a smoke test is none of these: it is gone in a moment, or was left behind and must go.
    """
    declared = base.resources[kind]
    # What is drift may be a part of something, such as one setting of a file.
    extra = [name for name in KINDS[kind].undeclared(declared, seen, policy) if name in seen]
    return [*declared, *sorted(name for name in extra if not probe_name.mentioned(name))]


def survey(cluster: str, doors: Doors, base: Baseline) -> Snapshot:
    """Return the state of one cluster with every field that can be read. Raises UnknownClusterError."""
    first = collect(cluster, doors, _whole(base), list(KINDS))
    closer = _closer(base, first)
    second = collect(cluster, doors, closer, [kind for kind in ("user", "file") if closer.resources[kind]])
    listed, asked = first.reading("file").seen, second.readings.get("file")
    if isinstance(listed, dict) and asked and isinstance(asked.seen, dict):  # with the names that cannot be asked for
        second.readings["file"] = replace(asked, seen=listed | asked.seen)
    trips = Counter(first.trips) | Counter(second.trips)  # a door counts on: its later number is the whole
    return Snapshot(cluster, first.readings | second.readings, dict(trips))


def _whole(base: Baseline) -> Baseline:
    """Return the baseline that asks for each container, each watched file, and each field of the hub and of the cluster."""
    singles = {kind.section: kind for kind in KINDS.values() if kind.single}
    update = {
        "container": _REPORT,
        "file": UndeclaredFiles(policy="report", watch=watched(base)),
        "step": KINDS["step"].policy(policy="ignore"),  # no logs of failed steps are needed
    }
    return _with(
        base,
        undeclared=base.sections.undeclared.model_copy(update=update),
        **{
            section: _asking(kind.name, str(kind.single), dict.fromkeys(kind.resource.fields_compared()))
            for section, kind in singles.items()
        },
    )


def _closer(base: Baseline, first: Snapshot) -> Baseline:
    """Return the baseline that asks for the password of each person, and the content of each file that was seen."""
    users: dict[str, Resource] = {}
    files: dict[str, Resource] = {}
    accounts, listed = first.reading("user").seen, first.reading("file").seen
    if isinstance(accounts, dict):
        users = {name: _asking("user", name, {"default_password": False}) for name in found(base, "user", accounts)}
    if isinstance(listed, dict):
        # A name that begins otherwise is one that stat had to quote: it cannot be asked for.
        names = [name for name in found(base, "file", listed) if name.startswith("/")]
        files = {name: _asking("file", name, _content(listed.get(name))) for name in names}
    # Each file is asked for by its name now, so nothing more needs to be listed.
    policies = base.sections.undeclared.model_copy(update={"file": None})
    return _with(base, users=users, files=files, undeclared=policies)


def _content(seen: Any) -> dict[str, Any]:
    regular = isinstance(seen, Present) and getattr(seen.resource, "type", None) == "regular file"
    return {"sha256": _ANY_HASH} if regular else {}


def _asking(kind: str, name: str, fields: dict[str, Any]) -> Resource:
    """Return a resource that states these fields, so that its probe reads them."""
    return KINDS[kind].resource.model_construct({"name", *fields}, name=name, **fields)


def _with(base: Baseline, **sections: Any) -> Baseline:
    return Baseline(base.file, base.sections.model_copy(update=sections), base.layer)
