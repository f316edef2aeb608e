"""What the doctor checks and what it finds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from hubspec.errors import HubspecError, ShutError

SECTIONS = ("tools", "clock", "proxy", "aws", "door", "container", "other doors", "hub")
"""The sections of the table, in its order."""


class State(StrEnum):
    """How one thing is."""

    WORKS = "works"
    MATTERS = "mind"
    FAILS = "FAILS"
    UNTRIED = "not tried"
    SPARED = "not needed"


@dataclass(frozen=True)
class Finding:
    """One line of the table: `row` is SECTION.NAME, `fix` what would put it right. What is not `needed` keeps no audit from its work."""

    row: str
    state: State
    found: str = ""
    fix: str = ""
    needed: bool = True

    @property
    def section(self) -> str:
        """Return the section of the table."""
        return self.row.partition(".")[0]

    @property
    def name(self) -> str:
        """Return the name in its section."""
        return self.row.partition(".")[2]

    @property
    def stops(self) -> bool:
        """Say whether an audit lacks something for it."""
        return self.needed and self.state in {State.FAILS, State.UNTRIED}


Findings = Iterator[Finding]


@dataclass(frozen=True)
class Check:
    """Something that is tried. `rows` are those that it tells, in the order in which they come to light; it may yield others too.

    `needs` are the rows that have to work before it. An error of a door is the failure of the row that it names, where it
    names none of `blame`, or else of the first that was not told; `fix` is what to do then, where the error does not say.
    """

    rows: tuple[str, ...]
    run: Callable[[], Findings]
    needs: tuple[str, ...] = ()
    needed: bool = True
    blame: str = ""
    fix: str = ""

    def failed(self, error: HubspecError, told: Collection[str]) -> Finding:
        """Return the failure of the row that an error is about; `told` are those that were told before it."""
        at = error.at if isinstance(error, ShutError) else ""
        open_ = next((row for row in self.rows if row not in told), self.rows[-1])
        row = next((row for row in self.rows if at and at in row.split(".")), self.blame or open_)
        if isinstance(error, ShutError):
            said = f" ({error.said})" if error.said else ""
            return Finding(row, State.FAILS, f"{error.what}{said}", error.then or self.fix, self.needed)
        return Finding(row, State.FAILS, str(error), self.fix, self.needed)


@dataclass
class Course:
    """What was found so far, by row."""

    found: dict[str, Finding] = field(default_factory=dict)

    def works(self, row: str) -> bool:
        """Say whether a row was found to work, or to be needed by nobody."""
        return row in self.found and self.found[row].state in {State.WORKS, State.MATTERS, State.SPARED}

    def take(self, finding: Finding) -> None:
        """Keep a finding."""
        self.found[finding.row] = finding


def works(row: str, found: str = "", *, needed: bool = True) -> Finding:
    """Return that something works."""
    return Finding(row, State.WORKS, found, needed=needed)


def fails(row: str, found: str, fix: str = "", *, needed: bool = True) -> Finding:
    """Return that something does not work."""
    return Finding(row, State.FAILS, found, fix, needed)


def mind(row: str, found: str, fix: str = "") -> Finding:
    """Return that something works, and should be known."""
    return Finding(row, State.MATTERS, found, fix, needed=False)


def spared(row: str, why: str) -> Finding:
    """Return that something is not needed, and why."""
    return Finding(row, State.SPARED, why, needed=False)


def parted(sentence: str) -> tuple[str, str]:
    """Return what a sentence says is so, and what it says to do: the part behind its first colon."""
    what, _, then = sentence.partition(": ")
    return what, then
