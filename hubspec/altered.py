"""What became of chained records: changed, removed, added, moved, each by its line and its names. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hubspec.chain import RECORD, Link


@dataclass(frozen=True)
class Change:
    """What became of one record: its line in the file as it is (0: nowhere), its names, and a sentence."""

    line: int
    record: str
    test: str
    sentence: str


def changes(links: Iterable[Link], found: Sequence[str]) -> list[Change]:
    """Return what differs between the records that were chained and the lines of the file: nothing where none does.

    `found` is the SHA-256 of each line, without its end.
    """
    wanted = [link for link in links if link.link == RECORD]
    if found == [link.sha256 for link in wanted]:
        return []
    places: dict[str, deque[int]] = {}
    for number, link in enumerate(wanted):
        places.setdefault(link.sha256, deque()).append(number)
    at = [places[digest].popleft() if places.get(digest) else None for digest in found]
    there = set(at)
    gone = _between((number, number not in there) for number in range(len(wanted)))
    strange = _between((place if place is not None else -1 - line, place is None) for line, place in enumerate(at))
    result = []
    for kept in sorted({*gone, *strange}):
        lost, new = gone.get(kept, []), [-1 - number for number in strange.get(kept, [])]
        for number, line in zip(lost, new, strict=False):
            result.append(_change(line, wanted[number], "was changed"))
        cut = lost[len(new) :]
        result += [_change(-1, wanted[number], f"was removed: it stood in line {number + 1}") for number in cut]
        for line in new[len(lost) :]:
            twice = next((link for link in wanted if link.sha256 == found[line]), None)
            why = f"is a second time {twice.about}" if twice else "was added"
            result.append(Change(line + 1, "", "", f"line {line + 1}: {why}"))
    order = [(line, place) for line, place in enumerate(at) if place is not None]
    still = _rising([place for _, place in order])
    for line, place in order:
        if place not in still:
            result.append(_change(line, wanted[place], f"was moved: it stood in line {place + 1}"))
    return result


def _change(line: int, link: Link, what: str) -> Change:
    where = f"line {line + 1}: " if line >= 0 else ""
    return Change(line + 1, link.record, link.test, f"{where}{link.about} {what}")


def _between(numbers: Iterable[tuple[int, object]]) -> dict[int, list[int]]:
    """Return the marked numbers under the unmarked one that they come after; -1 where there is none."""
    result: dict[int, list[int]] = {}
    kept = -1
    for number, marked in numbers:
        if marked:
            result.setdefault(kept, []).append(number)
        else:
            kept = number
    return result


def _rising(numbers: Sequence[int]) -> set[int]:
    """Return the longest part of the numbers that rises: those which nobody needs to have moved."""
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        place = bisect_left(ends, number)
        before[number] = ends[place - 1] if place else None
        ends[place : place + 1] = [number]
    result = set()
    last: int | None = ends[-1] if ends else None
    while last is not None:
        result.add(last)
        last = before[last]
    return result
