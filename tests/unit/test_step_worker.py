"""A batch by way of one step: what was done is heard, whatever becomes of the script in S3."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from hubspec.cluster import own_step, step_worker
from hubspec.cluster.step_worker import StepWorker
from hubspec.errors import DoorError, EndUnknownError
from hubspec.model import Detail


@dataclass
class Steps:
    """Stands for EMR and S3 where they refuse, which the lab's never do."""

    refused: set[str] = field(default_factory=set)
    state: str = "COMPLETED"
    kept: dict[str, str] = field(default_factory=dict)
    region: str = "us-east-1"
    scratch: str = "s3://bucket/"
    command: str = "emr"

    def _may(self, what: str) -> None:
        if what in self.refused:
            message = f"{what} was refused (AccessDenied)"
            raise DoorError(message)

    def put(self, name: str, text: str) -> str:
        self._may("put")
        self.kept[f"s3://bucket/{name}"] = text
        return f"s3://bucket/{name}"

    def remove(self, uri: str) -> None:
        self._may("remove")
        del self.kept[uri]

    def submit(self, _name: str, _jar: str, _arguments: list[str]) -> str:
        self._may("submit")
        return "s-1"

    def status(self, _step: str) -> dict[str, Any]:
        return {"State": self.state}

    def output(self, _step: str, **_how: bool) -> str:
        self._may("output")
        return "one\ntwo\n"


def act(door: Steps) -> tuple[list[str], list[str]]:
    heard: list[str] = []
    said: list[str] = []
    worker = StepWorker(door, "jupyterhub", lambda: False, said.append)  # type: ignore[arg-type] # it does what is used
    worker.act("echo one; echo two", heard.append, stop="")
    return heard, said


def test_the_script_is_removed() -> None:
    door = Steps()

    heard, _ = act(door)

    assert heard == ["one", "two"]
    assert door.kept == {}


def test_a_script_that_cannot_be_removed_is_said_and_hides_nothing() -> None:
    door = Steps({"remove"})
    heard, said = act(door)

    assert heard == ["one", "two"]
    (uri,) = door.kept
    assert f"{uri} could not be removed: remove was refused (AccessDenied)" in said


@pytest.mark.parametrize("what", ["put", "submit", "output"])
def test_what_is_refused_before_is_an_error_of_its_own(what: str) -> None:
    door = Steps({what, "remove"})

    with pytest.raises(EndUnknownError if what == "output" else DoorError, match=f"{what} was refused"):
        act(door)


@dataclass
class Slow(Steps):
    """Stands for an EMR that takes its time: states one after the other, and a log that comes later."""

    states: list[str] = field(default_factory=lambda: ["PENDING", "RUNNING", "COMPLETED"])
    missing: int = 2
    done: list[str] = field(default_factory=list)

    def status(self, _step: str) -> dict[str, Any]:
        return {"State": self.states.pop(0) if len(self.states) > 1 else self.states[0]}

    def output(self, _step: str, **_how: bool) -> str | None:  # type: ignore[override] # it has not arrived
        self.missing -= 1
        return None if self.missing >= 0 else "one\n"

    def cancel(self, _step: str) -> None:
        self.done.append("cancel")
        self.states = ["CANCELLED"]

    def explain(self, _step: str, _ended: None) -> tuple[Detail, ...]:
        return (Detail("stderr", "no such key"),)


def worked(door: Slow, *, stopped: bool = False) -> tuple[list[str], list[str]]:
    heard: list[str] = []
    said: list[str] = []
    worker = StepWorker(door, "jupyterhub", lambda: stopped, said.append)  # type: ignore[arg-type] # it does what is used
    worker.act("echo one", heard.append)
    assert door.kept == {}
    return heard, said


@pytest.fixture
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("FIRST", 0.01), ("POLL", 0.01), ("PATIENCE", 0)):
        monkeypatch.setattr(own_step, name, seconds)


@pytest.mark.usefixtures("_no_pause")
def test_its_end_and_its_log_are_waited_for_with_a_word_now_and_then() -> None:
    heard, said = worked(Slow())

    assert heard == ["one"]
    assert [line.partition(": ")[2].partition(";")[0] for line in said] == ["submitted as s-1", "PENDING", "RUNNING", *["it ended"] * 2]  # fmt: skip


@pytest.mark.usefixtures("_no_pause")
def test_an_interrupted_run_cancels_a_step_that_waits_and_no_other() -> None:
    door = Slow(missing=99)
    with pytest.raises(DoorError, match="s-1 was cancelled before it ran") as error:
        worked(door, stopped=True)
    assert not isinstance(error.value, EndUnknownError)
    assert door.done == ["cancel"]

    door = Slow(states=["RUNNING", "COMPLETED"])
    assert worked(door, stopped=True)[0] == ["one"]
    assert door.done == []


@pytest.mark.usefixtures("_no_pause")
def test_a_log_that_does_not_come_leaves_the_end_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_worker, "ARRIVAL", 0.05)
    with pytest.raises(EndUnknownError, match="COMPLETED, and what it printed did not reach S3: stderr: no such key"):
        worked(Slow(missing=10**6))
