"""A step of our own that carries a script: its script in S3 for as long, its submission, and the waits for its end and for its log."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from hubspec.cluster.session import RefusedError
from hubspec.cluster.steps import StepDoor
from hubspec.door import ENDED
from hubspec.errors import DoorError

FIRST, POLL, PATIENCE = 0.2, 5.0, 20.0
"""Seconds between two looks at it, the first ones and all others, and between two lines of progress."""
JAR = "s3://{region}.elasticmapreduce/libs/script-runner/script-runner.jar"
"""Where each region has the jar that runs a script: docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-commandrunner.html."""

Read = TypeVar("Read")
Say = Callable[[str], None]


@contextlib.contextmanager
def script(steps: StepDoor, name: str, text: str, say: Say) -> Iterator[str]:
    """Have a script in S3 for the time of a block, which is given its URI. Raises DoorError.

    It is removed however the block ends; where that is refused it is said, and hides nothing of what was done.
    """
    file = f"{name.replace(' ', '-')}.sh"
    where, there = steps.scratch + file, True
    try:
        try:
            steps.put(file, text)
        except RefusedError:
            there = False
            raise
        yield where
    finally:
        if there:
            _remove(steps, where, say)


def _remove(steps: StepDoor, where: str, say: Say) -> None:
    try:
        steps.remove(where)
    except DoorError as error:
        say(f"{where} could not be removed: {error}")


@dataclass
class OwnStep:
    """One that was submitted. `sleep` lets a while go by, and raises where nobody waits any more."""

    steps: StepDoor
    name: str
    id: str
    say: Say
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def submitted(
        cls, steps: StepDoor, name: str, uri: str, say: Say, sleep: Callable[[float], None] = time.sleep
    ) -> OwnStep:
        """Submit a step that runs the script at `uri`, and return it. Raises DoorError."""
        return cls(steps, name, steps.submit(name, JAR.format(region=steps.region), [uri]), say, sleep)

    def ended(self, over: Callable[[str], None], more: Callable[[str], str] = lambda _state: "") -> str:
        """Return the state in which it ended. Raises DoorError, and what `over` raises.

        `over` is told the state of one that goes on, and may cancel it; `more` what a line of progress says of that state.
        """
        turns = _Turns(self.sleep, self.say)
        while (state := str(self.steps.status(self.id)["State"])) not in ENDED:
            over(state)
            turns.next(lambda state=state: f"{self.name}: {state}{more(state)}")  # type: ignore[misc] # bound at once
        return state

    def printed(self, read: Callable[[str], Read | None], late: Callable[[], bool]) -> Read | None:
        """Return what `read` makes of its output, once that is in S3 as a whole; None where it is `late`. Raises DoorError."""
        turns = _Turns(self.sleep, self.say)
        while True:
            text = self.steps.output(self.id, whole=True)
            found = None if text is None else read(text)
            if found is not None or late():
                return found
            turns.next(
                lambda: f"{self.name}: it ended; waiting for its log in S3 (EMR brings it about every five minutes)"
            )

    def why(self) -> list[str]:
        """Return the last lines of its logs, or until when to wait for them."""
        return [f"{one.title}: {one.text}" for one in self.steps.explain(self.id, None)]


@dataclass
class _Turns:
    """The pauses between two looks, each a little longer than the one before, and a line now and then."""

    sleep: Callable[[float], None]
    say: Say
    pause: float = field(default_factory=lambda: FIRST)
    told: float = field(default_factory=time.monotonic)

    def next(self, line: Callable[[], str]) -> None:
        if time.monotonic() - self.told > PATIENCE:
            self.told = time.monotonic()
            self.say(line())
        self.sleep(self.pause)
        self.pause = min(self.pause * 1.5, POLL)
