"""Expected against observed: one comparison, for every kind."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hubspec.masked import masked_value
from hubspec.model import Absent, Difference, Drift, IsSet, Pattern, Present, Resource

_NOTHING: tuple[Any, ...] = (None, "", [], {})


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
    """Return field -> reason of what was stated but could not be read; FIELD.KEY -> reason of a key of a mapping."""
    missing = observed.unread or {}
    found: dict[str, str] = {}
    for name, wanted in expected.stated().items() if missing and expected.ensure == "present" else ():
        if fields is not None and name not in fields:
            continue
        if name in missing:
            found[name] = missing[name]
        elif isinstance(wanted, Mapping):
            seen = getattr(observed.resource, name, None) or {}
            found |= {f"{name}.{key}": why for key in wanted if (why := _unread_key(name, key, seen, missing))}
    return found


def _unread_key(field: str, key: str, found: Mapping[str, Any], missing: Mapping[str, str]) -> str:
    """Return why a key could not be read: itself, or because not all keys there are were seen (FIELD.*); or nothing."""
    return missing.get(f"{field}.{key}") or ("" if key in found else missing.get(f"{field}.*", ""))


def _differences(expected: Resource, observed: Present, fields: Collection[str] | None) -> Iterator[Difference]:
    missing = observed.unread or {}
    # What was seen comes without secrets, so what is declared is compared without them, and told so.
    stated = expected.stated()
    shown = {name: masked_value(value, name) for name, value in stated.items()}
    expected = expected if shown == stated else expected.model_copy(update=shown)
    for name, wanted in shown.items():
        if (fields is not None and name not in fields) or name in missing:
            continue
        found = getattr(observed.resource, name)
        if isinstance(wanted, Mapping) and isinstance(found, Mapping):
            known = {
                key: one for key, one in wanted.items() if not (missing and _unread_key(name, key, found, missing))
            }
            yield from _by_key(name, known, found, open_field=name in expected.OPEN)
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
        elif not _same(want, have):
            yield Difference(f"{field}.{key}", want, have)


def _same(want: Any, have: Any) -> bool:
    if isinstance(want, Pattern):
        return isinstance(have, str) and re.fullmatch(want.matches, have) is not None
    if isinstance(want, IsSet):
        return (have not in _NOTHING) is want.set
    return bool(want == have) and isinstance(want, bool) == isinstance(have, bool)
