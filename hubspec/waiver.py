"""Accepted drifts: which waiver counts for a check, and which waivers have expired or meet nothing."""

from __future__ import annotations

import fnmatch
from datetime import date

from hubspec.baseline import Baseline
from hubspec.check import Check, checks, smoke_check, undeclared_check
from hubspec.kinds import KINDS
from hubspec.model import Waiver


def accepted(check: Check, cluster: str, baseline: Baseline, today: date) -> Waiver | None:
    """Return the waiver that covers a drift of this check on this day (UTC), or None."""
    for waiver in baseline.sections.waivers.values():
        if _covers(waiver, check, cluster) and date.fromisoformat(waiver.until) >= today:
            return waiver
    return None


def _covers(waiver: Waiver, check: Check, cluster: str) -> bool:
    return (
        waiver.control == check.control_id
        and fnmatch.fnmatchcase(check.name, waiver.resource)
        and fnmatch.fnmatchcase(cluster, waiver.cluster)
    )


def notices(baseline: Baseline, cluster: str, today: date) -> list[str]:
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
    every += [smoke_check(baseline, kind, name) for name in KINDS[kind].smoke]
    return any(_covers(waiver, check, cluster) for check in every if check)
