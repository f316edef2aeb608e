"""Runs that are ended from outside, or whose results are not where they should be: whoever is told of runs is told of that too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from snapshots import user, write

from hubspec.__main__ import main
from tests import fleets
from tests.conftest import ROOT, Audit
from tests.receiver import Receiver, receiving
from tests.samples import samples
from tests.unit.aws_server import Refusal, serving

USERS = "checks/test_users.py"
WHO = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_an_audit_that_is_ended_while_it_looks_for_its_cluster(
    tmp_path: Path, receiver: Receiver, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "pytest", USERS, "--cluster", "all", "-p", "no:cacheprovider"]
    code, text = _ended_while_listing([*command, "-p", "no:hypothesispytest"], tmp_path, receiver, number)
    assert code == 2, text
    _is_told(receiver, tmp_path, number, 2)
    assert not (tmp_path / "reports" / "latest").exists()


@pytest.mark.parametrize("number", [signal.SIGINT])
def test_a_fleet_that_is_ended_while_it_looks_for_its_clusters(
    tmp_path: Path, receiver: Receiver, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "hubspec", "fleet", "--cluster", "all"]
    code, text = _ended_while_listing(command, tmp_path, receiver, number)
    assert code == 130, text
    _is_told(receiver, tmp_path, number, 130)
    assert not list((tmp_path / "reports").glob("*"))


def _ended_while_listing(
    command: list[str], folder: Path, receiver: Receiver, number: signal.Signals
) -> tuple[int, str]:
    """Send a signal while AWS is asked which clusters there are. Return the exit code, and what was said."""
    begun, over = threading.Event(), threading.Event()

    def hang(_given: dict[str, Any]) -> Refusal:
        begun.set()
        over.wait(60)
        return Refusal("InternalError")

    told = ["--reports", str(folder / "reports"), "--metrics", str(folder / "f.prom")]
    with serving({"ListClusters": [hang]}) as (variables, _asked):
        env = {**os.environ, **variables, "HUBSPEC_NOTIFY_URLS": receiver.url()}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with subprocess.Popen([*command, *told], cwd=ROOT, env=env, text=True, **pipes) as run:
            try:
                assert begun.wait(60)
                run.send_signal(number)
                text, _ = run.communicate(timeout=60)
            finally:
                over.set()
    return run.returncode, text


def _is_told(receiver: Receiver, folder: Path, number: signal.Signals, code: int) -> None:
    (message,) = receiver.messages
    assert message["title"] == "hubspec, all: Compliance not shown"
    assert f"- `the run was interrupted ({WHO[number]})`" in message["message"]
    assert samples(folder / "f.prom")["hubspec_run_exit_code", ()] == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_audit_that_is_ended_between_its_checks_tells_what_it_has(
    audit: Audit, tmp_path: Path, receiver: Receiver, number: signal.Signals
) -> None:
    checks = tmp_path / "own"
    checks.mkdir()
    (checks / "test_x.py").write_text(f"import os\n\ndef test_x(): os.kill(os.getpid(), {int(number)})\n")
    place, env = tmp_path / "place", {"HUBSPEC_NOTIFY_URLS": receiver.url()}
    asked = (*write(tmp_path), "--results", str(place), "--metrics", str(tmp_path / "f.prom"), str(checks))
    run = audit(*asked, checks=USERS, env=env)

    assert run.code == 2, run.text
    pointer = json.loads((place / "latest.json").read_text())
    (message,) = receiver.messages
    assert message["title"] == "hubspec, j-SNAP: Compliance not shown"
    assert (
        f"- `the run was interrupted ({WHO[number]}): what is told here is what was there by then`"
        in message["message"]
    )
    assert f"\nResults: `{place}/{pointer['report']}`\n" in message["message"]
    assert (pointer["exit_code"], samples(tmp_path / "f.prom")["hubspec_run_exit_code", ()]) == (2, 2)
    assert main(["verify", str(place / pointer["report"])]) == 0


WHILE_WRITING = """
import os
from hubspec.report import {module}

before = {module}.render


def render(*all_):
    {module}.render = before
    os.kill(os.getpid(), {number})
    return before(*all_)


{module}.render = render
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_that_is_ended_while_it_writes_its_report_writes_it_whole_and_brings_it_nowhere(
    audit: Audit, tmp_path: Path, receiver: Receiver, number: signal.Signals
) -> None:
    (tmp_path / "ended.py").write_text(WHILE_WRITING.format(module="csv", number=int(number)))
    place, env = tmp_path / "place", {"HUBSPEC_NOTIFY_URLS": receiver.url(), "PYTHONPATH": str(tmp_path)}
    asked = (*write(tmp_path, diego=user(7)), "--results", str(place), "--metrics", str(tmp_path / "f.prom"))
    run = audit("-p", "ended", *asked, "--report", "csv,junit", checks=USERS, env=env)

    assert run.code == 21, run.text
    assert "the report is written first; 2 more to leave it as it is" in run.text
    assert f"results: NOT in {place}: it was interrupted" in run.text
    assert not place.exists()
    (kept,) = (run.folder / "unsent").iterdir()
    assert [main(["verify", str(one)]) for one in (kept, run.folder / "latest")] == [0, 0]
    (message,) = receiver.messages
    assert message["title"] == "hubspec, j-SNAP: Not compliant, results NOT at their place"
    assert (
        f"**The results are NOT in `{place}`**: `it was interrupted`. They are kept in `{kept}`." in message["message"]
    )
    assert samples(tmp_path / "f.prom")["hubspec_run_exit_code", ()] == 21


