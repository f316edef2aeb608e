"""A script carried by one EMR step: put into S3, run by script-runner.jar, its sealed answer read out of the step's log in S3."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable

from hubspec.cluster.answer import Said
from hubspec.cluster.made import Made
from hubspec.cluster.seal import Seal
from hubspec.cluster.session import RefusedError
from hubspec.cluster.steps import StepDoor
from hubspec.door import ENDED
from hubspec.errors import DoorError

LIMIT = 30 * 60.0
"""Seconds for all of it: the steps before it, its own run, and its log, which EMR brings to S3 about every five minutes."""
FIRST, POLL, PATIENCE = 0.2, 5.0, 20.0
"""Seconds between two looks at it, the first ones and all others, and between two lines of progress."""


class StepCarrier:
    """Carries by steps named hubspec look NONCE. `own` is told of each, NAME (ID): it is no part of the cluster."""

    name, trip, user = "step", "EMR step", "hadoop"

    def __init__(
        self,
        steps: StepDoor,
        say: Callable[[str], None],
        *,
        own: Callable[[str], None] = lambda _name: None,
        made: Made | None = None,
        limit: float = LIMIT,
    ) -> None:
        """Nothing is submitted yet. `made` says when the run was interrupted, and has that wait for what is taken back here."""
        self._steps, self._say, self._own, self._limit = steps, say, own, limit
        self._made = made or Made()

    def carry(self, seal: Seal, script: str, limit: float) -> Said:
        """Return the answer to a script. The script is removed from S3 and the step cancelled, however this ends.

        Raises DoorError, with the next step.
        """
        del limit  # the script itself keeps it
        with self._made.making():
            return self._carry(seal, script, time.monotonic() + self._limit)

    def _carry(self, seal: Seal, script: str, until: float) -> Said:
        self._steps.logs("")  # where there is none, no step is submitted in vain
        name = f"hubspec look {secrets.token_hex(8)}"
        file = f"{name.replace(' ', '-')}.sh"
        where, there = self._steps.scratch + file, True
        try:
            try:
                self._steps.put(file, script)
            except RefusedError:
                there = False
                raise
            return self._step(name, where, seal, until)
        finally:
            if there:
                self._remove(where)

    def _step(self, name: str, where: str, seal: Seal, until: float) -> Said:
        jar = f"s3://{self._steps.region}.elasticmapreduce/libs/script-runner/script-runner.jar"
        id_ = self._steps.submit(name, jar, [where])
        self._own(f"{name} ({id_})")
        self._say(f"{name}: submitted as {id_}, to look at the container")
        state = ""
        try:
            state = self._end(name, id_, until)
            return self._answer(name, id_, state, seal, until)
        finally:
            if state not in ENDED:
                self._cancel(id_)

    def _end(self, name: str, id_: str, until: float) -> str:
        """Return the state in which the step ended. Raises DoorError where it does not in time."""
        pause, told = FIRST, time.monotonic()
        while (state := str(self._steps.status(id_)["State"])) not in ENDED:
            if time.monotonic() > until:
                raise DoorError(
                    f"the step {id_} was still {state} after {self._limit:g} s{self._before(id_, state)}, and was cancelled;"
                    " give it more with --step-deadline, or take --door ssm, which waits behind no step"
                )
            if time.monotonic() - told > PATIENCE:
                told = time.monotonic()
                self._say(f"{name}: {state}{self._before(id_, state)}")
            self._wait(pause)
            pause = min(pause * 1.5, POLL)
        return state

    def _before(self, id_: str, state: str) -> str:
        with contextlib.suppress(DoorError):
            names = self._steps.before(id_) if state == "PENDING" else []
            if names:
                return f" behind {len(names)} other step{'s' * (len(names) > 1)}, the first of them {names[-1]}"
        return ""

    def _answer(self, name: str, id_: str, state: str, seal: Seal, until: float) -> Said:
        """Return the answer, once it is in S3 as a whole: a log may be brought there in parts."""
        pause, told = FIRST, time.monotonic()
        while True:
            printed = self._steps.output(id_, whole=True)
            said = seal.opened(printed) if printed else None
            if said:
                return said
            if state != "COMPLETED":
                raise DoorError(f"the step {id_} is {state}, and did not look: {self._why(id_)}")
            if time.monotonic() > until:
                raise DoorError(
                    f"the step {id_} has {state}, and its answer did not reach S3 within {self._limit:g} s: {self._why(id_)}"
                )
            if time.monotonic() - told > PATIENCE:
                told = time.monotonic()
                self._say(f"{name}: {state}; waiting for its log in S3 (EMR brings it about every five minutes)")
            self._wait(pause)
            pause = min(pause * 1.5, POLL)

    def _why(self, id_: str) -> str:
        status = self._steps.status(id_)
        failure = status.get("FailureDetails") or {}
        told = [failure.get("Reason"), failure.get("Message"), status.get("StateChangeReason", {}).get("Message")]
        told += [f"{one.title}: {one.text}" for one in self._steps.explain(id_, None)]
        scratch = f"may the cluster's instance profile read {self._steps.scratch} (s3:GetObject)?"
        return "; ".join([word for word in told if word] + ([scratch] if status["State"] == "FAILED" else []))

    def _wait(self, seconds: float) -> None:
        if self._made.stopped.wait(seconds):
            raise DoorError("the look at the container was interrupted")

    def _cancel(self, id_: str) -> None:
        try:
            self._steps.cancel(id_)
        except DoorError as error:
            self._say(f"{id_} could not be cancelled: {error}")

    def _remove(self, where: str) -> None:
        try:
            self._steps.remove(where)
        except DoorError as error:
            self._say(f"{where} could not be removed: {error}")
