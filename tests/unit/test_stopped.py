"""A stopped container is unreadable to an audit, and one safe action where drift is to be put right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hubspec.check import checks
from hubspec.model import Absent, Outcome, Stopped, Unreadable
from hubspec.plan import plan
from hubspec.snapshot import Snapshot, read_file, save
from hubspec.stopped import stopped, with_start
from hubspec.verdict import judge
from tests.made import WHEN, declare, present, saw

HUB, DOWN = "jupyterhub", Stopped("it is exited")


def starts(folder: Path, seen: Any = DOWN, *, says: Any = None, **sections: Any) -> list[str]:
    """Return the requests that the plan for a container has; an audit of a stopped one has none."""
    baseline = declare(folder, containers={HUB: {"running": True} if says is None else says}, **sections)
    snapshot = saw("lab", container=seen, user=DOWN)
    mine = checks(baseline, "container")
    for check in mine:
        assert seen != DOWN or judge(check, baseline, snapshot).actions == ()
    found = [down for check in mine if (down := stopped(check, baseline, snapshot))]
    return [one.action.request for one in plan(found, baseline, run="r", cluster="lab", made=WHEN).entries]


def test_it_is_started(tmp_path: Path) -> None:
    assert starts(tmp_path) == ["docker start jupyterhub"]
    assert starts(tmp_path, says={"running": True, "restart_policy": "no"}) == ["docker start jupyterhub"]


@pytest.mark.parametrize(
    "seen", [Unreadable("it is paused"), {HUB: Absent()}, {HUB: present("container", HUB, running=True)}]
)
def test_what_is_not_known_to_be_stopped_is_not(tmp_path: Path, seen: Any) -> None:
    assert starts(tmp_path, seen) == []


@pytest.mark.parametrize("says", [{}, {"ensure": "absent"}, {"restart_policy": "no"}])
def test_what_is_not_declared_to_run_is_not(tmp_path: Path, says: dict[str, Any]) -> None:
    assert starts(tmp_path, says=says) == []


def test_what_somebody_accepted_is_not(tmp_path: Path) -> None:
    waiver = {"control": "CONTAINER-01", "reason": "r", "owner": "o", "ticket": "t", "until": "2099-01-01"}
    assert starts(tmp_path, waivers={"w": waiver}) == []


def test_another_container_than_the_hubs_is_not(tmp_path: Path) -> None:
    baseline = declare(tmp_path, containers={"other": {"running": True}})
    (check,) = checks(baseline, "container")

    assert stopped(check, baseline, saw(container=DOWN)) is None


def test_only_the_check_that_says_so_starts_it(tmp_path: Path) -> None:
    control = {"kind": "container", "title": "t", "why": "w", "severity": "low", "fields": ["restart_policy"]}
    several = {HUB: {"running": True, "restart_policy": "no"}}
    baseline = declare(tmp_path, containers=several, users={"diego": {}}, controls={"CTR-02": control})
    mine = [*checks(baseline, "container"), *checks(baseline, "user")]
    snapshot = saw(container=DOWN, user=DOWN)

    assert [stopped(one, baseline, snapshot) is not None for one in mine] == [True, False, False]


def test_what_else_differs_once_it_runs_is_told_with_it(tmp_path: Path) -> None:
    baseline = declare(tmp_path, containers={HUB: {"running": True, "restart_policy": "no"}})
    (check,) = checks(baseline, "container")
    down = stopped(check, baseline, saw(container=DOWN))
    assert down is not None
    other = present("container", HUB, running=True, restart_policy="always")
    whole = replace(other, resource=other.resource.model_copy(update={"restart_policy": "no"}))
    both = with_start(down, judge(check, baseline, saw(container={HUB: other})))

    assert with_start(down, judge(check, baseline, saw(container={HUB: whole}))) == down
    assert both.outcome is Outcome.DRIFTED
    assert [one.field for one in both.differences] == ["running", "restart_policy"]
    assert both.found == {"running": False, "restart_policy": "always"}
    assert both.reason == "container jupyterhub does not run; started, it differs in restart_policy"


def test_a_saved_snapshot_knows_it(tmp_path: Path) -> None:
    snapshot: Snapshot = saw(container=DOWN, user=Unreadable("no"))
    save(snapshot, tmp_path / "s.json")
    again = read_file(tmp_path / "s.json")

    assert again.reading("container").seen == DOWN
    assert again.reading("user").seen == Unreadable("no")
