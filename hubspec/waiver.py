"""Accepted drifts: which waiver counts for a check."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from datetime import datetime

from hubspec.baseline import Baseline
from hubspec.check import Check
from hubspec.model import Waiver
from hubspec.waiver_time import begins, counts


def accepted(check: Check, cluster: str, baseline: Baseline, now: datetime) -> Waiver | None:
    """Return the waiver that covers a drift of this check at this moment, or None."""
    return next((one for _, one in _of(check, cluster, baseline) if counts(one, now)), None)


def lapsed(check: Check, cluster: str, baseline: Baseline, now: datetime) -> list[str]:
    """Return a few words for each waiver that would cover a drift of this check, but not at this moment."""
    return [
        f"waiver {key} of {one.owner} ({one.ticket}) {told_time(one, now)}"
        for key, one in _of(check, cluster, baseline)
    ]


def _of(check: Check, cluster: str, baseline: Baseline) -> Iterator[tuple[str, Waiver]]:
    for key, waiver in baseline.sections.waivers.items():
        if covers(waiver, check.control_id, check.name, cluster):
            yield key, waiver


def covers(waiver: Waiver, control: str, resource: str, cluster: str) -> bool:
    """Say whether a waiver is about this control, resource and cluster, whatever the time."""
    return (
        waiver.control == control
        and fnmatch.fnmatchcase(resource, waiver.resource)
        and fnmatch.fnmatchcase(cluster, waiver.cluster)
    )


def told_time(waiver: Waiver, now: datetime) -> str:
    """Return why a waiver does not count at this moment."""
    return f"begins on {waiver.since}" if now < begins(waiver) else f"expired on {waiver.until}"
