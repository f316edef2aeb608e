"""What the doctor found, as a table for people and as JSON for programs. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from hubspec.doctor.model import SECTIONS, Finding, State
from hubspec.printable import printable

WELL, NOT_WELL = 0, 11
"""The exit code of an audit that could not look is that of a doctor who says so."""


def ordered(found: list[Finding]) -> list[Finding]:
    """Return the findings in the order of the sections, and in one as they were found."""
    return sorted(found, key=lambda one: SECTIONS.index(one.section))


def code(found: list[Finding]) -> int:
    """Return the exit code: whether all that an audit needs works."""
    return NOT_WELL if any(one.stops for one in found) else WELL


def lines(cluster: str, found: list[Finding], width: int) -> Iterator[str]:
    """Yield the table of one cluster, and what to do first."""
    yield printable(cluster)
    names = max((len(one.name) for one in found), default=0)
    section = ""
    for one in ordered(found):
        if one.section != section:
            section = one.section
            yield f"\n{section}"
        yield from _row(one, names, width)
    yield ""
    yield _sum(ordered(found))


def _row(one: Finding, names: int, width: int) -> Iterator[str]:
    word = one.state if one.needed else one.state.lower()
    begin = f"  {one.name:<{names}}  {word:<10}  "
    indent = " " * len(begin)
    room = max(width - len(begin), 40)
    told = [
        *_wrapped(one.found, room),
        *(f"{'-> ' if not at else '   '}{text}" for at, text in enumerate(_wrapped(one.fix, room - 3))),
    ]
    first, *rest = told or [""]
    yield f"{begin}{first}".rstrip()
    yield from (f"{indent}{text}" for text in rest)


def _wrapped(text: str, room: int) -> list[str]:
    return textwrap.wrap(printable(text), room, break_long_words=False, break_on_hyphens=False)


def _sum(found: list[Finding]) -> str:
    broken = [one for one in found if one.needed and one.state == State.FAILS]
    untried = [one for one in found if one.needed and one.state == State.UNTRIED]
    if not broken and not untried:
        return "all that an audit needs works"
    rest = f", {len(untried)} could not be tried" if untried else ""
    told = f"{len(broken)} of what an audit needs fails{rest}"
    if not broken:
        return told
    first = broken[0]
    fix = printable(first.fix or first.found)
    return f"{told}; first mend {first.section}: {first.name}\n-> {fix}"


def document(cluster: str, found: list[Finding]) -> dict[str, Any]:
    """Return the same as plain data."""
    rows = [
        {
            "section": one.section,
            "name": one.name,
            "state": one.state.lower(),
            "needed": one.needed,
            "found": one.found,
            "fix": one.fix,
        }
        for one in ordered(found)
    ]
    return {"cluster": cluster, "code": code(found), "findings": rows}
