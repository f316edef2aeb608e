"""A look by way of one step: every end that the step, its log or S3 can come to; and whatever it was, the script is removed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from hubspec.cluster import own_step
from hubspec.cluster.answer import Said
from hubspec.cluster.made import Made
from hubspec.cluster.seal import Seal
from hubspec.cluster.session import RefusedError
from hubspec.cluster.step_door import StepCarrier
from hubspec.errors import DoorError
from hubspec.model import Detail

SEAL = Seal()
ANSWER = subprocess.run(
    ["sh"], input=SEAL.script("exec sh -c 'echo here; exit 3'", b"", 20), capture_output=True, text=True, check=True
).stdout


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once, and tell of each."""
    for name, seconds in (("FIRST", 0.01), ("POLL", 0.01), ("PATIENCE", 0)):
        monkeypatch.setattr(own_step, name, seconds)


@dataclass
class Steps:
    """Stands for EMR and S3: states of the step one after the other, and what lies in its log, the last for ever."""

    states: list[str] = field(default_factory=lambda: ["PENDING", "RUNNING", "COMPLETED"])
    logged: list[str | None] = field(default_factory=lambda: [None, ANSWER[:-200], ANSWER])
    refused: dict[str, DoorError] = field(default_factory=dict)
    before_us: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    hook: Callable[[], None] = lambda: None
    scratch: str = "s3://bucket/"
    region: str = "eu-west-1"

    def _may(self, what: str) -> None:
        self.done.append(what)
        if what in self.refused:
            raise self.refused[what]

    def logs(self, _step: str) -> str:
        self._may("logs")
        return "s3://bucket/logs/"

    def put(self, name: str, text: str) -> str:
        self._may("put")
        self.kept[f"s3://bucket/{name}"] = text
        return f"s3://bucket/{name}"

    def remove(self, uri: str) -> None:
        self._may("remove")
        self.kept.pop(uri, None)

    def submit(self, _name: str, jar: str, arguments: list[str]) -> str:
        self._may("submit")
        assert jar == "s3://eu-west-1.elasticmapreduce/libs/script-runner/script-runner.jar"
        assert arguments == list(self.kept)
        return "s-1"

    def status(self, _step: str) -> dict[str, Any]:
        self._may("status")
        self.hook()
        return {"State": self.states.pop(0) if len(self.states) > 1 else self.states[0]}

    def before(self, _step: str) -> list[str]:
        return self.before_us

    def output(self, _step: str, **_how: bool) -> str | None:
        self._may("output")
        return self.logged.pop(0) if len(self.logged) > 1 else self.logged[0]

    def cancel(self, _step: str) -> None:
        self._may("cancel")

    def explain(self, _step: str, _ended: None) -> tuple[Detail, ...]:
        return (Detail("stderr", "no such key"),)


def carry(steps: Steps, *, limit: float = 20, made: Made | None = None) -> tuple[Said, list[str]]:
    said: list[str] = []
    own: list[str] = []
    carrier = StepCarrier(steps, said.append, own=own.append, made=made, limit=limit)  # type: ignore[arg-type] # it does what is used
    try:
        found = carrier.carry(SEAL, "echo script", 25)
    finally:
        if "remove" not in steps.refused:
            assert steps.kept == {}, "the script is removed"
        assert own == ([f"{said[0].partition(':')[0]} (s-1)"] if "status" in steps.done else [])
    return found, said


def test_its_answer_once_it_is_there_whole() -> None:
    steps = Steps(before_us=["b", "a"])
    found, said = carry(steps)

    assert (found.code, found.out) == (3, b"here\n")
    assert "cancel" not in steps.done
    assert any("PENDING behind 2 other steps, the first of them a" in line for line in said)
    assert any("it ended; waiting for its log in S3 (EMR brings it about every five minutes)" in line for line in said)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"states": ["PENDING"], "before_us": ["long one"]}, "still PENDING after 0.1 s behind 1 other step, the first of them long one, and was cancelled; give it more with --step-deadline, or take --door ssm"),
        ({"states": ["RUNNING"]}, "still RUNNING after 0.1 s, and was cancelled"),
        ({"states": ["FAILED"], "logged": [None]}, r"the step s-1 is FAILED, and did not look: stderr: no such key; may the cluster's instance profile read s3://bucket/"),
        ({"states": ["CANCELLED"], "logged": [None]}, "the step s-1 is CANCELLED, and did not look"),
        ({"states": ["COMPLETED"], "logged": [None]}, "has COMPLETED, and its answer did not reach S3 within 0.1 s: stderr: no such key"),
        ({"states": ["COMPLETED"], "logged": [ANSWER[:-200]]}, "its answer did not reach S3 within"),
    ],
)  # fmt: skip
def test_what_does_not_come_in_time_or_not_at_all(how: dict[str, Any], words: str) -> None:
    steps = Steps(**how)
    with pytest.raises(DoorError, match=words):
        carry(steps, limit=0.1)
    assert ("cancel" in steps.done) == (steps.states[0] in {"PENDING", "RUNNING"})


@pytest.mark.parametrize(
    ("what", "done"),
    [
        ("logs", ["logs"]),
        ("put", ["logs", "put"]),
        ("submit", ["logs", "put", "submit", "remove"]),
        ("status", ["logs", "put", "submit", "status", "cancel", "remove"]),
    ],
)
def test_what_aws_refuses_is_told_and_nothing_is_left(what: str, done: list[str]) -> None:
    steps = Steps(refused={what: RefusedError(f"AWS refuses {what}", "AccessDenied")})
    with pytest.raises(DoorError, match=f"AWS refuses {what}"):
        carry(steps)
    assert steps.done == done


def test_what_could_not_be_removed_or_cancelled_is_said_and_hides_nothing() -> None:
    refused = {what: DoorError(f"{what} was refused") for what in ("remove", "cancel")}
    found, said = carry(Steps(refused=refused))
    assert found.out == b"here\n"
    assert any("could not be removed: remove was refused" in line for line in said)

    steps = Steps(states=["RUNNING"], refused=refused)
    with pytest.raises(DoorError, match="still RUNNING"):
        carry(steps, limit=0.1)
    assert "cancel" in steps.done


def test_an_interrupt_anywhere_takes_back_what_was_made() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    steps = Steps(hook=interrupt)
    with pytest.raises(KeyboardInterrupt):
        carry(steps)
    assert steps.done[-2:] == ["cancel", "remove"]


def test_a_look_that_nobody_waits_for_ends_at_once() -> None:
    made = Made()
    steps = Steps(states=["PENDING"], hook=made.stopped.set)
    with pytest.raises(DoorError, match="interrupted"):
        carry(steps, made=made)
    assert steps.done[-2:] == ["cancel", "remove"]
