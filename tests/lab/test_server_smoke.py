"""The smoke test of a server on the lab: what it shows, what it says when something is wrong, and that nothing of it stays."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import probes
import pytest

from hubspec.model import Action, Outcome
from hubspec.probe import probe_user
from hubspec.server_smoke import PARTS, Trial
from lab import breaks, hub, inside, provision
from lab.breaks.model import Scene
from lab.model import HUB
from lab.versions import at_least
from tests.conftest import ROOT, Audit, Run

SMOKE = "checks/smoke"
ARGUMENTS = ("--cluster", "lab", "--smoke=server")


@pytest.fixture(autouse=True)
def _nothing_is_left(on: Scene) -> Iterator[None]:
    yield
    assert probes.left(on) == []


@pytest.fixture
def broken() -> Iterator[Any]:
    """Give what applies a break, and take it back."""
    names: list[str] = []

    def apply(name: str) -> None:
        names.append(name)
        breaks.apply(name)

    yield apply
    for name in names:
        breaks.mend(name)


def record(run: Run, name: str) -> dict[str, Any]:
    (found,) = [one for one in run.records if one["resource"] == name]
    return found


def test_each_part_is_recorded_with_what_was_done_and_how_long_it_took(on: Scene, audit: Audit) -> None:
    run = audit(*ARGUMENTS, checks=SMOKE)

    assert run.code == 0, run.text
    told = [(one["resource"], one["check"], one["control"]) for one in run.records]
    assert told == [(name, "smoke", f"SRV-{20 + number}") for number, name in enumerate(PARTS)]
    for name in PARTS:
        (detail,) = record(run, name)["details"]
        assert detail["title"] == "what was done"
        assert all(re.match(r" *\d+\.\d\d s  ", line) for line in detail["text"].splitlines())
        assert record(run, name)["took"] > 0
        assert re.search(rf"hubspec-probe-[0-9a-f]+: {name}: compliant, ", run.text)
    assert re.search(r"hubspec-probe-[0-9a-f]+: 100 %: Server ready at /user/", run.text) or not at_least(
        on.lab.version, "0.9"
    )
    one, two, product = map(
        int, re.findall(r"print\((\d+) \* (\d+)\)' printed (\d+)", run.text + _notes(run, "kernels"))[0]
    )
    assert one * two == product


def _notes(run: Run, name: str) -> str:
    return str(record(run, name)["details"][0]["text"])


def test_no_token_and_no_password_is_in_anything_that_is_left_of_a_run(audit: Audit) -> None:
    run = audit(*ARGUMENTS, checks=SMOKE)
    texts = [path.read_text(errors="replace") for path in run.folder.rglob("*") if path.is_file()]

    assert run.code == 0
    assert len(texts) > 3
    # A token of the hub is 32 hexadecimal digits, a password of a probe user 32 characters of base64.
    own = [
        re.sub(r"sha256-\S+|hubspec-probe-\w+|\"(uuid|historyId|testCaseId)\": ?\"\w+\"", "", text)
        for text in [run.text, *texts[:3]]
    ]
    assert not any(re.search(r"\b[0-9a-f]{32}\b", text) for text in own)


def test_one_part_needs_only_those_before_it(audit: Audit) -> None:
    run = audit(*ARGUMENTS, "-k", "contents", checks=SMOKE)

    assert run.code == 0, run.text
    assert [one["resource"] for one in run.records] == ["contents"]
    assert ": kernels" not in run.text
    assert ": stop: compliant" in run.text


def test_a_server_that_does_not_start_says_why_in_the_hubs_own_words(broken: Any, audit: Audit) -> None:
    broken("server-ends")
    run = audit(*ARGUMENTS, "--smoke-deadline", "60", checks=SMOKE)

    assert run.code == 1
    assert run.outcomes() == {"drifted": 1, "unreadable": 4}
    start = record(run, "start")
    assert "its server did not start: " in start["message"]
    log = start["details"][1]
    assert log["title"] == "last lines of the hub's log"
    assert "the module notebook is gone" in log["text"]
    assert record(run, "kernels")["message"].startswith("it was not tried, for start went wrong: ")


def test_a_server_that_hangs_is_given_up_when_the_time_is_up(broken: Any, audit: Audit) -> None:
    broken("server-hangs")
    run = audit(*ARGUMENTS, "--smoke-deadline", "4", checks=SMOKE)

    assert run.code == 1
    assert "was not ready when its time was up (pending: spawn); give it more with --smoke-deadline" in run.text
    assert "not removed yet" in run.text, "the hub itself waits longer, and the probe user with it"


def test_a_kernel_that_never_answers_is_ended(broken: Any, audit: Audit) -> None:
    broken("kernel-silent")
    run = audit(*ARGUMENTS, "--smoke-deadline", "30", checks=SMOKE)

    assert run.code == 1
    assert run.outcomes() == {"drifted": 1, "compliant": 4}
    (difference,) = record(run, "kernels")["differences"]
    assert difference["field"] == "python3"
    assert "did not answer" in difference["found"]


def test_a_declared_kernel_that_is_not_there(on: Scene) -> None:
    said: list[str] = []
    left: list[Action] = []
    with probes.doors(on.lab, said) as doors, probe_user(doors, said.append, left) as probe:
        trial = Trial(doors, probe, time.monotonic() + 100, said.append, ["python3", "pysparkkernel"])
        parts = trial.run(PARTS)

    assert parts["kernels"].outcome is Outcome.DRIFTED
    assert [(one.field, one.found) for one in parts["kernels"].differences] == [("pysparkkernel", "not installed")]
    assert parts["kernels"].found["python3"] == "ran a cell"
    assert parts["stop"].fine
    assert left == []


def test_a_hub_that_is_down(broken: Any, audit: Audit) -> None:
    broken("hub-down")
    run = audit(*ARGUMENTS, checks=SMOKE)

    assert run.code == 11
    assert run.outcomes() == {"unreadable": 5}
    assert "is it up?" in run.text


@contextmanager
def started(folder: Path, *more: str) -> Iterator[Any]:
    """Start a run, and give its process."""
    command = [sys.executable, "-u", "-m", "pytest", SMOKE, *ARGUMENTS, *more, "--reports", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(120)


def until(process: Any, mark: str) -> str:
    """Read what a run says until that is in a line."""
    said = ""
    for line in process.stdout:
        said += line
        if mark in line:
            return said
    raise AssertionError(said)


MOMENTS = [
    (signal.SIGINT, ": made, in the container"),
    (signal.SIGTERM, ": start"),
    (signal.SIGINT, " %: "),
    (signal.SIGTERM, ": start: compliant"),
    (signal.SIGTERM, ": kernels"),
    (signal.SIGINT, ": stop"),
    (signal.SIGTERM, ": stopping its server"),
]


@pytest.mark.parametrize(("number", "mark"), MOMENTS)
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, number: signal.Signals, mark: str, on: Scene) -> None:
    if mark == " %: " and not at_least(on.lab.version, "0.9"):
        pytest.skip("JupyterHub 0.8 has no events of progress")
    with started(tmp_path) as process:
        said = until(process, mark)
        process.send_signal(number)
        said += process.stdout.read()
        process.wait(120)

    assert process.returncode == 2, said
    assert said.count("stopping its server, and removing it from the hub and the container") == 1


def test_one_interrupted_twice_still_takes_back(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        said = until(process, ": start")
        process.send_signal(signal.SIGINT)
        said += until(process, "stopping its server")
        process.send_signal(signal.SIGTERM)
        said += process.stdout.read()
        process.wait(120)

    assert process.returncode == 2, said
    assert "SIGTERM: what was made is taken back first; 1 more to leave it there" in said


def test_one_whose_reader_went_away_takes_back_too(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        until(process, ": start")
        process.stdout.close()
        process.wait(120)

    assert process.returncode != 0


def test_a_hub_that_restarts_in_the_middle(tmp_path: Path, on: Scene) -> None:
    with started(tmp_path) as process:
        said = until(process, ": api: compliant")
        on.client.containers.get(HUB).restart(timeout=20)
        said += process.stdout.read()
        process.wait(180)
    hub.wait(on.lab)

    assert process.returncode in {1, 11}, said
    assert "went wrong" in said or "drifted" in said or "unreadable" in said


@pytest.fixture
def busy(on: Scene) -> Iterator[None]:
    """Have the hub start one server at a time, while it waits for diego's, which hangs."""
    more = (
        "c.JupyterHub.concurrent_spawn_limit = 1\nc.JupyterHub.spawn_throttle_retry_range = (2, 3)\n"
        "c.Spawner.http_timeout = 40\n"
    )
    inside.must(on.client, HUB, "cat >> /etc/jupyter/conf/jupyterhub_config.py", stdin=more)
    breaks.apply("server-hangs")
    on.client.containers.get(HUB).restart(timeout=20)
    hub.wait(on.lab)
    try:
        yield
    finally:
        breaks.mend("server-hangs")
        provision.files(on.client)
        on.client.containers.get(HUB).restart(timeout=20)
        hub.wait(on.lab)


@pytest.mark.usefixtures("busy")
def test_a_hub_that_asks_to_come_again_is_asked_again(on: Scene, tmp_path: Path) -> None:
    hub.must(on.lab, "POST", "/users/diego/server")
    breaks.mend("server-hangs")
    with started(tmp_path) as process:
        said = process.stdout.read()
        process.wait(120)

    assert process.returncode == 0, said
    assert "the hub asks to come again in " in said


@pytest.mark.usefixtures("busy")
def test_a_hub_that_has_no_room_in_time_could_not_be_tried(on: Scene, tmp_path: Path) -> None:
    hub.must(on.lab, "POST", "/users/diego/server")
    with started(tmp_path, "--smoke-deadline", "1") as process:
        said = process.stdout.read()
        process.wait(120)

    assert process.returncode == 11, said
    assert "the hub has no room for another server: " in said
    assert "answered 429" in said
