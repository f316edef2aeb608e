"""From drifts to one ordered plan: what comes first, what is left to a person, and what a reviewed plan holds on to."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec import plan as plans
from hubspec.baseline import Baseline
from hubspec.check import checks, undeclared_check
from hubspec.errors import PlanError
from hubspec.kinds import KINDS
from hubspec.model import Absent, Unreadable
from hubspec.plan import Plan
from hubspec.snapshot import Snapshot
from hubspec.verdict import judge
from tests.made import WHEN, declare, present, saw

PEOPLE: dict[str, Any] = {
    "users": {"diego": {"uid": 1001, "shell": "/bin/bash"}, "ana": {"uid": 1003, "shell": "/bin/bash"}},
    "hub_users": {"diego": {"admin": False}, "ana": {"admin": False}},
    "accounts": "local",
}


def planned(baseline: Baseline, snapshot: Snapshot) -> Plan:
    every = [check for kind in KINDS for check in (*checks(baseline, kind), undeclared_check(baseline, kind)) if check]
    verdicts = [judge(check, baseline, snapshot) for check in every]
    return plans.plan(verdicts, baseline, run="r", cluster="lab", made=WHEN)


def summary(plan: Plan) -> list[tuple[str, str, str, list[str]]]:
    return [(entry.id, f"{entry.kind} {entry.resource}", entry.action.safety, entry.needs) for entry in plan.entries]


def test_an_account_comes_before_the_hub_user_of_its_name(tmp_path: Path) -> None:
    plan = planned(declare(tmp_path, **PEOPLE), saw(user={}, hub_user={}))

    assert summary(plan) == [
        ("1", "user diego", "safe", []),
        ("2", "user ana", "safe", []),
        ("3", "hub_user diego", "safe", ["1"]),
        ("4", "hub_user ana", "safe", ["2"]),
    ]
    assert [name for name, _ in plans.batches(plan.entries)] == ["container", "hub"]
    assert plan.entries[0].permission == "root in the hub's container"


def test_an_account_without_a_uid_comes_after_those_that_have_one(tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"zoe": {"shell": "/bin/sh"}, "diego": {"uid": 1001}}, accounts="directory")

    assert [entry.resource for entry in planned(baseline, saw(user={})).entries] == ["diego", "zoe"]


def test_nothing_is_planned_from_what_could_not_be_seen(tmp_path: Path) -> None:
    baseline = declare(tmp_path, **PEOPLE)
    blind = saw(user=Unreadable("paused"), hub_user={"diego": Unreadable("no"), "ana": Absent()})

    assert [entry.resource for entry in planned(baseline, blind).entries] == ["ana"]


@pytest.mark.parametrize(("policy", "count"), [("ignore", 0), ("report", 0), ("remove", 1)])
def test_what_was_not_declared_is_removed_only_where_the_policy_says_so(
    tmp_path: Path, policy: str, count: int
) -> None:
    baseline = declare(tmp_path, users={"diego": {}}, undeclared={"user": {"policy": policy}})
    seen = saw(user={"diego": present("user", "diego", uid=1001), "mallory": present("user", "mallory", uid=1666)})
    plan = planned(baseline, seen)

    assert [(entry.resource, entry.action.safety) for entry in plan.entries] == [("*", "unsafe")] * count
    assert plan.chosen("safe") == []
    assert len(plan.chosen("unsafe")) == count


def test_a_waived_drift_is_left_alone(tmp_path: Path) -> None:
    waiver = {"control": "USER-01", "reason": "r", "owner": "o", "ticket": "t", "until": "2999-01-01"}
    baseline = declare(tmp_path, users={"diego": {}}, waivers={"w": waiver})

    assert planned(baseline, saw(user={})).entries == []


def test_manual_actions_are_planned_and_never_chosen(tmp_path: Path) -> None:
    baseline = declare(tmp_path, containers={"jupyterhub": {"image": "a"}})
    plan = planned(baseline, saw(container={"jupyterhub": present("container", "jupyterhub", image="b")}))

    assert [entry.action.safety for entry in plan.entries] == ["manual"]
    assert plan.chosen("unsafe") == []


def test_a_plan_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    plan = planned(declare(tmp_path, **PEOPLE), saw(user={}, hub_user={}))
    (tmp_path / "plan.json").write_text(plan.model_dump_json(indent=1))

    assert plans.read_file(tmp_path / "plan.json") == plan
    assert next(iter(plans.lines(plan))) == "lab: the plan has 4 actions"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is no plan of hubspec"),
        ("[]", "is no plan of hubspec"),
        ('{"plan_version": 1}', "is no plan of hubspec (run: Field required)"),
        ("\x00", "is no plan of hubspec"),
    ],
)
def test_a_file_that_holds_no_plan(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(PlanError) as error:
        plans.read_file(path)
    assert sentence in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read"):
        plans.read_file(tmp_path / "plan.json")


def test_a_plan_of_another_version(tmp_path: Path) -> None:
    plan = planned(declare(tmp_path, users={"diego": {}}), saw(user={}))
    (tmp_path / "plan.json").write_text(plan.model_copy(update={"plan_version": 9}).model_dump_json())
    with pytest.raises(PlanError, match="is a plan of version 9; this hubspec reads 1"):
        plans.read_file(tmp_path / "plan.json")


def test_a_reviewed_plan_holds_on_to_what_was_there(tmp_path: Path) -> None:
    baseline = declare(tmp_path, **PEOPLE)
    reviewed = planned(baseline, saw(user={}, hub_user={}))
    diego = present("user", "diego", uid=1001, shell="/bin/bash")
    other = present("user", "ana", uid=1003, shell="/bin/sh")

    assert plans.moved_on(reviewed, reviewed) == []
    gone = plans.moved_on(reviewed, planned(baseline, saw(user={"diego": diego}, hub_user={})))
    assert gone == [f"1. user diego: {reviewed.entries[0].action.sentence}: nothing calls for it any more"]
    half = planned(baseline, saw(user={"diego": present("user", "diego", uid=1001, shell="/bin/sh"), "ana": other}))
    again = planned(baseline, saw(user={"diego": present("user", "diego", uid=1001, shell="/bin/zsh"), "ana": other}))
    assert "it differs otherwise now" in plans.moved_on(half, again)[0]


def test_more_drift_than_was_reviewed_is_not_carried_out(tmp_path: Path) -> None:
    baseline = declare(tmp_path, **PEOPLE)
    diego = present("user", "diego", uid=1001, shell="/bin/bash")
    reviewed = planned(baseline, saw(user={"diego": diego}))
    fresh = planned(baseline, saw(user={}))

    assert plans.moved_on(reviewed, fresh) == []
    assert plans.reviewed(reviewed, fresh) == [entry for entry in fresh.entries if entry.resource == "ana"]
    assert [entry.id for entry in plans.reviewed(reviewed, fresh)] != [entry.id for entry in reviewed.entries]


def test_two_thousand_drifts_make_one_plan_at_once(tmp_path: Path) -> None:
    names = [f"u{number:04}" for number in range(1000)]
    baseline = declare(
        tmp_path,
        users={name: {"uid": 2000 + number} for number, name in enumerate(names)},
        hub_users={name: {"admin": False} for name in names},
        accounts="local",
    )
    every = [check for kind in ("user", "hub_user") for check in checks(baseline, kind)]
    snapshot = saw(user={}, hub_user={})
    verdicts = [judge(check, baseline, snapshot) for check in every]
    begun = time.monotonic()
    plan = plans.plan(verdicts, baseline, run="r", cluster="lab", made=WHEN)

    assert len(plan.entries) == 2000
    assert plan.entries[1999].needs == ["1000"]
    assert time.monotonic() - begun < 30, "a bound for a hang; the figure is in docs/benchmarks.md"


@given(st.sets(st.sampled_from(["diego", "ana", "li"])), st.sets(st.sampled_from(["diego", "ana", "li"])))
def test_what_an_entry_needs_comes_before_it(accounts: set[str], known: set[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        names = ["diego", "ana", "li"]
        baseline = declare(
            Path(folder),
            users={name: {"uid": 1001 + number} for number, name in enumerate(names)},
            hub_users={name: {"admin": False} for name in names},
        )
    users = {name: present("user", name, uid=1001 + names.index(name)) for name in accounts}
    hub = {name: present("hub_user", name, admin=False) for name in known}
    plan = planned(baseline, saw(user=users, hub_user=hub))

    order = [entry.id for entry in plan.entries]
    assert order == sorted(order, key=int)
    assert all(order.index(need) < order.index(entry.id) for entry in plan.entries for need in entry.needs)
