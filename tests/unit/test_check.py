"""From a baseline to checks, and from a check and a snapshot to a verdict: controls, waivers, what could not be seen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hubspec.baseline import Baseline
from hubspec.check import checks, undeclared_check
from hubspec.model import Absent, NotApplicable, Outcome, Unreadable
from hubspec.verdict import Verdict, judge
from tests.made import declare, present, saw

TODAY = datetime(2026, 6, 15, 23, 59, 59, tzinfo=UTC)
SHELLS = {"kind": "user", "title": "t", "why": "w", "severity": "low", "fields": ["shell", "home"]}
DIEGO = present("user", "diego", uid=1001, shell="/bin/sh", locked=False)


def waiver(**stated: str) -> dict[str, str]:
    return {"control": "USER-01", "reason": "r", "owner": "Ada", "ticket": "T-1", "until": "2026-06-15"} | stated


def verdict(baseline: Baseline, seen: Any, cluster: str = "lab", number: int = 0) -> Verdict:
    return judge(checks(baseline, "user")[number], baseline, saw(cluster, user=seen), TODAY)


CHECKS = [
    # declared diego, the checks as label -> (control, fields)
    ({}, {"diego": ("USER-01", set())}),
    ({"uid": 1}, {"diego": ("USER-01", {"uid"})}),
    ({"uid": 1, "shell": "s"}, {"diego": ("USER-01", {"uid"}), "diego:SHL-1": ("SHL-1", {"shell"})}),
    ({"shell": "s", "home": "h"}, {"diego": ("USER-01", set()), "diego:SHL-1": ("SHL-1", {"shell", "home"})}),
    ({"ensure": "absent", "shell": "s"}, {"diego": ("USER-01", {"shell"})}),
    ({"control": "SHL-1", "uid": 1, "shell": "s"}, {"diego": ("SHL-1", {"uid", "shell"})}),
]


@pytest.mark.parametrize(("fields", "expected"), CHECKS)
def test_checks_of_a_resource(fields: dict[str, Any], expected: dict[str, Any], tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"diego": fields}, controls={"SHL-1": SHELLS})
    found = {check.label: (check.control_id, check.fields) for check in checks(baseline, "user")}
    assert found == expected


VERDICTS = [
    # declared diego, what was seen of users, outcome, reason
    ({"uid": 1001}, {"diego": DIEGO}, "compliant", "user diego is as declared"),
    ({"uid": 1, "locked": True}, {"diego": DIEGO}, "drifted", "user diego differs in uid, locked"),
    ({"uid": 1}, {}, "drifted", "user diego is missing"),
    ({"uid": 1}, {"diego": Absent()}, "drifted", "user diego is missing"),
    ({"ensure": "absent"}, {"diego": DIEGO}, "drifted", "user diego is there and must not be"),
    ({"ensure": "absent"}, {}, "compliant", "user diego is as declared"),
    ({"uid": 1}, Unreadable("no door"), "unreadable", "no door"),
    ({"uid": 1}, NotApplicable("no users here"), "not applicable", "no users here"),
    ({"uid": 1}, {"diego": Unreadable("cut")}, "unreadable", "cut"),
    ({"uid": 1}, {"diego": NotApplicable("elsewhere")}, "not applicable", "elsewhere"),
    ({"locked": True}, {"diego": present("user", "diego", {"locked": "no right"})}, "unreadable", "user diego: locked: no right"),
    ({"uid": 2, "locked": True}, {"diego": present("user", "diego", {"locked": "no right"}, uid=1)}, "drifted", "user diego differs in uid"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "seen", "outcome", "reason"), VERDICTS)
def test_verdict(fields: dict[str, Any], seen: Any, outcome: str, reason: str, tmp_path: Path) -> None:
    found = verdict(declare(tmp_path, users={"diego": fields}), seen)
    assert (found.outcome, found.reason) == (outcome, reason)
    assert bool(found.differences) == bool(found.actions) == (outcome == "drifted")
    assert found.compliant == (outcome == "compliant")


def test_a_kind_that_the_snapshot_lacks_is_unreadable(tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"diego": {}})
    found = judge(checks(baseline, "user")[0], baseline, saw(), TODAY)
    assert found.outcome is Outcome.UNREADABLE
    assert "holds no users" in found.reason


def test_a_file_that_the_snapshot_was_not_asked_for_is_not_absent(tmp_path: Path) -> None:
    baseline = declare(tmp_path, files={"/a": {}})
    found = judge(checks(baseline, "file")[0], baseline, saw(file={}), TODAY)
    assert found.outcome is Outcome.UNREADABLE
    assert "take a new one" in found.reason


def test_each_control_sees_only_its_own_fields(tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"diego": {"uid": 7, "shell": "/bin/bash"}}, controls={"SHL-1": SHELLS})
    whole, shells = (verdict(baseline, {"diego": DIEGO}, number=number) for number in (0, 1))
    assert [one.field for one in whole.differences] == ["uid"]
    assert [one.field for one in shells.differences] == ["shell"]
    assert shells.found == {"shell": "/bin/sh"}


UNDECLARED = [
    # policy, seen beside diego, outcome, actions
    ({"policy": "report"}, ["mallory"], "drifted", ["remove the account mallory, keep its home"]),
    (
        {"policy": "remove"},
        ["mallory", "eve"],
        "drifted",
        ["remove the account eve, keep its home", "remove the account mallory, keep its home"],
    ),
    ({"policy": "report"}, [], "compliant", []),
    ({"policy": "report", "ignore": ["m*", "[e]ve"]}, ["mallory", "eve"], "compliant", []),
    ({"policy": "report", "ignore": ["M*"]}, ["mallory"], "drifted", ["remove the account mallory, keep its home"]),
]


@pytest.mark.parametrize(("policy", "names", "outcome", "actions"), UNDECLARED)
def test_undeclared(policy: dict[str, Any], names: list[str], outcome: str, actions: list[str], tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"diego": {}}, undeclared={"user": policy})
    check = undeclared_check(baseline, "user")
    assert check is not None
    seen = {name: present("user", name, uid=1001) for name in ["diego", *names]}
    found = judge(check, baseline, saw(user=seen), TODAY)
    assert (check.name, check.control_id, found.outcome) == ("*", "USER-09", outcome)
    assert [action.sentence for action in found.actions] == actions
    assert check.about == "undeclared users"


@pytest.mark.parametrize("policy", [{}, {"undeclared": {"user": {"policy": "ignore"}}}])
def test_nobody_looks_for_what_is_to_be_ignored(policy: dict[str, Any], tmp_path: Path) -> None:
    assert undeclared_check(declare(tmp_path, users={"diego": {}}, **policy), "user") is None


WAIVERS = [
    # waivers, waived
    ([waiver()], True),  # the last day counts
    ([waiver(until="2026-06-14")], False),
    ([waiver(until="2026-06-14"), waiver(until="2030-01-01")], True),
    ([waiver(control="USER-09")], False),
    ([waiver(resource="die*")], True),
    ([waiver(resource="Diego")], False),
    ([waiver(resource="ana")], False),
    ([waiver(cluster="l?b")], True),
    ([waiver(cluster="j-*")], False),
]


@pytest.mark.parametrize(("waivers", "waived"), WAIVERS)
def test_waiver(waivers: list[dict[str, str]], *, waived: bool, tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"diego": {"uid": 7}}, waivers={f"w{i}": w for i, w in enumerate(waivers)})
    found = verdict(baseline, {"diego": DIEGO})
    assert found.outcome is (Outcome.WAIVED if waived else Outcome.DRIFTED)
    assert found.compliant is waived
    assert ("waived until" in found.reason) is waived
    assert (found.waiver is not None) is waived

    # The true state stays in sight, waived or not.
    assert [(one.wanted, one.found) for one in found.differences] == [(7, 1001)]
    assert found.found is not None
    assert found.found["uid"] == 1001
    assert found.actions


def test_a_waiver_says_who_why_and_until_when(tmp_path: Path) -> None:
    found = verdict(declare(tmp_path, users={"diego": {"uid": 7}}, waivers={"w": waiver()}), {"diego": DIEGO})
    assert found.reason == "user diego differs in uid; waived until 2026-06-15 by Ada (T-1): r"


@pytest.mark.parametrize(("seen", "outcome"), [(Unreadable("no door"), "unreadable"), ({"diego": DIEGO}, "compliant")])
def test_a_waiver_hides_nothing_but_drift(seen: Any, outcome: str, tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"diego": {"uid": 1001}}, waivers={"w": waiver()})
    assert verdict(baseline, seen).outcome == outcome
