"""The workers of a scheduler of Dask as the engine of a fleet, through its interface of `concurrent.futures`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any, TypeVar

from hubspec.errors import DoorError, HubspecError

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
PATIENCE = 30.0
"""Seconds in which a scheduler that went away may come back, and in which there has to be a worker."""
ANSWER = 10.0
"""Seconds that a scheduler that is there has to answer."""
LOOK = 2.0
"""Seconds for which the number of workers is believed."""


class Dask:
    """The workers of one scheduler: as many tasks at the same time as they have threads.

    A task whose worker is lost is given to another by the scheduler, until that is too many
    (`distributed.scheduler.allowed-failures`, 3); no task waits at the scheduler, so that its time is its own.
    """

    remote = True

    def __init__(self, address: str, suite: Callable[[], str]) -> None:
        """Reach the scheduler, and see that each worker says of its suite what this machine says. Raises HubspecError where Dask is not installed, DoorError where nobody answers."""
        try:
            from distributed import Client
        except ImportError:
            raise HubspecError(
                f"--engine {address}: Dask is not installed here: pip install 'hubspec[fleet]', on the workers too"
            ) from None
        # What goes wrong is told by the fleet, in one sentence for each cluster that it costs.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._address = address
        try:
            self._client: Client = Client(address, timeout=ANSWER, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise DoorError(f"--engine {address}: no scheduler of Dask answers there ({error})") from None
        self._executor = self._client.get_executor(pure=False)
        self._width, self._looked = 0, 0.0
        self._away: float | None = None
        self._alone: float | None = None
        self._silent = False
        try:
            self._fit(suite)
        except BaseException:
            self.close()
            raise

    @property
    def width(self) -> int:
        """Return how many threads the workers have by now."""
        if self._client.status != "running":
            return 0
        if time.monotonic() - self._looked > LOOK:
            try:
                there = self._client.sync(self._client.nthreads, callback_timeout=ANSWER)
                self._width, self._silent = sum(there.values()), False
            except (OSError, TimeoutError, CancelledError):
                self._width, self._silent = 0, True
            self._looked = time.monotonic()
        return self._width

    def submit(self, task: Callable[..., T], about: Any) -> Future[T]:
        """Begin a task."""
        future: Future[T] = self._executor.submit(_run, task, about)
        return future

    def trouble(self) -> str:
        """Return why nothing more can come of it, empty where all is well."""
        now = time.monotonic()
        if self._client.status == "running":
            self._away = None
        else:
            self._away = self._away or now
            if now - self._away > PATIENCE or self._client.status == "closed":
                return f"the scheduler at {self._address} went away"
            return ""
        if self.width:
            self._alone = None
            return ""
        self._alone = self._alone or now
        if now - self._alone <= PATIENCE:
            return ""
        how = "has not answered" if self._silent else "has had no worker"
        return f"the scheduler at {self._address} {how} for {PATIENCE:g} s"

    def lost(self, error: BaseException) -> str:
        """Return in words how a task was lost with who ran it, empty where the error is the task's own."""
        from distributed.scheduler import KilledWorker

        if isinstance(error, KilledWorker):
            return "each worker that took it died"
        return "the scheduler lost it" if isinstance(error, CancelledError) else ""

    def close(self) -> None:
        """Let go of the scheduler; a task that still runs is not wanted any more, and is told so."""
        if self._client.status == "running":
            self._executor.shutdown(wait=False)
        self._client.close(timeout=ANSWER)

    def _fit(self, suite: Callable[[], str]) -> None:
        mine = suite()
        try:
            self._client.wait_for_workers(1, timeout=PATIENCE)
            theirs: dict[str, str] = self._client.run(suite)
        except TimeoutError:
            raise DoorError(f"--engine {self._address}: it has no worker, and none came in {PATIENCE:g} s") from None
        except ImportError as error:
            raise HubspecError(
                f"--engine {self._address}: a worker cannot run hubspec ({error}): start it where this suite is"
            ) from None
        for worker, version in theirs.items():
            if version != mine:
                raise HubspecError(f"--engine {self._address}: {worker} has {version}, and this machine {mine}")


def _run(task: Callable[..., T], about: Any) -> T:
    """Run a task on a worker, which learns when it is not wanted any more."""
    from distributed.worker import get_worker, thread_state  # type: ignore[attr-defined] # where its own worker has it from

    tasks, key = get_worker().state.tasks, thread_state.key

    def unwanted() -> bool:
        # A task that is cancelled while it runs stays with its worker in this state (distributed: worker_state_machine).
        mine = tasks.get(key)
        return mine is None or mine.state == "cancelled"

    return task(about, unwanted=unwanted)
