"""From a check and a snapshot to a verdict: the outcome, what differs, and what would put it right. Pure."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from hubspec.baseline import Baseline
from hubspec.check import Check
from hubspec.compare import compare, unread
from hubspec.kinds import KINDS
from hubspec.model import Absent, Action, Difference, NotApplicable, Outcome, Present, Unreadable, Waiver
from hubspec.snapshot import Reading, Snapshot
from hubspec.waiver import accepted


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check found. `actions` would put it right; empty where nothing differs or nothing could be seen."""

    check: Check
    cluster: str
    outcome: Outcome
    reason: str
    reading: Reading
    differences: tuple[Difference, ...] = ()
    found: dict[str, Any] | None = None
    actions: tuple[Action, ...] = ()
    waiver: Waiver | None = None

    def __repr__(self) -> str:
        """Return the outcome and its reason, for pytest's own messages."""
        return f"{self.outcome}: {self.reason}"

    @property
    def compliant(self) -> bool:
        """Say whether the cluster is as declared here; a waived drift is not, but does not count."""
        return self.outcome in {Outcome.COMPLIANT, Outcome.FIXED, Outcome.WAIVED}


def judge(check: Check, baseline: Baseline, snapshot: Snapshot, today: date | None = None) -> Verdict:
    """Return what the snapshot says of one check. `today` (UTC) decides which waivers count."""
    reading = snapshot.reading(check.kind)
    if isinstance(reading.seen, Unreadable):
        return Verdict(check, snapshot.cluster, Outcome.UNREADABLE, reading.seen.reason, reading)
    if isinstance(reading.seen, NotApplicable):
        return Verdict(check, snapshot.cluster, Outcome.NOT_APPLICABLE, reading.seen.reason, reading)
    verdict = _declared(check, snapshot, reading) if check.resource else _undeclared(check, baseline, snapshot, reading)
    if verdict.outcome is not Outcome.DRIFTED:
        return verdict
    waiver = accepted(check, snapshot.cluster, baseline, today or datetime.now(UTC).date())
    if not waiver:
        return verdict
    reason = f"{verdict.reason}; waived until {waiver.until} by {waiver.owner} ({waiver.ticket}): {waiver.reason}"
    return Verdict(**{**verdict.__dict__, "outcome": Outcome.WAIVED, "reason": reason, "waiver": waiver})


def _declared(check: Check, snapshot: Snapshot, reading: Reading) -> Verdict:
    kind, expected = KINDS[check.kind], check.resource
    assert expected is not None
    assert isinstance(reading.seen, dict)
    seen = kind.look_up(check.name, reading.seen)
    if seen is None:
        seen = Unreadable("the snapshot was taken without asking for it; take a new one with this baseline")
    if isinstance(seen, Unreadable | NotApplicable):
        outcome = Outcome.UNREADABLE if isinstance(seen, Unreadable) else Outcome.NOT_APPLICABLE
        return Verdict(check, snapshot.cluster, outcome, seen.reason, reading)
    if isinstance(seen, Absent) and check.control.fields and not expected.control:
        reason = f"{check.about} is missing, so nothing can be said of its {', '.join(sorted(check.fields or ()))}"
        return Verdict(check, snapshot.cluster, Outcome.NOT_APPLICABLE, reason, reading)
    found = None
    if isinstance(seen, Present):
        names = check.fields or frozenset()
        missing = seen.unread or {}
        found = {
            name: getattr(seen.resource, name, None)
            for name in type(expected).fields_compared()
            if name in names and name not in missing
        }
    drift = compare(check.kind, expected, seen, check.fields)
    if drift:
        words = (
            "is there and must not be"
            if expected.ensure == "absent"
            else "is missing"
            if isinstance(seen, Absent)
            else (f"differs in {', '.join(difference.field for difference in drift.differences)}")
        )
        actions = tuple(kind.fix(drift))
        return Verdict(
            check,
            snapshot.cluster,
            Outcome.DRIFTED,
            f"{check.about} {words}",
            reading,
            drift.differences,
            found,
            actions,
        )
    blind = unread(expected, seen, check.fields) if isinstance(seen, Present) else {}
    if blind:
        reason = "; ".join(f"{check.about}: {field}: {why}" for field, why in blind.items())
        return Verdict(check, snapshot.cluster, Outcome.UNREADABLE, reason, reading, found=found)
    return Verdict(check, snapshot.cluster, Outcome.COMPLIANT, f"{check.about} is as declared", reading, found=found)


def _undeclared(check: Check, baseline: Baseline, snapshot: Snapshot, reading: Reading) -> Verdict:
    kind, policy = KINDS[check.kind], baseline.policy(check.kind)
    assert isinstance(reading.seen, dict)
    extra = {
        name: seen
        for name, seen in kind.undeclared(baseline.resources[check.kind], reading.seen).items()
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in policy.ignore)
    }
    if not extra:
        return Verdict(check, snapshot.cluster, Outcome.COMPLIANT, f"there are no {check.about}", reading, found={})
    differences = tuple(Difference(name, None, seen) for name, seen in sorted(extra.items()))
    actions = tuple(action for difference in differences for action in kind.forget(difference.field))
    reason = f"{check.about}: {', '.join(sorted(extra))}"
    return Verdict(check, snapshot.cluster, Outcome.DRIFTED, reason, reading, differences, extra, actions)