@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_a_fleet_that_is_ended_while_it_writes_its_report_writes_it_whole(
    tmp_path: Path, receiver: Receiver, number: signal.Signals
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nif sys.argv[1:2] == ['fleet'] or 'fleet' in sys.orig_argv:\n    import ended\n"
    )
    (tmp_path / "ended.py").write_text(WHILE_WRITING.format(module="markdown", number=int(number)))
    place = tmp_path / "place"
    options = (*fleets.saved(tmp_path, 2, 1), "--report", "markdown", "--results", str(place), "--workers", "2")
    env = {"HUBSPEC_NOTIFY_URLS": receiver.url(), "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    plain = ("--", "checks/test_users.py", "-p", "no:hypothesispytest")
    run = fleets.ended(fleets.begin(tmp_path / "r", *options, *plain, env=env), tmp_path / "r")

    assert run.code == 21, run.text
    assert "the report is written first" in run.text
    assert main(["verify", str(tmp_path / "r" / "latest")]) == 0
    (message,) = receiver.messages
    assert message["title"].endswith("Not compliant, results NOT at their place")
    assert not place.exists()


ANSWERS = [
    # what drifts, and the exit code of the audit itself
    ({"diego": user(7)}, 1),
    ({}, 0),
]


@pytest.mark.parametrize(("users", "own"), ANSWERS)
def test_people_are_told_when_the_results_are_not_there_and_when_they_are(
    audit: Audit, tmp_path: Path, receiver: Receiver, users: dict[str, Any], own: int
) -> None:
    place, link = tmp_path / "place", ("--report-link", "https://reports.example/{name}/")
    place.write_text("a file is in the way")
    env = {"HUBSPEC_NOTIFY_URLS": receiver.url()}
    asked = (*write(tmp_path, **users), "--results", str(place), "--history", "none", *link)
    run = audit(*asked, "--metrics", str(tmp_path / "f.prom"), checks=USERS, env=env)
    assert run.code == 20 + own
    (lost,) = receiver.messages
    assert lost["title"].endswith(", results NOT at their place")
    assert "Not a directory" in lost["message"]
    assert "reports.example" not in lost["message"]
    figures = samples(tmp_path / "f.prom")
    assert figures["hubspec_run_exit_code", ()] == 20 + own
    assert figures["hubspec_last_good_run_timestamp_seconds", ()] == figures["hubspec_run_timestamp_seconds", ()]

    place.unlink()
    assert audit(*asked, "--notify-on", "always", checks=USERS, env=env).code == own
    name = json.loads((place / "latest.json").read_text())["report"]
    assert f"\nResults: `{place}/{name}`\n" in receiver.messages[1]["message"]
    assert f"https://reports.example/{name.removeprefix('runs/')}" in receiver.messages[1]["message"]


def test_whoever_is_told_finds_the_results_there(audit: Audit, tmp_path: Path, receiver: Receiver) -> None:
    place, found = tmp_path / "place", []
    receiver.told = lambda: found.append((place / "latest.json").is_file())
    env = {"HUBSPEC_NOTIFY_URLS": receiver.url()}
    asked = (*write(tmp_path, diego=user(7)), "--history", "none")
    assert audit(*asked, "--results", str(place), checks=USERS, env=env).code == 1
    run = audit(*asked, checks=USERS, env=env)
    place.joinpath("latest.json").unlink()
    merged = [str(run.folder / "latest"), "-o", str(tmp_path / "all"), "--results", str(place)]
    done = subprocess.run(
        [sys.executable, "-m", "hubspec", "merge", *merged], cwd=ROOT, env={**os.environ, **env}, check=False
    )
    assert done.returncode == 1
    assert found == [True, True, True]
    assert "\nResults: `" not in receiver.messages[1]["message"], "this one has no place"
    assert f"\nResults: `{place}/runs/" in receiver.messages[2]["message"]


def test_a_merge_that_is_ended_is_told_of(audit: Audit, tmp_path: Path, receiver: Receiver) -> None:
    run = audit(*write(tmp_path), "--history", "none", checks=USERS)
    (tmp_path / "sitecustomize.py").write_text("import sys\nif 'merge' in sys.orig_argv:\n    import ended\n")
    (tmp_path / "ended.py").write_text(WHILE_WRITING.format(module="csv", number=int(signal.SIGTERM)))
    env = {**os.environ, "HUBSPEC_NOTIFY_URLS": receiver.url(), "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    merged = [str(run.folder / "latest"), "-o", str(tmp_path / "all"), "--report", "csv"]
    done = subprocess.run(
        [sys.executable, "-m", "hubspec", "merge", *merged],
        cwd=ROOT, env=env, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 130, done.stdout + done.stderr
    (message,) = receiver.messages
    assert "- `the run was interrupted (SIGTERM)`" in message["message"]
    assert not (tmp_path / "all").exists()
