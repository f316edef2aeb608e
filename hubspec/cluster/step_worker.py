"""A batch carried out where there is only the EMR API: as one step, its script in S3, its answer in the step's log."""

from __future__ import annotations

import contextlib
import secrets
import shlex
import time
from collections.abc import Callable, Iterator

from hubspec.cluster import own_step
from hubspec.cluster.lock import LOCK
from hubspec.cluster.steps import StepDoor
from hubspec.errors import DoorError, EndUnknownError, LockedError

LIMIT = 2 * 3600
"""Seconds that the step may wait behind others and run."""
ARRIVAL = 15 * 60
"""Seconds within which the log of a step that ended must be in S3: EMR brings it about every five minutes."""

_SCRIPT = """#!/bin/bash
# Made by hubspec to put a cluster right. It reads nothing but itself.
set -u
sudo docker exec -i {container} sh <<'{end}'
exec 9>>{lock} || exit 73
flock -n 9 || {{ echo "{nonce} locked $(cat {lock})"; exit 0; }}
printf '%s\\n' {about} >{lock}
{inner}
: >{lock}
{end}
"""


class StepWorker:
    """Works through script-runner.jar. `stopped` says whether the run was interrupted, `say` is told of its progress."""

    def __init__(self, door: StepDoor, container: str, stopped: Callable[[], bool], say: Callable[[str], None]) -> None:
        """Nothing is submitted yet."""
        self._door, self._container, self._stopped, self._say = door, container, stopped, say
        self._about = "hubspec"

    def act(self, script: str, hear: Callable[[str], None], *, stop: str = "") -> None:
        """Run a script in the container as root, by one step, and hand on each line of its output once it is in S3.

        An interrupted run cancels a step that waits, and waits for one that runs: what it does is not half done.
        Raises LockedError where another run holds the cluster's lock, DoorError where the step does not complete.
        """
        del stop  # a step that runs cannot be spoken to
        nonce = secrets.token_hex(8)
        text = _SCRIPT.format(
            container=shlex.quote(self._container), end=f"end-of-{nonce}", lock=LOCK, nonce=nonce,
            about=shlex.quote(self._about), inner=script.rstrip(),
        )  # fmt: skip
        for line in self._run(f"hubspec remediate {nonce}", text).splitlines():
            if line.startswith(f"{nonce} locked "):
                raise LockedError(line.partition(" locked ")[2])
            hear(line)

    def manage(self, argv: list[str]) -> str:
        """Do a docker command on the master node, by one step. Raises DoorError."""
        self._run(
            f"hubspec manage {secrets.token_hex(8)}", f"#!/bin/bash\nset -e\nsudo {shlex.join(argv)}\necho done\n"
        )
        return ""

    @contextlib.contextmanager
    def lock(self, about: str, seconds: float) -> Iterator[None]:
        """Remember who works: the step takes the lock itself, for as long as it runs."""
        del seconds
        self._about = about
        yield

    def _run(self, name: str, text: str) -> str:
        with own_step.script(self._door, name, text, self._say) as uri:
            step = own_step.OwnStep.submitted(self._door, name, uri, self._say)
            self._say(f"{name}: submitted as {step.id}")
            try:
                state = step.ended(self._over(step.id))
                until = time.monotonic() + ARRIVAL
                output = step.printed(str, lambda: state == "CANCELLED" or time.monotonic() > until)
                details = "" if output is not None else "; ".join(step.why())
            except DoorError as error:
                raise EndUnknownError(
                    f"{step.id} was submitted, and what became of it cannot be read: {error}"
                ) from None
        if output is not None:
            return output
        if state == "CANCELLED" and self._stopped():
            raise DoorError(f"the step {step.id} was cancelled before it ran")
        raise EndUnknownError(f"the step {step.id} {state}, and what it printed did not reach S3: {details}")

    def _over(self, id_: str) -> Callable[[str], None]:
        """Return what cancels a step that waits where the run was interrupted, and one whose time is up."""
        until, cancelled = time.monotonic() + LIMIT, False

        def over(state: str) -> None:
            nonlocal until, cancelled
            if (self._stopped() and state == "PENDING" and not cancelled) or time.monotonic() > until:
                cancelled = True
                self._door.cancel(id_)
                until = time.monotonic() + LIMIT

        return over
