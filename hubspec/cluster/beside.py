"""Several things at once, in threads that nobody has to wait for: what hangs costs the others nothing, and no end of the process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TypeVar

T = TypeVar("T")


def start(jobs: Sequence[Callable[[], T]], most: int) -> list[Future[T]]:
    """Begin jobs, at most so many at a time, in their order. A future that is cancelled is not begun.

    The threads of `concurrent.futures` are waited for when the process ends, and so would each that hangs.
    """
    futures: list[Future[T]] = [Future() for _ in jobs]
    waiting: queue.SimpleQueue[tuple[Future[T], Callable[[], T]]] = queue.SimpleQueue()
    for pair in zip(futures, jobs, strict=True):
        waiting.put(pair)

    def work() -> None:
        while True:
            try:
                future, job = waiting.get_nowait()
            except queue.Empty:
                return
            if not future.set_running_or_notify_cancel():
                continue
            try:
                done = job()
            except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
                future.set_exception(error)
            else:
                future.set_result(done)

    for _ in range(min(most, len(jobs))):
        threading.Thread(target=work, daemon=True).start()
    return futures


def ended(futures: Sequence[Future[T]], tick: Callable[[], None], seconds: float) -> None:
    """Wait until all have ended, calling `tick` at least so often. What was not begun never is, where this is interrupted."""
    left = set(futures)
    try:
        while left:
            left = wait(left, seconds, FIRST_COMPLETED).not_done
            tick()
    except BaseException:
        for future in futures:
            future.cancel()
        raise
