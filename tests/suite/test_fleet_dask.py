"""A fleet on the workers of Dask: those that are killed cost nothing, one that kills its workers itself alone, and a scheduler that goes away ends the run."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import fleets
from tests.conftest import ROOT

CHECKS = ("--", "checks/test_users.py", "-p", "no:hypothesispytest", "-p", "tests.suite.killing")
QUICK = ("--history", "none", "--report", "junit")
POINTS = ("conftests", "reading", "over")


@dataclass
class Engine:
    """A scheduler with two workers, each with a nanny that begins it anew when it dies."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: subprocess.Popen[bytes]


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Begin them, with what the audits of the workers find in their environment."""
    folder = tmp_path_factory.mktemp("dask")
    deaths = {
        f"j-F{number:03}": {"point": point, "whom": "worker", "once": str(folder)}
        for number, point in enumerate(POINTS)
    }
    deaths["j-F004"] = {"point": "call", "whom": "worker", "once": ""}
    deaths["j-F007"] = {"point": "call", "whom": "nobody", "once": ""}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    env = os.environ | {
        "HUBSPEC_TEST_DEATHS": json.dumps(deaths),
        "PYTHONPATH": str(ROOT),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
    }
    host, _, port = address.rpartition(":")

    def begin(what: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *words, "--no-dashboard"]
        with (folder / what).open("wb") as output:
            return subprocess.Popen(command, cwd=folder, env=env, stdout=output, stderr=output, start_new_session=True)

    scheduler = begin("scheduler", "--host", host, "--port", port)
    workers = begin(
        "worker", f"tcp://{address}", "--nworkers", "2", "--nthreads", "1", "--local-directory", str(folder)
    )
    yield Engine(f"tcp://{address}", scheduler, workers)
    for process in (workers, scheduler):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in (workers, scheduler):
        process.wait(60)


def test_killed_workers_change_no_record(dask: Engine, tmp_path: Path) -> None:
    options = fleets.saved(tmp_path, 6, 1, 5)

    begun = fleets.begin(tmp_path / "there", *options, *QUICK, "--engine", dask.address, *CHECKS)
    here = fleets.ended(fleets.begin(tmp_path / "here", *options, *QUICK, *CHECKS), tmp_path / "here")
    there = fleets.ended(begun, tmp_path / "there")

    poisoned = [record for record in there.records if record["cluster"] == "j-F004"]
    assert here.code == there.code == 1, here.text + there.text
    assert [record for record in fleets.same(there) if record["cluster"] != "j-F004"] == [
        record for record in fleets.same(here) if record["cluster"] != "j-F004"
    ]
    assert {record["outcome"] for record in poisoned} == {"unreadable"}
    assert len(poisoned) == 4
    assert "each worker that took it died; it was tried 3 times, and is not tried again" in poisoned[0]["message"]
    assert "j-F004: each worker that took it died; it is tried once more, alone" in there.text
    assert "6 of 6 clusters done, 0 left; 1 could not look, 2 drift" in there.text


def test_a_scheduler_that_goes_away_ends_the_run_with_what_there_is(dask: Engine, tmp_path: Path) -> None:
    options = fleets.saved(tmp_path, 9)
    begun = fleets.begin(tmp_path / "r", *options[:2], *options[14:], *QUICK, "--engine", dask.address, *CHECKS)
    until = time.monotonic() + 120
    while len(list(tmp_path.glob("r/.run-*/clusters/*/run.json"))) < 2:
        assert time.monotonic() < until, "no cluster is audited in two minutes"
        assert begun.poll() is None, begun.communicate()
        time.sleep(0.05)
    dask.scheduler.kill()
    dask.scheduler.wait()
    run = fleets.ended(begun, tmp_path / "r")

    assert run.code == 11, run.text
    outcomes = {record["cluster"]: record["outcome"] for record in run.records}
    assert outcomes == {"j-F006": "compliant", "j-F007": "unreadable", "j-F008": "compliant"}
    assert f"the scheduler at {dask.address} went away" in run.text
