"""Expected against observed: one comparison, for every kind."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hubspec.model import Absent, Difference, Drift, Pattern, Present, Resource


def compare(
    kind: str, expected: Resource, observed: Present | Absent, fields: Collection[str] | None = None
) -> Drift | None:
    """Return the drift of one resource with every differing field, or None where it is as declared.

    `fields` limits the comparison to these fields. A thing that must not be there, or is missing, has the single
    difference `ensure`, whatever the fields. A field of a present thing that could not be read is not compared:
    see `unread`.
    """
    differences: tuple[Difference, ...]
    if isinstance(observed, Absent):
        differences = () if expected.ensure == "absent" else (Difference("ensure", "present", "absent"),)
    elif expected.ensure == "absent":
        differences = (Difference("ensure", "absent", "present"),)
    else:
        differences = tuple(_differences(expected, observed, fields))
    return Drift(kind, expected.name, expected, observed, differences) if differences else None


def unread(expected: Resource, observed: Present, fields: Collection[str] | None = None) -> dict[str, str]:
    """Return field -> reason of what was stated but could not be read."""
    asked = expected.stated() if expected.ensure == "present" else {}
    missing = observed.unread or {}
    return {name: missing[name] for name in asked if name in missing and (fields is None or name in fields)}


def _differences(expected: Resource, observed: Present, fields: Collection[str] | None) -> Iterator[Difference]:
    for name, wanted in expected.stated().items():
        if (fields is not None and name not in fields) or name in (observed.unread or {}):
            continue
        found = getattr(observed.resource, name)
        if isinstance(wanted, Mapping) and isinstance(found, Mapping):
            yield from _by_key(name, wanted, found, open_field=name in expected.OPEN)
        elif not expected.accepts(name, found):
            yield Difference(name, wanted, found)


def _by_key(
    field: str, wanted: Mapping[str, Any], found: Mapping[str, Any], *, open_field: bool
) -> Iterator[Difference]:
    keys = wanted.keys() if open_field else wanted.keys() | found.keys()
    for key in sorted(keys):
        want, have = wanted.get(key), found.get(key)
        if isinstance(want, Mapping) and isinstance(have, Mapping | None):
            yield from _by_key(f"{field}.{key}", want, have or {}, open_field=open_field)
            continue
        if isinstance(want, Pattern):
            same = isinstance(have, str) and re.fullmatch(want.matches, have) is not None
        else:
            same = want == have
        if not same:
            yield Difference(f"{field}.{key}", want, have)
