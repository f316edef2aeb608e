"""A script carried by one EMR step: put into S3, run by script-runner.jar, its sealed answer read out of the step's log in S3."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from functools import partial

from hubspec.cluster import own_step
from hubspec.cluster.answer import Said
from hubspec.cluster.made import Made
from hubspec.cluster.seal import Seal
from hubspec.cluster.steps import StepDoor
from hubspec.door import ENDED
from hubspec.errors import DoorError

LIMIT = 30 * 60.0
"""Seconds for all of it: the steps before it, its own run, and its log, which EMR brings to S3 about every five minutes."""


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
        with own_step.script(self._steps, name, script, self._say) as where:
            step = own_step.OwnStep.submitted(self._steps, name, where, self._say, self._sleep)
            self._own(f"{name} ({step.id})")
            self._say(f"{name}: submitted as {step.id}, to look at the container")
            state = ""
            try:
                state = step.ended(lambda state: self._over(step.id, state, until), partial(self._before, step.id))
                return self._answer(step, state, seal, until)
            finally:
                if state not in ENDED:
                    self._cancel(step.id)

    def _over(self, id_: str, state: str, until: float) -> None:
        """Raise DoorError where the step does not end in time."""
        if time.monotonic() > until:
            raise DoorError(
                f"the step {id_} was still {state} after {self._limit:g} s{self._before(id_, state)}, and was cancelled;"
                " give it more with --step-deadline, or take --door ssm, which waits behind no step"
            )

    def _before(self, id_: str, state: str) -> str:
        with contextlib.suppress(DoorError):
            names = self._steps.before(id_) if state == "PENDING" else []
            if names:
                return f" behind {len(names)} other step{'s' * (len(names) > 1)}, the first of them {names[-1]}"
        return ""

    def _answer(self, step: own_step.OwnStep, state: str, seal: Seal, until: float) -> Said:
        """Return the answer, once it is in S3 as a whole: a log may be brought there in parts."""
        said = step.printed(
            lambda text: seal.opened(text) if text else None,
            lambda: state != "COMPLETED" or time.monotonic() > until,
        )
        if said is not None:
            return said
        if state != "COMPLETED":
            raise DoorError(f"the step {step.id} is {state}, and did not look: {self._why(step)}")
        raise DoorError(
            f"the step {step.id} has {state}, and its answer did not reach S3 within {self._limit:g} s: {self._why(step)}"
        )

    def _why(self, step: own_step.OwnStep) -> str:
        status = self._steps.status(step.id)
        failure = status.get("FailureDetails") or {}
        told = [failure.get("Reason"), failure.get("Message"), status.get("StateChangeReason", {}).get("Message")]
        scratch = f"may the cluster's instance profile read {self._steps.scratch} (s3:GetObject)?"
        failed = [scratch] if status["State"] == "FAILED" else []
        return "; ".join([word for word in [*told, *step.why()] if word] + failed)

    def _sleep(self, seconds: float) -> None:
        if self._made.stopped.wait(seconds):
            raise DoorError("the look at the container was interrupted")

    def _cancel(self, id_: str) -> None:
        try:
            self._steps.cancel(id_)
        except DoorError as error:
            self._say(f"{id_} could not be cancelled: {error}")
