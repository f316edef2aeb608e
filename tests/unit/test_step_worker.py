"""A batch by way of one step: what was done is heard, whatever becomes of the script in S3."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from hubspec.cluster.step_worker import StepWorker
from hubspec.errors import DoorError, EndUnknownError


@dataclass
class Steps:
    """Stands for EMR and S3 where they refuse, which the lab's never do."""

    refused: set[str] = field(default_factory=set)
    state: str = "COMPLETED"
    kept: dict[str, str] = field(default_factory=dict)
    region: str = "us-east-1"
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
