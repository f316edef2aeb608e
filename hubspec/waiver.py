"""Accepted drifts: which waiver counts for a check, and how each stands after a run."""

from __future__ import annotations

import enum
import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hubspec.baseline import Baseline
from hubspec.check import Check, checks, smoke_check, undeclared_check
from hubspec.kinds import KINDS
from hubspec.model import Outcome, Record, Waiver
from hubspec.waiver_time import SOON, begins, counts, ends

HOLDS = {Outcome.COMPLIANT, Outcome.FIXED}


class State(enum.StrEnum):
    """How a waiver stands; the first that is true counts."""

    NOT_LOOKED_AT = "not looked at"
    EXPIRED = "expired"
    ORPHAN = "orphan"
    NOT_BEGUN = "not begun"
    UNNEEDED = "unneeded"
    EXPIRING = "expiring"
    ACTIVE = "active"


@dataclass
class _Met:
    """A waiver, the clusters of the run that it is about, and what it met there."""

    key: str
    waiver: Waiver
    place: str
    now: datetime
    clusters: list[str] = field(default_factory=list)
    known: int = 0
    """Checks that the baselines of these clusters have for it, whether they were run or not."""
    records: list[Record] = field(default_factory=list)
    foreign: bool = True
    """Its control is in none of these baselines, so only the records know its checks."""
    shared: bool = False
    """It stands in a file that the baseline extends: that this run does not need it is no fault of it."""


def accepted(check: Check, cluster: str, baseline: Baseline, now: datetime) -> Waiver | None:
    """Return the waiver that covers a drift of this check at this moment, or None."""
    return next((one for _, one in _of(check, cluster, baseline) if counts(one, now)), None)


def lapsed(check: Check, cluster: str, baseline: Baseline, now: datetime) -> list[str]:
    """Return a few words for each waiver that would cover a drift of this check, but not at this moment."""
    return [
        f"waiver {key} of {one.owner} ({one.ticket}) {_time(one, now)}" for key, one in _of(check, cluster, baseline)
    ]


def _of(check: Check, cluster: str, baseline: Baseline) -> Iterator[tuple[str, Waiver]]:
    for key, waiver in baseline.sections.waivers.items():
        if _covers(waiver, check.control_id, check.name, cluster):
            yield key, waiver


def _covers(waiver: Waiver, control: str, resource: str, cluster: str) -> bool:
    return (
        waiver.control == control
        and fnmatch.fnmatchcase(resource, waiver.resource)
        and fnmatch.fnmatchcase(cluster, waiver.cluster)
    )


def _time(waiver: Waiver, now: datetime) -> str:
    return f"begins on {waiver.since}" if now < begins(waiver) else f"expired on {waiver.until}"


def standings(
    baselines: Sequence[tuple[str, Baseline]], records: Sequence[Record], *, whole: bool
) -> list[dict[str, Any]]:
    """Return each waiver as a report tells it: its fields, where it stands, its `state`, a `sentence`, what it met.

    `baselines` are those of the clusters of a run, by the cluster's name. `whole`: the run left none of its checks out;
    only then a waiver of a control that no baseline has is known to match nothing.
    """
    met: dict[str, _Met] = {}
    known: dict[tuple[int, str], int] = {}  # clusters share their baseline
    for cluster, baseline in baselines:
        for key, waiver in baseline.sections.waivers.items():
            place = baseline.layer.place(("waivers", key))
            shared = place.file in baseline.extended
            one = met.setdefault(f"{place} {key}", _Met(key, waiver, str(place), baseline.now, shared=shared))
            if fnmatch.fnmatchcase(cluster, waiver.cluster):
                one.clusters.append(cluster)
                asked = id(baseline), key
                if asked not in known:
                    every = _possible(waiver, baseline)
                    known[asked] = sum(_covers(waiver, check.control_id, check.name, cluster) for check in every)
                one.known += known[asked]
                one.foreign &= waiver.control not in baseline.sections.controls
    by_control: dict[str, list[Record]] = {}
    for record in records:
        by_control.setdefault(record.control, []).append(record)
    for one in met.values():
        mine = by_control.get(one.waiver.control, ())
        one.records = [r for r in mine if _covers(one.waiver, r.control, r.resource, r.cluster)]
    return [_told(one, whole=whole) for one in met.values()]


def _possible(waiver: Waiver, baseline: Baseline) -> list[Check]:
    """Return every check that the baseline has of the kind of the waiver's control."""
    control = baseline.sections.controls.get(waiver.control)
    if control is None:
        return []
    kind = control.kind
    smoke = [smoke_check(baseline, kind, name) for name in KINDS[kind].smoke]
    return [check for check in [*checks(baseline, kind), undeclared_check(baseline, kind), *smoke] if check]


def _state(one: _Met, *, whole: bool) -> State:
    nothing = not one.known and not one.records
    if not one.clusters or (nothing and one.foreign and not whole):
        return State.NOT_LOOKED_AT
    if one.now >= ends(one.waiver):
        return State.EXPIRED
    if nothing:
        return State.ORPHAN
    if one.now < begins(one.waiver):
        return State.NOT_BEGUN
    if len(one.records) >= one.known and all(record.outcome in HOLDS for record in one.records):
        return State.UNNEEDED
    return State.EXPIRING if ends(one.waiver) - one.now <= SOON else State.ACTIVE


def _told(one: _Met, *, whole: bool) -> dict[str, Any]:
    waiver, state, on = one.waiver, _state(one, whole=whole), ", ".join(one.clusters)
    then = "it stands in a baseline that this one extends" if one.shared else "take it out"
    days = (ends(waiver) - one.now).days
    drifting = sum(record.outcome in {Outcome.DRIFTED, Outcome.WAIVED} for record in one.records)
    sentence = {
        State.NOT_LOOKED_AT: "is about nothing that this run looked at",
        State.EXPIRED: f"{_time(waiver, one.now)}: its drift counts again",
        State.ORPHAN: f"matches no check of {on}: {then}",
        State.NOT_BEGUN: f"{_time(waiver, one.now)}: until then its drift counts",
        State.UNNEEDED: f"is not needed on {on}, where everything that it covers is as declared: {then}",
        State.EXPIRING: f"ends on {waiver.until}, in {days} day{'s' * (days != 1)}: its drift counts then",
        State.ACTIVE: f"counts until {waiver.until}",
    }[state]
    return waiver.model_dump(by_alias=True) | {
        "key": one.key,
        "state": str(state),
        "sentence": f"waiver {one.key} of {waiver.owner} ({waiver.ticket}) {sentence}",
        "checks": len(one.records),
        "drifting": drifting,
        "declared_at": one.place,
        "shared": one.shared,
    }


def notices(standings: Sequence[dict[str, Any]]) -> list[str]:
    """Return a sentence for each waiver that somebody has to do something about, with its file and line.

    That a waiver is for nothing here is told of the baseline's own: one that it extends serves others too.
    """
    fine = {State.ACTIVE, State.NOT_LOOKED_AT}
    quiet = {True: fine | {State.UNNEEDED, State.ORPHAN}, False: fine}
    return [f"{one['declared_at']}: {one['sentence']}" for one in standings if one["state"] not in quiet[one["shared"]]]
