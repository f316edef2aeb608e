"""How each waiver stands after a run: what it met, whether its time is over, and whether anybody has to do something."""

from __future__ import annotations

import enum
import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hubspec.baseline import Baseline
from hubspec.check import Check, checks, smoke_check, undeclared_check
from hubspec.kinds import KINDS
from hubspec.masked import masked_fields
from hubspec.model import Outcome, Record, Waiver
from hubspec.waiver import covers, told_time
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
                    known[asked] = sum(covers(waiver, check.control_id, check.name, cluster) for check in every)
                one.known += known[asked]
                one.foreign &= waiver.control not in baseline.sections.controls
    by_control: dict[str, list[Record]] = {}
    for record in records:
        by_control.setdefault(record.control, []).append(record)
    for one in met.values():
        mine = by_control.get(one.waiver.control, ())
        one.records = [r for r in mine if covers(one.waiver, r.control, r.resource, r.cluster)]
    rivals: dict[str, list[_Met]] = {}
    for one in met.values():
        rivals.setdefault(one.waiver.control, []).append(one)
    return [_told(one, rivals[one.waiver.control], whole=whole) for one in met.values()]


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


def _succeeded(one: _Met, state: State, rivals: Sequence[_Met]) -> bool:
    """Say whether other waivers cover all that drifts of one while it does not count, or from its end on."""
    drifting = [record for record in one.records if record.outcome in {Outcome.DRIFTED, Outcome.WAIVED}]
    if state is not State.EXPIRING:
        return bool(drifting) and all(record.outcome is Outcome.WAIVED for record in drifting)
    then = [other for other in rivals if other is not one and counts(other.waiver, ends(one.waiver))]
    return bool(drifting) and all(any(_about(other, record) for other in then) for record in drifting)


def _about(one: _Met, record: Record) -> bool:
    return record.cluster in one.clusters and covers(one.waiver, record.control, record.resource, record.cluster)


def _told(one: _Met, rivals: Sequence[_Met], *, whole: bool) -> dict[str, Any]:
    waiver, state, on = one.waiver, _state(one, whole=whole), ", ".join(one.clusters)
    then = "it stands in a baseline that this one extends" if one.shared else "take it out"
    days = (ends(waiver) - one.now).days
    left = f"in {days} day{'s' * (days != 1)}" if days else "in less than a day"
    succeeded = _succeeded(one, state, rivals)
    fine = len(one.records) >= one.known and all(record.outcome in HOLDS for record in one.records)
    again = "its drift counts again"
    if succeeded:
        again = f"another waiver covers its drift: {then}"
    elif fine:
        again = f"nothing that it covered drifts: {then}"
    drifting = sum(record.outcome in {Outcome.DRIFTED, Outcome.WAIVED} for record in one.records)
    sentence = {
        State.NOT_LOOKED_AT: "is about nothing that this run looked at",
        State.EXPIRED: f"{told_time(waiver, one.now)}: {again}",
        State.ORPHAN: f"matches no check of {on}: {then}",
        State.NOT_BEGUN: f"{told_time(waiver, one.now)}: until then {'another covers its drift' if succeeded else 'its drift counts'}",
        State.UNNEEDED: f"is not needed on {on}, where everything that it covers is as declared: {then}",
        State.EXPIRING: f"ends on {waiver.until}, {left}: {'another covers its drift' if succeeded else 'its drift counts'} then",
        State.ACTIVE: f"counts until {waiver.until}",
    }[state]
    told = waiver.model_dump(by_alias=True) | {
        "key": one.key,
        "state": str(state),
        "sentence": f"waiver {one.key} of {waiver.owner} ({waiver.ticket}) {sentence}",
        "checks": len(one.records),
        "drifting": drifting,
        "declared_at": one.place,
        "shared": one.shared,
        "succeeded": succeeded,
    }
    return masked_fields(told)


def notices(standings: Sequence[dict[str, Any]]) -> list[str]:
    """Return a sentence for each waiver that somebody has to do something about, with its file and line.

    That a waiver is for nothing here is told of the baseline's own: one that it extends serves others too. Of one that
    another takes over from, or goes before, nobody has to do anything.
    """
    renewed = {State.EXPIRING, State.NOT_BEGUN}
    fine = {State.ACTIVE, State.NOT_LOOKED_AT}
    quiet = {True: fine | {State.UNNEEDED, State.ORPHAN}, False: fine}
    return [
        f"{one['declared_at']}: {one['sentence']}"
        for one in standings
        if one["state"] not in quiet[one["shared"]] and not (one.get("succeeded") and one["state"] in renewed)
    ]
