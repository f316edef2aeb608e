"""A batch carried out where there is only the EMR API: as one step, its script in S3, its answer in the step's log."""

from __future__ import annotations

import contextlib
import secrets
import shlex
import time
from collections.abc import Callable, Iterator

from hubspec.cluster.lock import LOCK
from hubspec.cluster.steps import StepDoor
from hubspec.door import ENDED
from hubspec.errors import DoorError, EndUnknownError, LockedError

LIMIT = 2 * 3600
"""Seconds that the step may wait behind others and run."""
ARRIVAL = 15 * 60
"""Seconds within which the log of a step that ended must be in S3: EMR brings it about every five minutes."""
POLL, PATIENCE = 5.0, 20.0

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
        name = f"hubspec remediate {nonce}"
        uri = self._door.put(f"{name.replace(' ', '-')}.sh", text)
        try:
            lines = self._run(name, uri).splitlines()
        finally:
            self._remove(uri)
        for line in lines:
            if line.startswith(f"{nonce} locked "):
                raise LockedError(line.partition(" locked ")[2])
            hear(line)

    def manage(self, argv: list[str]) -> str:
        """Do a docker command on the master node, by one step. Raises DoorError."""
        nonce = secrets.token_hex(8)
        uri = self._door.put(f"hubspec-manage-{nonce}.sh", f"#!/bin/bash\nset -e\nsudo {shlex.join(argv)}\necho done\n")
        try:
            self._run(f"hubspec manage {nonce}", uri)
        finally:
            self._remove(uri)
        return ""

    @contextlib.contextmanager
    def lock(self, about: str, seconds: float) -> Iterator[None]:
        """Remember who works: the step takes the lock itself, for as long as it runs."""
        del seconds
        self._about = about
        yield

    def _remove(self, uri: str) -> None:
        """Remove the script; where that is refused it is said, and hides nothing of what was done."""
        try:
            self._door.remove(uri)
        except DoorError as error:
            self._say(f"{uri} could not be removed: {error}")

    def _run(self, name: str, uri: str) -> str:
        jar = f"s3://{self._door.region}.elasticmapreduce/libs/script-runner/script-runner.jar"
        id_ = self._door.submit(name, jar, [uri])
        self._say(f"{name}: submitted as {id_}")
        try:
            state = self._wait(name, id_)
            output = self._output(name, id_)
            details = (
                ""
                if output is not None
                else "; ".join(f"{one.title}: {one.text}" for one in self._door.explain(id_, None))
            )
        except DoorError as error:
            raise EndUnknownError(f"{id_} was submitted, and what became of it cannot be read: {error}") from None
        if output is not None:
            return output
        if state == "CANCELLED" and self._stopped():
            raise DoorError(f"the step {id_} was cancelled before it ran")
        raise EndUnknownError(f"the step {id_} {state}, and what it printed did not reach S3: {details}")

    def _wait(self, name: str, id_: str) -> str:
        until, told, pause, cancelled = time.monotonic() + LIMIT, time.monotonic(), 0.5, False
        while (state := str(self._door.status(id_)["State"])) not in ENDED:
            if (self._stopped() and state == "PENDING" and not cancelled) or time.monotonic() > until:
                cancelled = True
                self._door.cancel(id_)
                until = time.monotonic() + LIMIT
            if time.monotonic() - told > PATIENCE:
                told = time.monotonic()
                self._say(f"{name}: {state}")
            time.sleep(pause)
            pause = min(pause * 2, POLL)
        return state

    def _output(self, name: str, id_: str) -> str | None:
        until, told, pause = time.monotonic() + ARRIVAL, time.monotonic(), 0.5
        while (output := self._door.output(id_, whole=True)) is None:
            if time.monotonic() > until or self._door.status(id_)["State"] == "CANCELLED":
                return None
            if time.monotonic() - told > PATIENCE:
                told = time.monotonic()
                self._say(f"{name}: it ended; waiting for its log in S3 (EMR brings it about every five minutes)")
            time.sleep(pause)
            pause = min(pause * 2, POLL)
        return output
