"""What is said of records too many to be held: how many, and the most severe of each control. Pure."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hubspec.model import Outcome, Record, Severity
from hubspec.tally import Tally

OPEN = (Outcome.DRIFTED, Outcome.UNREADABLE)
"""What somebody has to do something about, in the order of urgency."""
SAMPLES = 10
"""How many records of a control are kept: of drift that the run before did not know, before any other."""
_LADDER = list(reversed(Severity))


@dataclass
class Open:
    """A control that does not hold, or could not be looked at: how often, where, and some of the records."""

    control: str
    title: str
    severity: Severity
    outcome: Outcome
    checks: int = 0
    clusters: set[str] = field(default_factory=set)
    samples: list[Record] = field(default_factory=list)

    @property
    def urgency(self) -> tuple[int, bool, int, str]:
        """Return a key that sorts the worst first: by severity, drift before blindness, then by how many clusters."""
        return _LADDER.index(self.severity), self.outcome != Outcome.DRIFTED, -len(self.clusters), self.control


@dataclass
class Overview(Tally):
    """A tally that also keeps of each open control some of its records; it grows with clusters and controls."""

    open: dict[tuple[Outcome, str], Open] = field(default_factory=dict)
    spoken: dict[tuple[str, Outcome, str], Record] = field(default_factory=dict)
    """One record for each control, outcome and set of requirements: what `framework.coverage` needs for a standing."""

    def add(self, record: Record) -> None:
        """Count one more record."""
        super().add(record)
        spoken = record.control, record.outcome, repr(record.tags)
        if spoken not in self.spoken:
            self.spoken[spoken] = slim(record)
        if record.outcome not in OPEN:
            return
        about = Open(record.control, record.title, record.severity, record.outcome)
        one = self.open.setdefault((record.outcome, record.control), about)
        one.severity = max(one.severity, record.severity, key=_RANK.__getitem__)
        one.checks += 1
        one.clusters.add(record.cluster)
        if len(one.samples) < SAMPLES or _known(record) < _known(one.samples[-1]):
            insort(one.samples, slim(record), key=_known)
            del one.samples[SAMPLES:]

    def worst(self) -> list[Open]:
        """Return the open controls, the most severe first."""
        return sorted(self.open.values(), key=lambda one: one.urgency)


_RANK = {severity: number for number, severity in enumerate(Severity)}


def _known(record: Record) -> bool:
    return record.change == "still"


def of(records: Iterable[Record]) -> Overview:
    """Return the overview of these records."""
    tally = Overview()
    for record in records:
        tally.add(record)
    return tally


def slim(record: Record) -> Record:
    """Return a record without what takes room: states, details, and all but the first of its actions."""
    least: dict[str, Any] = {"expected": {}, "before": None, "after": None, "differences": [], "details": []}
    return record.model_copy(update=least | {"actions": record.actions[:1]})
