"""Smoke tests: something small is really done on a cluster, watched to its end, and taken back."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from hubspec.check import Check
from hubspec.door import ENDED, StepDoor
from hubspec.errors import DoorError, HubspecError
from hubspec.model import Action, Detail, Difference, Outcome
from hubspec.snapshot import Reading
from hubspec.verdict import Verdict

POLLS = (1.0, 2.0, 4.0, 8.0, 10.0)
"""Seconds between two looks, the last one again and again: AWS lets an account list steps every two seconds at most."""
SCRIPT = '#!/bin/bash\n# A smoke test of hubspec: it prints a product and changes nothing.\necho "$(($1 * $2))"\n'
Say = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """One smoke test under way: its name, which is new each time, and until when it may take (monotonic clock)."""

    name: str
    until: float
    say: Say
    sleep: Callable[[float], None] = time.sleep


def step(check: Check, cluster: str, door: StepDoor, seconds: float, say: Say) -> Verdict:
    """Return whether a step that is submitted now completes, and its output reaches S3.

    The step multiplies two numbers and touches nothing. Its script is removed from S3, and a step that has not ended
    when the time is up, or when the run is interrupted, is cancelled.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    trial = Trial(f"hubspec smoke {check.name} {secrets.token_hex(4)}", clock + seconds, say)
    left: list[str] = []
    try:
        outcome, reason, differences, details = _tried(check.name, door, trial, left)
    except HubspecError as error:
        outcome, reason, differences, details = Outcome.UNREADABLE, str(error), (), ()
    reading = Reading("aws", door.command, started, time.monotonic() - clock, {})
    actions = tuple(Action(sentence=one, door="aws", request="s3:DeleteObject", safety="manual") for one in left)
    found = {difference.field: difference.found for difference in differences}
    return Verdict(check, cluster, outcome, reason, reading, differences, found, actions, details=details)


Result = tuple[Outcome, str, tuple[Difference, ...], tuple[Detail, ...]]


def _tried(sort: str, door: StepDoor, trial: Trial, left: list[str]) -> Result:
    one, two = (secrets.randbelow(90_000) + 10_000 for _ in range(2))
    with ExitStack() as undo:
        if sort == "command-runner":
            jar, arguments = "command-runner.jar", ["expr", str(one), "*", str(two)]
        else:
            uri = door.put(f"{trial.name.replace(' ', '-')}.sh", SCRIPT)
            undo.callback(_remove, door, uri, trial, left)
            jar = f"s3://{door.region}.elasticmapreduce/libs/script-runner/script-runner.jar"
            arguments = [uri, str(one), str(two)]
        id_ = door.submit(trial.name, jar, arguments)
        undo.callback(_cancel, door, id_, trial)
        trial.say(f"{trial.name}: submitted as {id_}")
        state, ended = _wait(door, id_, trial)
        if state in {"PENDING", "RUNNING", "CANCEL_PENDING"}:
            why = "other steps are before it" if state == "PENDING" else "it was cancelled"
            message = f"{trial.name} ({id_}) was still {state} when its time was up, {why}; give it more with --smoke-deadline"
            if state == "PENDING":
                raise DoorError(message)
            return Outcome.DRIFTED, message, (Difference("state", "COMPLETED", state),), ()
        if state != "COMPLETED":
            details = door.explain(id_, ended)
            return Outcome.DRIFTED, f"{trial.name} ({id_}) {state}", (Difference("state", "COMPLETED", state),), details
        return _output(door, id_, trial, str(one * two))


def _wait(door: StepDoor, id_: str, trial: Trial) -> tuple[str, datetime | None]:
    before, begun = "", time.monotonic()
    polls = iter(POLLS)
    pause = POLLS[0]
    while True:
        status = door.status(id_)
        state = status["State"]
        if state in ENDED or time.monotonic() > trial.until:
            return state, status.get("Timeline", {}).get("EndDateTime")
        pause = next(polls, pause)
        if state != before or pause == POLLS[-1]:
            trial.say(f"{trial.name}: {state}, {time.monotonic() - begun:.0f} s so far")
        before = state
        trial.sleep(max(0.0, min(pause, trial.until - time.monotonic())))


def _output(door: StepDoor, id_: str, trial: Trial, wanted: str) -> Result:
    polls = iter(POLLS)
    pause = POLLS[0]
    while (found := door.output(id_)) is None:
        if time.monotonic() > trial.until:
            message = f"{trial.name} ({id_}) completed, but its output did not reach S3 in time"
            return Outcome.DRIFTED, message, (Difference("output", wanted, None),), ()
        pause = next(polls, pause)
        if pause > POLLS[0]:
            trial.say(f"{trial.name}: completed; waiting for its output in S3 (EMR brings it about every five minutes)")
        trial.sleep(max(0.0, min(pause, trial.until - time.monotonic())))
    if found.strip() != wanted:
        message = f"{trial.name} ({id_}) completed, but its output is not what it prints"
        return Outcome.DRIFTED, message, (Difference("output", wanted, found.strip()),), ()
    return Outcome.COMPLIANT, f"{trial.name} ({id_}) completed, and its output is in S3", (), ()


def _cancel(door: StepDoor, id_: str, trial: Trial) -> None:
    """Cancel the step unless it has ended; what cannot be cancelled is said, and hides nothing."""
    try:
        if door.status(id_)["State"] not in ENDED:
            trial.say(f"{trial.name}: cancelling {id_}")
            door.cancel(id_)
    except DoorError as error:
        trial.say(f"{trial.name}: {id_} may still be there: {error}")


def _remove(door: StepDoor, uri: str, trial: Trial, left: list[str]) -> None:
    try:
        door.remove(uri)
    except DoorError as error:
        left.append(f"remove {uri}, which was left behind: {error}")
        trial.say(f"{trial.name}: {uri} could not be removed: {error}")
