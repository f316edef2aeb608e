"""The command `diff`: which two files, and their differences in few lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hubspec.baseline import Baseline, load
from hubspec.difference import Differences, against, between, data
from hubspec.errors import HubspecError
from hubspec.kinds import KINDS
from hubspec.printable import printable
from hubspec.record import plain, shown
from hubspec.snapshot import Snapshot, read_file

SAME, DIFFERENT, COULD_NOT_LOOK = 0, 1, 11


def opened(path: Path) -> Snapshot | Baseline:
    """Return the snapshot or the baseline in a file. Raises HubspecError where it is neither."""
    try:
        head = path.read_bytes()[:200]
    except OSError as error:
        raise HubspecError(f"{path}: cannot be read: {error.strerror or error}") from None
    # A snapshot says in its first line that it is one, so that a damaged one is not taken for a baseline.
    return read_file(path) if b'"hubspec_snapshot"' in head else load(path)


def differences(before: Snapshot | Baseline, after: Snapshot | Baseline) -> dict[str, Differences]:
    """Return kind -> what differs. Raises HubspecError for two baselines."""
    if isinstance(before, Snapshot):
        return between(before, after) if isinstance(after, Snapshot) else against(after, before, backwards=True)
    if isinstance(after, Snapshot):
        return against(before, after)
    raise HubspecError(
        f"{before.file} and {after.file} are both baselines: one of the two must be a snapshot (--save-snapshot FILE)"
    )


def code(found: Mapping[str, Differences]) -> int:
    """Return the exit code, as an audit has it: 1 for a difference; 11 without one, where something was not read."""
    if any(found.values()):
        return DIFFERENT
    return COULD_NOT_LOOK if any(one.unread for one in found.values()) else SAME


def as_json(found: Mapping[str, Differences], names: tuple[str, str]) -> str:
    """Return the differences as a JSON document."""
    document = {"hubspec_diff": 1, "before": plain(names[0]), "after": plain(names[1]), "kinds": data(found)}
    return json.dumps(document, indent=1)


def lines(found: Mapping[str, Differences], names: tuple[str, str]) -> Iterator[str]:
    """Yield the differences for a person: + added, - removed, ~ changed, ? not known."""
    yield f"from {printable(names[0])} to {printable(names[1])}"
    for kind, one in found.items():
        if one or one.unread:
            yield f"{KINDS[kind].section}:"
        for mark, things in (("+", one.added), ("-", one.removed)):
            yield from (f"  {mark} {_line(name, fields)}" for name, fields in sorted(things.items()))
        for name, changes in sorted(one.changed.items()):
            yield f"  ~ {printable(name)}"
            for field, (before, after) in changes.items():
                yield f"      {printable(field)}: {shown(plain(before))} -> {shown(plain(after))}"
        yield from (f"  ? {_about(name, reason)}" for name, reason in sorted(one.unread.items()))
    counts = {
        "added": sum(len(one.added) for one in found.values()),
        "removed": sum(len(one.removed) for one in found.values()),
        "changed": sum(len(one.changed) for one in found.values()),
        "not known": sum(len(one.unread) for one in found.values()),
    }
    yield ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "no difference"


def _line(name: str, fields: Mapping[str, Any]) -> str:
    told = ", ".join(f"{printable(key)}: {shown(plain(value))}" for key, value in fields.items())
    return f"{printable(name)}{' (' if told else ''}{told}{')' if told else ''}"


def _about(name: str, reason: str) -> str:
    return printable(reason if name == "*" else f"{name}: {reason}")
