"""How each requirement of the frameworks stands after a run: a pure function over its records."""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from hubspec.model import Framework, Outcome, Record


class Standing(enum.StrEnum):
    """What a run says of a requirement; the first that is true counts."""

    FAILED = "failed"
    UNREADABLE = "could not be looked at"
    WAIVED = "waived"
    COVERED = "covered"
    NOT_COVERED = "not covered"


_OF = {
    Outcome.DRIFTED: Standing.FAILED,
    Outcome.UNREADABLE: Standing.UNREADABLE,
    Outcome.WAIVED: Standing.WAIVED,
    Outcome.COMPLIANT: Standing.COVERED,
    Outcome.FIXED: Standing.COVERED,
}
"""What is not applicable says nothing of a requirement."""


@dataclass
class Standpoint:
    """One requirement after a run: the controls that spoke about it, and how many checks had which outcome.

    `title` and `why` are empty for a requirement that stands in a control's own tags only. `mapped` are the controls
    that the framework names, whether the run had checks of them or not.
    """

    framework: str
    requirement: str
    title: str = ""
    why: str = ""
    mapped: tuple[str, ...] = ()
    controls: set[str] = field(default_factory=set)
    outcomes: Counter[Outcome] = field(default_factory=Counter)

    @property
    def standing(self) -> Standing:
        """Return what the run says of it: failed where anything drifted, not covered where nothing was held against it."""
        said = {_OF[outcome] for outcome, count in self.outcomes.items() if count and outcome in _OF}
        return next((standing for standing in Standing if standing in said), Standing.NOT_COVERED)


def coverage(records: Iterable[Record], frameworks: Sequence[Framework]) -> list[Standpoint]:
    """Return each requirement of the frameworks, and each that a record's tags name, with what the run says of it.

    Order: the frameworks as given, then others by name; in each the requirements as people count (AC-2 before AC-12).
    """
    found = {
        (one.id, id_): Standpoint(one.id, id_, about.title, about.why, tuple(about.controls))
        for one in frameworks
        for id_, about in one.requirements.items()
    }
    for record in records:
        for framework, ids in record.tags.items():
            for id_ in ids:
                point = found.get((framework, id_)) or found.setdefault((framework, id_), Standpoint(framework, id_))
                point.controls.add(record.control)
                point.outcomes[record.outcome] += 1
    place = {one.id: number for number, one in enumerate(frameworks)}
    return sorted(
        found.values(),
        key=lambda point: (place.get(point.framework, len(place)), point.framework, counted(point.requirement)),
    )


def counted(id_: str) -> list[tuple[int, str]]:
    """Return a key that sorts ids as people count: 5.9 before 5.10, AC-2(3) before AC-12."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"[0-9]+|[^0-9]+", id_)]
