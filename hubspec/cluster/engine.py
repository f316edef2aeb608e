"""Where the audits of a fleet run: in threads here, or on the workers of Dask, through one interface."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol, TypeVar

from hubspec.cluster.warm import warm

T = TypeVar("T")
PER_CORE = 4
"""Audits at the same time for each core: what an audit does most is wait."""
ADDRESS = re.compile(r"(tcp|tls)://[^\s@/]+:[0-9]{1,5}")


class Engine(Protocol):
    """Runs tasks. `width` is how many at the same time, `remote` that no disk is shared with where they run."""

    remote: bool

    @property
    def width(self) -> int:
        """Return how many tasks it runs at the same time by now."""
        ...

    def submit(self, task: Callable[..., T], about: Any) -> Future[T]:
        """Begin a task, or have it wait."""
        ...

    def trouble(self) -> str:
        """Return why nothing more can come of it, empty where all is well."""
        ...

    def lost(self, error: BaseException) -> str:
        """Return in words how a task was lost with who ran it, empty where the error is the task's own."""
        ...

    def close(self) -> None:
        """End it; a task that still runs is not wanted any more."""


class Here:
    """Threads of this process, each of which waits for the process of an audit."""

    remote = False

    def __init__(self, workers: int | None) -> None:
        """Take how many at the same time, None for what this machine's cores bear."""
        self.width = workers or PER_CORE * (os.cpu_count() or 1)
        self._unwanted = threading.Event()
        self._threads: Executor = ThreadPoolExecutor(self.width, "audit")

    def submit(self, task: Callable[..., T], about: Any) -> Future[T]:
        """Begin a task, or have it wait."""
        return self._threads.submit(partial(task, unwanted=self._unwanted.is_set), about)

    def trouble(self) -> str:
        """Return nothing: threads of one's own do not go away."""
        return ""

    def lost(self, _error: BaseException) -> str:
        """Return nothing: what a task raises here is its own."""
        return ""

    def close(self) -> None:
        """End the audits that run, with time to take back what they made."""
        self._unwanted.set()
        self._threads.shutdown(cancel_futures=True)
        warm().close()


def engine(where: str | None, workers: int | None, suite: Callable[[], str]) -> Engine:
    """Return the engine that a word means, None for this machine; `suite` tells what audits where it is called.

    Raises ValueError, HubspecError.
    """
    if where in {None, "here"}:
        return Here(workers)
    if not ADDRESS.fullmatch(where or ""):
        raise ValueError("wanted here, tcp://HOST:PORT or tls://HOST:PORT")
    from hubspec.cluster.dask_engine import Dask

    return Dask(where or "", suite)
