"""What the records of a run come to: counts, and the few that a short message names. It grows with clusters and controls, and not with records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from hubspec.model import Outcome, Record, Severity

NAMED = 3
"""How many records of a control are kept to be named."""


@dataclass
class Cluster:
    """How one cluster stands: checks by outcome, drifts by severity, and why the first could not look."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    drifts: Counter[Severity] = field(default_factory=Counter)
    blind: str = ""


@dataclass
class Group:
    """Records of one control: how many, where, and the first of them."""

    control: str
    severity: Severity
    checks: int = 0
    clusters: set[str] = field(default_factory=set)
    named: list[Record] = field(default_factory=list)
    """At most NAMED."""


@dataclass
class Found:
    """Records of one sort, such as new drift, by their control."""

    checks: int = 0
    controls: dict[str, Group] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Count one record."""
        self.checks += 1
        group = self.controls.setdefault(record.control, Group(record.control, record.severity))
        group.checks += 1
        group.clusters.add(record.cluster)
        if len(group.named) < NAMED:
            group.named.append(record)

    def worst(self) -> list[Group]:
        """Return the controls, the most severe first, and then those of the most clusters."""
        order = list(reversed(Severity))
        return sorted(
            self.controls.values(), key=lambda one: (order.index(one.severity), -len(one.clusters), one.control)
        )


@dataclass
class Tally:
    """Counts of a run, filled record by record, so that a merged run of many clusters is counted as it comes in."""

    checks: Counter[tuple[Outcome, Severity]] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    clusters: dict[str, Cluster] = field(default_factory=dict)
    new: Found = field(default_factory=Found)
    """Drifts that the run before did not know: new, regressed, or of a run without a history."""
    fixed: Found = field(default_factory=Found)

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
                self.new.add(record)
        if record.outcome is Outcome.FIXED or record.change == "fixed":
            self.fixed.add(record)

    @property
    def outcomes(self) -> Counter[Outcome]:
        """Return the number of checks by outcome."""
        count: Counter[Outcome] = Counter()
        for (outcome, _), number in self.checks.items():
            count[outcome] += number
        return count

    @property
    def counted(self) -> str:
        """Return the outcomes in words, such as "96 compliant, 2 drifted"; empty where there is no record."""
        count = self.outcomes
        return ", ".join(f"{count[outcome]} {outcome}" for outcome in Outcome if count[outcome])

    @property
    def severities(self) -> list[str]:
        """Return a line for each outcome that somebody has to act on, such as "drifted: 1 high, 3 low"."""
        found = []
        for outcome in (Outcome.DRIFTED, Outcome.UNREADABLE):
            levels = [f"{self.checks[outcome, one]} {one}" for one in reversed(Severity) if self.checks[outcome, one]]
            found += [f"{outcome}: {', '.join(levels)}"] if levels else []
        return found

    @property
    def changed(self) -> str:
        """Return the changes since the run before in words, such as "1 new, 2 still"; empty where there is none."""
        return ", ".join(
            f"{self.changes[one]} {one}" for one in ("new", "regressed", "still", "fixed") if self.changes[one]
        )

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
