"""The life of a waiver: when it counts, how it stands after a run, and the faults of a file of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hubspec.baseline import Baseline, load
from hubspec.check import checks
from hubspec.errors import BaselineError
from hubspec.model import Record, Unreadable, Waiver
from hubspec.verdict import judge
from hubspec.waiver_standing import State, notices, standings
from hubspec.waiver_time import counts
from tests.made import declare, present, saw
from tests.records import record

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DIEGO = present("user", "diego", uid=1001, shell="/bin/sh", locked=False)


def waiver(**stated: str) -> dict[str, str]:
    base = {"control": "USER-01", "reason": "r", "owner": "Ada", "ticket": "T-1", "until": "2026-12-31"}
    return base | {{"since": "from"}.get(key, key): value for key, value in stated.items()}


TIMES = [
    # from, until, moments at which it counts, moments at which it does not
    (None, "2026-06-15", ["2026-06-15T23:59:59.999"], ["2026-06-16T00:00"]),
    (None, "2026-06-15T12:00Z", ["2026-06-15T11:59:59"], ["2026-06-15T12:00"]),
    ("2026-06-15", "2026-06-15", ["2026-06-15T00:00"], ["2026-06-14T23:59:59.999"]),
    ("2026-06-15T08:30:15Z", "2026-06-16", ["2026-06-15T08:30:15"], ["2026-06-15T08:30:14"]),
    (None, "9999-12-31", ["9999-12-31T23:59:59"], []),
]


@pytest.mark.parametrize(("since", "until", "yes", "no"), TIMES)
def test_when_it_counts(since: str | None, until: str, yes: list[str], no: list[str]) -> None:
    one = Waiver.model_validate(waiver(until=until) | ({"from": since} if since else {}))
    for moments, wanted in ((yes, True), (no, False)):
        for text in moments:
            assert counts(one, datetime.fromisoformat(text).replace(tzinfo=UTC)) is wanted, text


def test_one_run_has_one_moment_also_over_midnight(tmp_path: Path) -> None:
    file = declare(tmp_path, users={"diego": {"uid": 7}}, waivers={"w": waiver(until="2026-06-15")}).file
    before = load(file, now=datetime(2026, 6, 15, 23, 59, 59, tzinfo=UTC))
    after = load(file, now=before.now + timedelta(seconds=1))
    outcomes = [
        judge(checks(one, "user")[0], one, saw(user={"diego": DIEGO})).outcome
        for one in (before, after, before)  # the clock of the machine is not asked again
    ]
    assert outcomes == ["waived", "drifted", "waived"]


LAPSED = [
    ({"until": "2026-06-14"}, "user diego differs in uid; waiver w of Ada (T-1) expired on 2026-06-14"),
    ({"since": "2026-07-01"}, "user diego differs in uid; waiver w of Ada (T-1) begins on 2026-07-01"),
    ({"until": "2026-06-14", "resource": "ana"}, "user diego differs in uid"),
]


@pytest.mark.parametrize(("stated", "reason"), LAPSED)
def test_a_drift_says_which_waiver_would_have_covered_it(stated: dict[str, str], reason: str, tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"diego": {"uid": 7}}, waivers={"w": waiver(**stated)})
    found = judge(checks(baseline, "user")[0], baseline, saw(user={"diego": DIEGO}), NOW)
    assert (found.outcome, found.reason) == ("drifted", reason)
    assert found.waiver is None


def test_what_could_not_be_looked_at_is_never_waived(tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"diego": {}}, waivers={"w": waiver()})
    assert judge(checks(baseline, "user")[0], baseline, saw(user=Unreadable("no")), NOW).outcome == "unreadable"


def seen(resource: str, outcome: str, cluster: str = "lab", control: str = "USER-01") -> Record:
    return record(control=control, kind="user", cluster=cluster, resource=resource, outcome=outcome)


BOTH_FINE = [seen("diego", "compliant"), seen("ana", "compliant")]
STATES = [
    # waiver, records of the run, state, what the notice says
    ({}, [seen("diego", "waived"), seen("ana", "compliant")], State.ACTIVE, None),
    (
        {},
        BOTH_FINE,
        State.UNNEEDED,
        "is not needed on lab, where everything that it covers is as declared: take it out",
    ),
    ({}, [seen("diego", "fixed"), seen("ana", "compliant")], State.UNNEEDED, "is not needed on lab"),
    ({}, [seen("diego", "compliant")], State.ACTIVE, None),  # -k diego: nobody looked at ana
    ({}, [], State.ACTIVE, None),
    ({}, [seen("diego", "unreadable"), seen("ana", "compliant")], State.ACTIVE, None),
    ({}, [seen("diego", "not applicable"), seen("ana", "compliant")], State.ACTIVE, None),
    ({"resource": "ana"}, [seen("ana", "compliant")], State.UNNEEDED, "is not needed on lab"),
    (
        {"until": "2026-06-14"},
        BOTH_FINE,
        State.EXPIRED,
        "expired on 2026-06-14: nothing that it covered drifts: take it out",
    ),
    (
        {"until": "2026-06-14"},
        [seen("diego", "drifted"), seen("ana", "compliant")],
        State.EXPIRED,
        "expired on 2026-06-14: its drift counts again",
    ),
    (
        {"until": "2026-06-14"},
        [seen("ana", "compliant")],
        State.EXPIRED,
        "expired on 2026-06-14: its drift counts again",
    ),
    ({"until": "2026-06-28"}, [], State.EXPIRING, "ends on 2026-06-28, in 13 days: its drift counts then"),
    ({"until": "2026-06-29T12:00Z"}, [], State.EXPIRING, "in 14 days"),
    ({"until": "2026-06-29T12:01Z"}, [], State.ACTIVE, None),
    ({"until": "2026-06-15"}, [], State.EXPIRING, "ends on 2026-06-15, in less than a day: its drift counts then"),
    ({"since": "2026-07-01"}, BOTH_FINE, State.NOT_BEGUN, "begins on 2026-07-01: until then its drift counts"),
    ({"resource": "gone"}, [], State.ORPHAN, "matches no check of lab: take it out"),
    ({"control": "FILE-01"}, [], State.ORPHAN, "matches no check of lab: take it out"),
    ({"control": "HUB-USER-09"}, [], State.ACTIVE, None),  # about the undeclared hub users
    ({"cluster": "j-*"}, BOTH_FINE, State.NOT_LOOKED_AT, None),
    ({"cluster": "j-*", "until": "2020-01-01"}, [], State.NOT_LOOKED_AT, None),
]


def standing(
    tmp_path: Path, one: dict[str, str], records: list[Record], **about: Any
) -> tuple[Baseline, dict[str, Any]]:
    users = {"diego": {}, "ana": {}}
    made = declare(tmp_path, users=users, waivers={"w": one}, undeclared={"hub_user": {"policy": "report"}})
    baseline = load(made.file, now=NOW)
    (told,) = standings([("lab", baseline)], records, **({"whole": True} | about))
    return baseline, told


@pytest.mark.parametrize(("stated", "records", "state", "notice"), STATES)
def test_how_a_waiver_stands(
    stated: dict[str, str], records: list[Record], state: State, notice: str | None, tmp_path: Path
) -> None:
    baseline, told = standing(tmp_path, waiver(**stated), records)
    line = baseline.file.read_text().splitlines().index("  w:") + 1
    said = notices([told])

    assert told["state"] == state
    assert len(said) == (notice is not None)
    if notice:
        assert said[0].startswith(f"{baseline.file}:{line}: waiver w of Ada (T-1) ")
        assert notice in said[0]


DRIFT = [seen("diego", "waived"), seen("ana", "compliant")]
OLD, NEXT = {"until": "2026-06-20"}, {"since": "2026-06-21"}
RENEWED = [
    # two waivers of one control, how both stand, and what the notices say
    (OLD, NEXT, [State.EXPIRING, State.NOT_BEGUN], []),
    (OLD, {"since": "2026-06-22"}, [State.EXPIRING, State.NOT_BEGUN], ["ends on 2026-06-20, in 5 days: its drift counts then"]),
    (OLD, NEXT | {"resource": "ana"}, [State.EXPIRING, State.NOT_BEGUN],
     ["ends on 2026-06-20, in 5 days: its drift counts then", "begins on 2026-06-21: until then its drift counts"]),
    (OLD, NEXT | {"cluster": "j-*"}, [State.EXPIRING, State.NOT_LOOKED_AT], ["its drift counts then"]),
    ({"until": "2026-06-14"}, {}, [State.EXPIRED, State.ACTIVE], ["expired on 2026-06-14: another waiver covers its drift: take it out"]),
    ({}, {"resource": "die*"}, [State.ACTIVE, State.ACTIVE], []),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "states", "said"), RENEWED)
def test_waivers_that_take_over_from_one_another(
    one: dict[str, str], other: dict[str, str], states: list[State], said: list[str], tmp_path: Path
) -> None:
    made = declare(tmp_path, users={"diego": {}, "ana": {}}, waivers={"a": waiver(**one), "b": waiver(**other)})
    told = standings([("lab", load(made.file, now=NOW))], DRIFT, whole=True)
    assert [each["state"] for each in told] == states
    found = notices(told)
    assert len(found) == len(said)
    assert all(wanted in notice for wanted, notice in zip(said, found, strict=True)), found


@pytest.mark.parametrize("stated", [{}, {"resource": "gone"}])
def test_a_waiver_of_a_baseline_that_others_extend_too_is_no_notice(stated: dict[str, str], tmp_path: Path) -> None:
    base = declare(tmp_path, users={"diego": {}, "ana": {}}, waivers={"w": waiver(**stated)}).file
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"extends: {base.name}\n")
    (told,) = standings([("lab", load(mine, now=NOW))], BOTH_FINE, whole=True)

    assert told["state"] in {State.UNNEEDED, State.ORPHAN}
    assert "it stands in a baseline that this one extends" in told["sentence"]
    assert notices([told]) == []
    (ended,) = standings([("lab", load(mine, now=datetime(2027, 1, 1, tzinfo=UTC)))], BOTH_FINE, whole=True)
    assert len(notices([ended])) == 1, "its time is over for everybody"


def test_a_file_for_several_clusters_is_told_once(tmp_path: Path) -> None:
    baseline = load(declare(tmp_path, users={"diego": {}}, waivers={"w": waiver()}).file, now=NOW)
    clusters = [("j-1", baseline), ("j-2", baseline)]
    fine = [seen("diego", "compliant", cluster) for cluster, _ in clusters]

    (both,) = standings(clusters, fine, whole=True)
    (one,) = standings(clusters, fine[:1], whole=True)
    assert both["state"] == State.UNNEEDED
    assert "on j-1, j-2" in both["sentence"]
    assert one["state"] == State.ACTIVE
    assert (both["checks"], both["drifting"]) == (2, 0)


OWN = waiver(control="OWN-01", resource="backup")


@pytest.mark.parametrize(
    ("records", "whole", "state"),
    [
        ([], True, State.ORPHAN),
        ([], False, State.NOT_LOOKED_AT),
        ([seen("backup", "waived", control="OWN-01")], False, State.ACTIVE),
        ([seen("backup", "compliant", control="OWN-01")], False, State.UNNEEDED),
    ],
)
def test_a_control_that_only_checks_of_ones_own_know(
    records: list[Record], *, whole: bool, state: State, tmp_path: Path
) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(
        "waivers: {w: {control: OWN-01, resource: backup, reason: r, owner: o, ticket: t, until: '2099-01-01'}}"
    )
    baseline = load(declare(tmp_path, users={"diego": {}}).file, waivers=file, now=NOW)
    (told,) = standings([("lab", baseline)], records, whole=whole)
    assert (told["state"], told["declared_at"]) == (state, f"{file}:1")


FAULTS = {
    "waivers:\n  w: {control: A-1, reason: r, owner: o, until: '2026-01-01'}\n": ["2: waivers.w: 'ticket' is missing"],
    "waivers:\n  w:\n    control: A-1\n    reason: r\n    owner: o\n    ticket: t\n    until: '2026-02-30'\n    ownr: x\n": [
        "8: waivers.w.ownr: unknown key 'ownr'; did you mean 'owner'?"
    ],
    "waivers:\n  w: {control: A-1, reason: r, owner: o, ticket: t, until: '2026-02-30'}\n": [
        "2: waivers.w: 2026-02-30 is no day (day is out of range for month)"
    ],
    "waivers:\n  w: {control: A-1, reason: r, owner: o, ticket: t, until: '2026-02-28T25:00Z'}\n": ["is no time"],
    "waivers:\n  w: {control: A-1, reason: r, owner: o, ticket: t, until: '2026-02-28T10:00'}\n": [
        "wanted a day (YYYY-MM-DD) or a time (YYYY-MM-DDTHH:MMZ), in UTC; found '2026-02-28T10:00'"
    ],
    "waivers:\n  w: {control: A-1, reason: r, owner: o, ticket: t, until: 2026-02-28}\n": ["wanted text (in quotes"],
    "waivers:\n  w: {control: A-1, reason: r, owner: o, ticket: t, from: '2027-01-01', until: '2026-12-31'}\n": [
        "2: waivers.w: 2026-12-31 is before 2027-01-01, from which it counts: it never would"
    ],
    "waivers:\n  w: {}\n  w: {}\n": ["3: waivers.w: stands twice, first in line 2"],
    "waiver: {}\n": ["1: waiver: unknown key 'waiver'; did you mean 'waivers'?"],
    "": ["1: is empty; write 'waivers: {}' where there are none"],
    "a: [": ["is not YAML"],
}


@pytest.mark.parametrize("text", FAULTS)
def test_faults_of_a_file_are_told_with_their_lines(text: str, tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(text)
    with pytest.raises(BaselineError) as raised:
        load(declare(tmp_path, users={"diego": {}}).file, waivers=file)
    said = raised.value.faults
    for part in FAULTS[text]:
        assert any(fault.startswith(f"{file}:") and part in fault for fault in said), said


def test_a_file_that_is_not_there_and_a_key_that_is_there_twice(tmp_path: Path) -> None:
    made = declare(tmp_path, users={"diego": {}}, waivers={"w": waiver()}).file
    with pytest.raises(BaselineError, match="there is no such file; give one with --waivers"):
        load(made, waivers=tmp_path / "none.yaml")
    file = tmp_path / "waivers.yaml"
    file.write_text("waivers:\n  w: {control: A-1, reason: r, owner: o, ticket: t, until: '2026-02-28'}\n")
    with pytest.raises(BaselineError, match=r"waivers.yaml:2: waivers.w: stands in .*:\d+ too"):
        load(made, waivers=file)
