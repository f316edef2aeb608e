"""What a restart of the hub's container took away: each check that held before it, and does not any more. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hubspec.baseline import Baseline
from hubspec.check import Check, checks, undeclared_check
from hubspec.kinds import KINDS
from hubspec.model import Difference, Outcome
from hubspec.snapshot import Snapshot
from hubspec.verdict import Verdict, judge


def every_check(baseline: Baseline) -> list[Check]:
    """Return all checks of a baseline but its smoke tests, in the order of the kinds."""
    found = ((*checks(baseline, kind), undeclared_check(baseline, kind)) for kind in KINDS)
    return [check for several in found for check in several if check]


def settled(snapshot: Snapshot, baseline: Baseline, before: Snapshot) -> str:
    """Return why a cluster is not up again yet: the reason of a check that could look before and cannot now; or nothing."""
    for check in every_check(baseline):
        now = judge(check, baseline, snapshot)
        if now.outcome is Outcome.UNREADABLE and judge(check, baseline, before).outcome is not Outcome.UNREADABLE:
            return now.reason
    return ""


def survived(check: Check, baseline: Baseline, before: Snapshot, after: Snapshot) -> Verdict:
    """Return the verdict of the smoke test `restart`: compliant where every check that held before holds after it.

    Its differences name each check that does not, with what it says now.
    """
    reading = after.reading(check.kind)
    lost = list(_lost(every_check(baseline), baseline, before, after))
    if not lost:
        reason = "the container was restarted, and everything that was as declared still is"
        return Verdict(check, after.cluster, Outcome.COMPLIANT, reason, reading)
    blind = [now for now in lost if now.outcome is Outcome.UNREADABLE]
    if blind:
        reason = f"the container was restarted, and could not be looked at again: {blind[0].reason}"
        return Verdict(check, after.cluster, Outcome.UNREADABLE, reason, reading)
    differences = tuple(Difference(now.check.about, "as before the restart", now.reason) for now in lost)
    reason = f"the restart of the container took away: {'; '.join(now.reason for now in lost)}"
    found = {difference.field: difference.found for difference in differences}
    return Verdict(check, after.cluster, Outcome.DRIFTED, reason, reading, differences, found)


def put_back(lost: Verdict, baseline: Baseline, before: Snapshot, now: Snapshot, after: Snapshot) -> Verdict:
    """Return the verdict once what was lost was put back: FIXED where nothing is missing any more.

    `before` is from before the restart, `now` from after it, `after` what was read anew of the kinds that were touched.
    """
    whole = Snapshot(now.cluster, now.readings | after.readings)
    again = survived(lost.check, baseline, before, whole)
    if again.outcome is not Outcome.COMPLIANT:
        return again
    reason = f"{lost.reason}; all of it was put back"
    return replace(again, outcome=Outcome.FIXED, reason=reason, before=lost)


def _lost(found: Iterable[Check], baseline: Baseline, before: Snapshot, after: Snapshot) -> Iterable[Verdict]:
    fine = {Outcome.COMPLIANT, Outcome.WAIVED}
    for check in found:
        then, now = judge(check, baseline, before), judge(check, baseline, after)
        if then.outcome in fine and now.outcome not in {*fine, Outcome.NOT_APPLICABLE}:
            yield now
