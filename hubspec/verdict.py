"""From a check and a snapshot to a verdict: the outcome, what differs, and what would put it right. Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hubspec import probe_name
from hubspec.baseline import Baseline
from hubspec.check import Check
from hubspec.compare import compare, unread
from hubspec.kinds import KINDS
from hubspec.model import (
    Absent,
    Action,
    Detail,
    Difference,
    NotApplicable,
    Observation,
    Outcome,
    Present,
    Unreadable,
    Waiver,
)
from hubspec.snapshot import Reading, Snapshot
from hubspec.waiver import accepted, lapsed

TOLD = 3
"""Of how many things that drift under one check a verdict tells what they say of themselves."""


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check found. `actions` would put it right; empty where nothing differs or nothing could be seen.

    Where something was done about it in this run, `before` is what was found then, and `results` is request -> what
    became of it.
    """

    check: Check
    cluster: str
    outcome: Outcome
    reason: str
    reading: Reading
    differences: tuple[Difference, ...] = ()
    found: dict[str, Any] | None = None
    actions: tuple[Action, ...] = ()
    waiver: Waiver | None = None
    details: tuple[Detail, ...] = ()
    before: Verdict | None = None
    results: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return the outcome and its reason, for pytest's own messages."""
        return f"{self.outcome}: {self.reason}"

    @property
    def compliant(self) -> bool:
        """Say whether the cluster is as declared here; a waived drift is not, but does not count."""
        return self.outcome in {Outcome.COMPLIANT, Outcome.FIXED, Outcome.WAIVED}


def judge(check: Check, baseline: Baseline, snapshot: Snapshot, now: datetime | None = None) -> Verdict:
    """Return what the snapshot says of one check. `now`, of the baseline where none is given, decides which waivers count."""
    reading = snapshot.reading(check.kind)
    if isinstance(reading.seen, Unreadable):
        return Verdict(check, snapshot.cluster, Outcome.UNREADABLE, reading.seen.reason, reading)
    if isinstance(reading.seen, NotApplicable):
        return Verdict(check, snapshot.cluster, Outcome.NOT_APPLICABLE, reading.seen.reason, reading)
    verdict = _declared(check, snapshot, reading) if check.resource else _undeclared(check, baseline, snapshot, reading)
    return waived(verdict, baseline, now)


def waived(verdict: Verdict, baseline: Baseline, now: datetime | None = None) -> Verdict:
    """Return the verdict, as waived where it is a drift that somebody accepted, and whose time it is.

    A drift that somebody accepted for another time says so, and counts.
    """
    if verdict.outcome is not Outcome.DRIFTED:
        return verdict
    now = now or baseline.now
    waiver = accepted(verdict.check, verdict.cluster, baseline, now)
    if not waiver:
        told = lapsed(verdict.check, verdict.cluster, baseline, now)
        return replace(verdict, reason="; ".join([verdict.reason, *told])) if told else verdict
    reason = f"{verdict.reason}; waived until {waiver.until} by {waiver.owner} ({waiver.ticket}): {waiver.reason}"
    return replace(verdict, outcome=Outcome.WAIVED, reason=reason, waiver=waiver)


def _declared(check: Check, snapshot: Snapshot, reading: Reading) -> Verdict:
    assert check.resource is not None
    assert isinstance(reading.seen, dict)
    found = KINDS[check.kind].look_up(check.resource, reading.seen)
    if not found:
        found = {"": Unreadable("the snapshot was taken without asking for it; take a new one with this baseline")}
    verdicts = [_one(check, snapshot, reading, label, seen) for label, seen in found.items()]
    return verdicts[0] if len(verdicts) == 1 else _joined(verdicts)


def _joined(verdicts: list[Verdict]) -> Verdict:
    """Return one verdict on several things that a declaration is about: they drift where one does, with all differences."""
    worst = [Outcome.DRIFTED, Outcome.UNREADABLE, Outcome.NOT_APPLICABLE, Outcome.COMPLIANT]
    mine = [verdict for verdict in verdicts if verdict.outcome == min((v.outcome for v in verdicts), key=worst.index)]
    first = mine[0]
    if first.outcome is Outcome.COMPLIANT:
        return replace(first, reason=f"{first.reason}, all {len(verdicts)} of them")
    return replace(
        first,
        reason="; ".join(verdict.reason for verdict in mine[:TOLD])
        + (f"; and {len(mine) - TOLD} more" if len(mine) > TOLD else ""),
        differences=tuple(difference for verdict in mine for difference in verdict.differences),
        actions=tuple(dict.fromkeys(action for verdict in mine for action in verdict.actions)),
        details=tuple(detail for verdict in mine[:TOLD] for detail in verdict.details),
    )


def _one(check: Check, snapshot: Snapshot, reading: Reading, label: str, seen: Observation) -> Verdict:
    kind, expected = KINDS[check.kind], check.resource
    assert expected is not None
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
    about = f"{check.about}, which is {label}," if label else check.about
    drift = compare(check.kind, expected, seen, check.fields)
    if drift:
        words = (
            "is there and must not be"
            if expected.ensure == "absent"
            else "is missing"
            if isinstance(seen, Absent)
            else (f"differs in {', '.join(difference.field for difference in drift.differences)}")
        )
        return Verdict(
            check,
            snapshot.cluster,
            Outcome.DRIFTED,
            f"{about} {words}",
            reading,
            tuple(replace(one, field=f"{one.field} of {label}") if label else one for one in drift.differences),
            found,
            tuple(kind.fix(drift)),
            details=_about(seen, drift.differences),
        )
    blind = unread(expected, seen, check.fields) if isinstance(seen, Present) else {}
    if blind:
        reason = "; ".join(f"{check.about}: {field}: {why}" for field, why in blind.items())
        return Verdict(check, snapshot.cluster, Outcome.UNREADABLE, reason, reading, found=found)
    return Verdict(check, snapshot.cluster, Outcome.COMPLIANT, f"{check.about} is as declared", reading, found=found)


def _about(seen: Present | Absent, differences: tuple[Difference, ...]) -> tuple[Detail, ...]:
    """Return what a thing says of itself that explains one of these differences, or the whole thing."""
    fields = {difference.field.partition(".")[0] for difference in differences}
    details = seen.details if isinstance(seen, Present) else ()
    return tuple(detail for detail in details if not detail.field or detail.field in fields)


def _undeclared(check: Check, baseline: Baseline, snapshot: Snapshot, reading: Reading) -> Verdict:
    kind, policy = KINDS[check.kind], baseline.policy(check.kind)
    assert isinstance(reading.seen, dict)
    extra = {
        name: seen
        for name, seen in kind.undeclared(baseline.resources[check.kind], reading.seen, policy).items()
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in policy.ignore)
        and not probe_name.at_work(name, reading.started)
    }
    if not extra:
        return Verdict(check, snapshot.cluster, Outcome.COMPLIANT, f"there are no {check.about}", reading, found={})
    differences = tuple(Difference(name, None, seen) for name, seen in sorted(extra.items()))
    actions = tuple(dict.fromkeys(action for one in differences for action in kind.forget(one.field)))
    reason = f"{check.about}: {', '.join(sorted(extra))}"
    seen = [one for name in sorted(extra) if isinstance(one := reading.seen.get(name), Present)]
    details = tuple(detail for one in seen[:TOLD] for detail in one.details)
    return Verdict(
        check, snapshot.cluster, Outcome.DRIFTED, reason, reading, differences, extra, actions, details=details
    )
