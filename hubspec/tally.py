"""What the records of a run come to: counts, and the few that a short message names. Its size does not grow with the records."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from hubspec.model import Outcome, Record, Severity

NAMED = 12
"""How many records of each sort are kept to be named."""


@dataclass
class Cluster:
    """How one cluster stands: checks by outcome, drifts by severity, and why the first could not look."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    drifts: Counter[Severity] = field(default_factory=Counter)
    blind: str = ""


@dataclass
class Tally:
    """Counts of a run, filled record by record, so that a merged run of many clusters is counted as it comes in."""

    checks: Counter[tuple[Outcome, Severity]] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    new: int = 0
    """Drifts that the run before did not know: new, regressed, or of a run without a history."""
    fixed: int = 0
    named_new: list[Record] = field(default_factory=list)
    """The most severe of the new, at most NAMED."""
    named_fixed: list[Record] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """Count one record."""
        cluster = self.clusters.setdefault(record.cluster, Cluster())
        cluster.outcomes[record.outcome] += 1
        self.checks[record.outcome, record.severity] += 1
        if record.change:
            self.changes[record.change] += 1
        if record.outcome is Outcome.UNREADABLE:
            cluster.blind = cluster.blind or record.message
        if record.outcome is Outcome.DRIFTED:
            cluster.drifts[record.severity] += 1
            if record.change != "still":
                self.new += 1
                _name(self.named_new, record)
        if record.outcome is Outcome.FIXED or record.change == "fixed":
            self.fixed += 1
            _name(self.named_fixed, record)

    @property
    def outcomes(self) -> Counter[Outcome]:
        """Return the number of checks by outcome."""
        count: Counter[Outcome] = Counter()
        for (outcome, _), number in self.checks.items():
            count[outcome] += number
        return count

    @property
    def blind(self) -> int:
        """Return how many checks could not look."""
        return self.outcomes[Outcome.UNREADABLE]


def tallied(records: Iterable[Record]) -> Tally:
    """Return the counts of these records."""
    tally = Tally()
    for record in records:
        tally.add(record)
    return tally


def _name(named: list[Record], record: Record) -> None:
    insort(named, record, key=_order)
    del named[NAMED:]


def _order(record: Record) -> tuple[int, str, str, str]:
    return (-list(Severity).index(record.severity), record.control, record.cluster, record.resource)
