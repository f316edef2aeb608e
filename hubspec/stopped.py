"""A stopped container, where drift is to be put right: the one thing that is known of it, and what starts it. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from hubspec.baseline import Baseline
from hubspec.check import Check
from hubspec.kinds import KINDS
from hubspec.model import Difference, Drift, Outcome, Present, Stopped
from hubspec.snapshot import Snapshot
from hubspec.verdict import Verdict, waived


def stopped(check: Check, baseline: Baseline, snapshot: Snapshot, now: datetime | None = None) -> Verdict | None:
    """Return the drift that a stopped container is for the check that declares that it runs; None where there is none.

    An audit does not ask this: to it nothing is known of a container that cannot be looked into.
    """
    kind, reading, expected = KINDS[check.kind], snapshot.reading(check.kind), check.resource
    declared = expected is not None and expected.ensure == "present" and expected.stated().get("running") is True
    if (
        not isinstance(reading.seen, Stopped)
        or kind.door != "engine"
        or not declared
        or check.name != reading.container
    ):
        return None
    if expected is None or "running" not in (check.fields or ()):
        return None
    difference = Difference("running", wanted=True, found=False)
    found: dict[str, Any] = {"running": False}
    seen = Present(kind.resource.model_construct({"name", *found}, name=check.name, **found))
    verdict = Verdict(
        check,
        snapshot.cluster,
        Outcome.DRIFTED,
        f"{check.about} does not run",
        reading,
        (difference,),
        found,
        tuple(kind.fix(Drift(check.kind, check.name, expected, seen, (difference,)))),
    )
    verdict = waived(verdict, baseline, now)
    return verdict if verdict.outcome is Outcome.DRIFTED else None


def with_start(down: Verdict, now: Verdict) -> Verdict:
    """Return the drift of a container that was started: that it did not run, and whatever else differs now that it does."""
    if now.outcome is not Outcome.DRIFTED:
        return down
    return replace(
        down,
        reason=f"{down.reason}; started, it {now.reason.removeprefix(f'{down.check.about} ')}",
        differences=down.differences + now.differences,
        actions=down.actions + now.actions,
        found=(now.found or {}) | (down.found or {}),
    )
