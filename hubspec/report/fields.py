"""The fields of a check as a table: wanted and found; or wanted, before and after, where a fix changed what is there."""

from __future__ import annotations

from typing import Any, NamedTuple

from markupsafe import Markup

from hubspec.model import Outcome, Record
from hubspec.report.cells import cell, visible


class Row(NamedTuple):
    """One field of one check: whether it differs, and a cell for each column of its table."""

    name: str
    differs: bool
    cells: list[Markup]


def fields(record: Record) -> Markup:
    """Return the table of a record as HTML; nothing where it has no field."""
    told = rows(record)
    if not told:
        return Markup()
    columns = _columns(record, told)
    # Not in the template: six thousand tables were half of what a page of that size took to write.
    lines = [f"<table><tr><th>Field{''.join(f'<th>{column}' for column in columns)}"]
    for name, differs, cells in told:
        shown = "".join(f"<td>{one}" for one in cells[: len(columns)])
        lines.append(f"<tr{' class=differs' if differs else ''}><th>{visible(name)}{shown}")
    return Markup("".join([*lines, "</table>"]))  # noqa: S704 - of cells that are HTML already


def rows(record: Record) -> list[Row]:
    """Return a row for each field of a record, those that differ first.

    The cells are wanted and found; or wanted, before and after, where a fix changed what is there.
    """
    differing = {str(d.get("field")): d for d in record.differences}
    changed = record.after != record.before
    before, after = record.before or {}, record.after or {}
    moved = sorted(name for name in {**before, **after} if before.get(name) != after.get(name)) if changed else []
    result = []
    for name in sorted({**record.expected, **differing, **dict.fromkeys(moved)}, key=lambda n: n not in differing):
        difference = differing.get(name, {})
        wanted = record.expected[name] if name in record.expected else difference.get("wanted")
        seen = [_found(record, record.before, name, difference)]
        seen += [_found(record, record.after, name, {})] if changed else []
        exact = any(wanted != other and cell(wanted) == cell(other) for other in seen)
        cells = [cell(wanted, seen[0], exact=exact), *(cell(other, wanted, exact=exact) for other in seen)]
        result.append(Row(name, name in differing, cells))
    return result


def _columns(record: Record, told: list[Row]) -> list[str]:
    """Return the headings of the cells: a single one where nothing differs and nothing moved."""
    if record.after != record.before:
        return ["Wanted", "Before", "After"]
    same = record.outcome is Outcome.COMPLIANT and all(row.cells[0] == row.cells[1] for row in told)
    return ["Wanted and found"] if same else ["Wanted", "Found"]


def _found(record: Record, state: dict[str, Any] | None, name: str, difference: dict[str, Any]) -> object:
    if state is not None and name in state:
        return state[name]
    if "found" in difference:
        return difference["found"]
    if state is not None and state.get("ensure") != "absent":
        return Markup('<i class="none">not reported</i>')
    if record.outcome in {Outcome.UNREADABLE, Outcome.NOT_APPLICABLE}:
        return Markup('<i class="none">not read</i>')
    return None
