"""A fleet on the workers of Dask: those that are killed cost nothing, one that kills its workers itself alone, and a scheduler that goes away ends the run."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hubspec.cluster import dask_engine
from hubspec.fleet.job import suite
from hubspec.history import unpack
from tests import fleets
from tests.conftest import ROOT
from tests.suite import dying

CHECKS = ("--", "checks/test_users.py", "-p", "no:hypothesispytest", "-p", "tests.suite.killing")
QUICK = ("--history", "none", "--report", "junit")
POINTS = (*dying.POINTS, "conftests", "configure", "reading", "call", "finishing", "over")
"""What comes before an audit and after it, and from its fork to its end."""
POISONED, HANGING, GONE = "j-F010", "j-F013", ("j-F012", "j-F014")


@dataclass
class Engine:
    """A scheduler with two workers, each with a nanny that begins it anew when it dies."""

    address: str
    folder: Path
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
    deaths[POISONED] = {"point": "call", "whom": "worker", "once": ""}
    deaths[HANGING] = {"point": "call", "whom": "nobody", "once": ""}
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
    two = ("--nworkers", "2", "--nthreads", "1", "--local-directory", str(folder), "--preload", "tests.suite.dying")
    workers = begin("worker", f"tcp://{address}", *two)
    yield Engine(f"tcp://{address}", folder, scheduler, workers)
    for process in (workers, scheduler):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in (workers, scheduler):
        process.wait(60)


def test_workers_killed_at_each_of_ten_points_change_no_record(dask: Engine, tmp_path: Path) -> None:
    options = fleets.saved(tmp_path, len(POINTS) + 2, 1, len(POINTS) + 1)

    begun = fleets.begin(tmp_path / "there", *options, *QUICK, "--engine", dask.address, *CHECKS)
    here = fleets.ended(fleets.begin(tmp_path / "here", *options, *QUICK, *CHECKS), tmp_path / "here")
    there = fleets.ended(begun, tmp_path / "there", 600)

    poisoned = [record for record in there.records if record["cluster"] == POISONED]
    assert len(POINTS) == 10
    assert sorted(one.name for one in dask.folder.glob("j-F*")) == [f"j-F{number:03}" for number in range(10)]
    assert here.code == there.code == 1, here.text + there.text
    assert [record for record in fleets.same(there) if record["cluster"] != POISONED] == [
        record for record in fleets.same(here) if record["cluster"] != POISONED
    ]
    assert {record["outcome"] for record in poisoned} == {"unreadable"}
    assert len(poisoned) == 4
    assert "each worker that took it died; it was tried 3 times, and is not tried again" in poisoned[0]["message"]
    assert f"{POISONED}: each worker that took it died; it is tried once more, alone" in there.text
    assert "12 of 12 clusters done, 0 left; 1 could not look, 2 drift" in there.text


def test_the_history_of_a_cluster_is_compared_with_there_and_kept_here(dask: Engine, tmp_path: Path) -> None:
    options = fleets.saved(tmp_path, 16, 15)
    words = ("--history", str(tmp_path / "h"), "--report", "junit", "--engine", dask.address)
    changes, kept = [], set[str]()
    for night in ("first", "second"):
        run = fleets.ended(
            fleets.begin(tmp_path / night, *options[:2], *options[32:], *words, *CHECKS), tmp_path / night
        )
        assert run.code == 1, run.text
        changes.append({one["change"] for one in run.records if one["outcome"] == "drifted"})
        ran = json.loads((tmp_path / night / "latest" / "clusters" / "j-F015" / "run.json").read_text())
        kept.add(ran["id"])
        assert {unpack(one.read_bytes()).run for one in (tmp_path / "h" / "j-F015").iterdir()} == kept
        there = shlex.split(ran["command"])[-1]
        assert there.endswith("/history"), "the last one counts"
        assert str(tmp_path) not in there, "what the worker wrote is none of ours"

    assert changes == [{"new"}, {"still"}]


def test_a_scheduler_that_hangs_is_told_from_one_without_workers(dask: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = dask_engine.Dask(dask.address, suite)
    for name, seconds in (("PATIENCE", 0.5), ("ANSWER", 1.0), ("LOOK", 0.0)):
        monkeypatch.setattr(dask_engine, name, seconds)
    try:
        os.kill(dask.scheduler.pid, signal.SIGSTOP)
        until = time.monotonic() + 60
        while not (told := engine.trouble()) and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        os.kill(dask.scheduler.pid, signal.SIGCONT)
        engine.close()

    assert told == f"the scheduler at {dask.address} has not answered for 0.5 s"


def test_a_scheduler_that_goes_away_ends_the_run_with_what_there_is(dask: Engine, tmp_path: Path) -> None:
    options = fleets.saved(tmp_path, 15)
    begun = fleets.begin(tmp_path / "r", *options[:2], *options[26:], *QUICK, "--engine", dask.address, *CHECKS)
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
    assert outcomes == {GONE[0]: "compliant", HANGING: "unreadable", GONE[1]: "compliant"}
    assert f"the scheduler at {dask.address} went away" in run.text
