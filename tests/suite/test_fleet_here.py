"""A fleet on this machine: one report of all, whatever becomes of the process of an audit."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests import fleets
from tests.conftest import Audit
from tests.suite.killing import POINTS

WORKERS = "4"
QUICK = ("--history", "none", "--report", "junit", "--workers", WORKERS)
ONLY = ("--", "checks/test_users.py", "-p", "no:hypothesispytest", "-p", "tests.suite.killing")


def deaths(which: dict[str, dict[str, str]]) -> dict[str, str | None]:
    return {"HUBSPEC_TEST_DEATHS": json.dumps(which)}


def test_an_audit_that_dies_at_any_point_costs_nothing(audit: Audit, tmp_path: Path) -> None:
    options = fleets.saved(tmp_path, len(POINTS) + 2, 3, 8)
    single = audit(*options[:2], *options[8:10], "--history", "none", checks="checks/test_users.py", into="single")
    plan = {
        f"j-F{number:03}": {"point": point, "whom": "audit", "once": str(tmp_path)}
        for number, point in enumerate(POINTS)
    }
    plan["j-F011"] = {"point": "written", "whom": "warm", "once": str(tmp_path)}

    calm = fleets.ended(fleets.begin(tmp_path / "calm", *options, *QUICK, *ONLY), tmp_path / "calm")
    killed = fleets.ended(
        fleets.begin(tmp_path / "killed", *options, *QUICK, *ONLY, env=deaths(plan)), tmp_path / "killed"
    )

    assert calm.code == killed.code == 1, calm.text + killed.text
    assert all((tmp_path / cluster).exists() for cluster in plan), "each died at its point"
    told = re.findall(r"(j-F\d+): its audit was ended (.*); it is tried again", killed.text)
    # With the process that forked the others beside it, nobody is left to tell how they ended.
    assert {cluster for cluster, _ in told} >= set(plan), killed.text
    assert {how for _, how in told} == {"by signal 9", "with the process that forked it"}
    assert sum(how == "by signal 9" for _, how in told) > len(POINTS) - int(WORKERS)
    assert fleets.same(killed) == fleets.same(calm)
    assert len(calm.records) == 4 * (len(POINTS) + 2)
    mine = [record for record in fleets.same(calm) if record["cluster"] == "j-F003"]
    assert mine == fleets.same(single)
    assert "12 of 12 clusters done, 0 left; 2 drift" in killed.text


def test_one_that_always_dies_and_one_that_hangs_are_told_of(tmp_path: Path) -> None:
    options = fleets.saved(tmp_path, 4, 1)
    plan = {
        "j-F000": {"point": "reading", "whom": "audit", "once": ""},
        "j-F002": {"point": "call", "whom": "nobody", "once": ""},
    }

    begun = fleets.begin(
        tmp_path / "r", *options, *QUICK, "--audit-deadline", "15", "--tries", "2", *ONLY, env=deaths(plan)
    )
    run = fleets.ended(begun, tmp_path / "r")

    assert run.code == 1, run.text
    told = {
        cluster: {record["message"] for record in run.records if record["cluster"] == cluster}
        for cluster in ("j-F000", "j-F002")
    }
    assert [len(messages) for messages in told.values()] == [1, 1]
    assert "its audit was ended by signal 9; it was tried 2 times, and is not tried again" in told["j-F000"].pop()
    assert "its audit took longer than 15 s, and was ended (--audit-deadline)" in told["j-F002"].pop()
    assert run.outcomes() == {"compliant": 7, "drifted": 1, "unreadable": 8}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_fleet_reports_what_there_is(tmp_path: Path, number: signal.Signals) -> None:
    options = fleets.saved(tmp_path, 3)
    plan = {"j-F001": {"point": "call", "whom": "nobody", "once": str(tmp_path)}}

    begun = fleets.begin(tmp_path / "r", *options, *QUICK, *ONLY, env=deaths(plan))
    until = time.monotonic() + 120
    while not ((tmp_path / "j-F001").exists() and len(list(tmp_path.glob("r/.run-*/clusters/*/run.json"))) == 2):
        assert time.monotonic() < until, "two clusters are not audited in two minutes"
        assert begun.poll() is None, begun.communicate()
        time.sleep(0.05)
    os.kill(begun.pid, number)
    run = fleets.ended(begun, tmp_path / "r", 60)

    assert run.code == 2, run.text
    assert {record["cluster"] for record in run.records} == {"j-F000", "j-F002"}
    assert "j-F001" in (tmp_path / "r" / "latest" / "run.json").read_text()
    assert not list((tmp_path / "r").glob(".*")), "nothing is left beside the report"


def test_audits_of_a_fleet_that_was_killed_end_themselves(tmp_path: Path) -> None:
    options = fleets.saved(tmp_path, 1)
    plan = {"j-F000": {"point": "call", "whom": "nobody", "once": str(tmp_path)}}

    begun = fleets.begin(tmp_path / "r", *options, *QUICK, *ONLY, env=deaths(plan))
    until = time.monotonic() + 120
    while not (tmp_path / "j-F000").exists():
        assert time.monotonic() < until, "no cluster is audited in two minutes"
        time.sleep(0.05)
    children = psutil.Process(begun.pid).children(recursive=True)
    begun.kill()
    begun.communicate()

    assert len(children) == 2, "the process that forks, and the audit"
    assert psutil.wait_procs(children, timeout=60)[1] == []
