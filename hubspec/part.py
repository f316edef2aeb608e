"""One part of a smoke test that has several: what was done in it, how long that took, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hubspec.check import Check
from hubspec.door import Doors
from hubspec.errors import AnsweredError, DoorError
from hubspec.masked import masked
from hubspec.model import Detail, Difference, Outcome
from hubspec.snapshot import Reading
from hubspec.verdict import Verdict

LINES = 60
"""How many of the last lines of a log are kept."""


class BrokenError(Exception):
    """It was tried, and is not as it ought to be."""

    def __init__(self, sentence: str, *differences: Difference) -> None:
        """Take the sentence for a person, and what differs."""
        super().__init__(sentence)
        self.differences = differences


@dataclass
class Part:
    """One part. `found` is what it saw, `log` the last lines of the hub's log after a failure, `shown` a picture."""

    name: str
    evidence: str
    outcome: Outcome = Outcome.UNREADABLE
    reason: str = "it was not tried"
    found: dict[str, Any] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    notes: list[str] = field(default_factory=list)
    log: str = ""
    shown: Detail | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.monotonic)
    took: float = 0.0

    def note(self, text: str) -> None:
        """Keep what was just done, with the seconds since the part began."""
        self.notes.append(f"{time.monotonic() - self.clock:6.2f} s  {text}")

    @property
    def fine(self) -> bool:
        """Say whether it went as it ought to."""
        return self.outcome is Outcome.COMPLIANT

    def run(self, do: Callable[[Part], str], explain: Callable[[datetime], str]) -> Part:
        """Do it, and return it as it ended. `do` returns what to say of a good end.

        Whatever answered, and not as it ought to, is drift; where there was no answer, it could not be looked at.
        """
        try:
            self.reason, self.outcome = do(self), Outcome.COMPLIANT
        except BrokenError as error:
            self.reason, self.outcome, self.differences = str(error), Outcome.DRIFTED, error.differences
        except AnsweredError as error:
            self.reason, self.outcome = str(error), Outcome.DRIFTED
            self.differences = (Difference("answer", "what was asked for", str(error.status)),)
        except DoorError as error:
            self.reason, self.outcome = str(error), Outcome.UNREADABLE
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            self.reason = f"what came back is no answer of a notebook server or a hub ({type(error).__name__}: {error})"
            self.outcome, self.differences = Outcome.DRIFTED, (Difference("answer", "what was asked for", "another"),)
        self.took = time.monotonic() - self.clock
        self.note(f"{self.outcome}: {self.reason}")
        if not self.fine:
            self.log = explain(self.started)
        return self

    def verdict(self, check: Check, cluster: str) -> Verdict:
        """Return the verdict on it."""
        details = [Detail("what was done", masked("\n".join(self.notes)))] if self.notes else []
        if self.log:
            details.append(Detail("last lines of the hub's log", self.log))
        if self.shown:
            details.append(self.shown)
        found = self.found | {one.field: one.found for one in self.differences}
        reading = Reading("hub", self.evidence, self.started, self.took, {})
        return Verdict(
            check, cluster, self.outcome, self.reason, reading, self.differences, found, details=tuple(details)
        )


def hub_log(doors: Doors, since: datetime) -> str:
    """Return the last lines that the hub's container said since then, without secrets; or why they cannot be had."""
    try:
        return masked("\n".join(doors.container.log(since, LINES).splitlines()))
    except DoorError as error:
        return str(error)
