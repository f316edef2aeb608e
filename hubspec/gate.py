"""Which drift makes a run fail: `--fail-on`. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from hubspec.model import Outcome, Record, Severity

GATES = ("any", "new", *map(str, Severity))
"""any: every drift. new: what did not drift in the run before that looked at it. A severity: that one, and worse."""


def counts(record: Record, gate: str) -> bool:
    """Say whether this drift makes a run fail. What could not be looked at is no drift, and has its own exit code."""
    if record.outcome is not Outcome.DRIFTED:
        return False
    if gate == "any":
        return True
    if gate == "new":
        return record.change != "still"
    ladder = list(Severity)
    return ladder.index(record.severity) >= ladder.index(Severity(gate))


def passed_over(records: Iterable[Record], gate: str) -> int:
    """Return how many drifts do not make the run fail."""
    return sum(record.outcome is Outcome.DRIFTED and not counts(record, gate) for record in records)
