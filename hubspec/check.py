"""From a baseline to checks, and from a check and a snapshot to a verdict. Pure: no pytest, no I/O."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from hubspec.baseline import Baseline
from hubspec.compare import compare, unread
from hubspec.kinds import KINDS
from hubspec.layers import Place
from hubspec.model import (
    Absent,
    Action,
    Control,
    Difference,
    NotApplicable,
    Outcome,
    Present,
    Resource,
    Unreadable,
    Waiver,
)
from hubspec.snapshot import Reading, Snapshot

EVERYTHING_ELSE = "*"


@dataclass(frozen=True)
class Check:
    """One control applied to one declared resource, or to all that is undeclared of a kind (`name` is then '*')."""

    kind: str
    name: str
    control_id: str
    control: Control
    fields: frozenset[str] | None
    resource: Resource | None
    place: Place
    label: str

    @property
    def about(self) -> str:
        """Return 'user diego', or 'undeclared users'."""
        return f"{self.kind} {self.name}" if self.resource else f"undeclared {KINDS[self.kind].section}"


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


def checks(baseline: Baseline, kind: str) -> list[Check]:
    """Return the checks of the declared resources of one kind, in the baseline's order.

    A resource has one check under its own or its kind's control, and one more for each control that names some of
    its stated fields: that one is labelled NAME:CONTROL.
    """
    controls = {id_: c for id_, c in baseline.sections.controls.items() if c.kind == kind and not c.undeclared}
    return [check for name in baseline.resources[kind] for check in _of(baseline, controls, kind, name)]


def _of(baseline: Baseline, controls: dict[str, Control], kind: str, name: str) -> Iterator[Check]:
    resource, place = baseline.resources[kind][name], baseline.place(kind, name)
    stated = resource.stated().keys()
    rest = set(stated)
    narrow = []
    if not resource.control and resource.ensure == "present":
        for id_, control in controls.items():
            mine = stated & control.fields
            if mine:
                rest -= mine
                narrow.append(Check(kind, name, id_, control, frozenset(mine), resource, place, f"{name}:{id_}"))
    general = resource.control or next(id_ for id_, control in controls.items() if not control.fields)
    yield Check(kind, name, general, controls[general], frozenset(rest), resource, place, name)
    yield from narrow


def undeclared_check(baseline: Baseline, kind: str) -> Check | None:
    """Return the check of what exists of a kind without being declared; None where the policy is to ignore it."""
    if baseline.policy(kind).policy == "ignore":
        return None
    controls = baseline.sections.controls.items()
    id_, control = next((id_, c) for id_, c in controls if c.kind == kind and c.undeclared)
    return Check(kind, EVERYTHING_ELSE, id_, control, None, None, baseline.place(kind, "*"), EVERYTHING_ELSE)


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
    waiver = _waiver(verdict, baseline, today or datetime.now(UTC).date())
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


def _waiver(verdict: Verdict, baseline: Baseline, today: date) -> Waiver | None:
    for waiver in baseline.sections.waivers.values():
        if _covers(waiver, verdict.check, verdict.cluster) and date.fromisoformat(waiver.until) >= today:
            return waiver
    return None


def _covers(waiver: Waiver, check: Check, cluster: str) -> bool:
    return (
        waiver.control == check.control_id
        and fnmatch.fnmatchcase(check.name, waiver.resource)
        and fnmatch.fnmatchcase(cluster, waiver.cluster)
    )


def waiver_notices(baseline: Baseline, cluster: str, today: date) -> list[str]:
    """Return a sentence for each waiver of this cluster that has expired, or that no check can ever meet."""
    notices = []
    for key, waiver in baseline.sections.waivers.items():
        place = baseline.layer.place(("waivers", key))
        if not fnmatch.fnmatchcase(cluster, waiver.cluster):
            continue
        if date.fromisoformat(waiver.until) < today:
            notices.append(f"{place}: waiver {key} of {waiver.owner} expired on {waiver.until}: its drift counts again")
        elif not _meets_a_check(waiver, baseline, cluster):
            notices.append(f"{place}: waiver {key} of {waiver.owner} matches no check of {cluster}: take it out")
    return notices


def _meets_a_check(waiver: Waiver, baseline: Baseline, cluster: str) -> bool:
    kind = baseline.sections.controls[waiver.control].kind
    every = [*checks(baseline, kind), undeclared_check(baseline, kind)]
    return any(_covers(waiver, check, cluster) for check in every if check)
