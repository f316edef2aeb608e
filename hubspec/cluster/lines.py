"""The output of something that runs elsewhere, line by line as it comes, within a deadline."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from hubspec.errors import DoorError

TICK = 0.2
"""Seconds between two looks whether the run was interrupted."""


def lines(chunks: Iterable[bytes], deadline: float, tick: Callable[[], None] = lambda: None) -> Iterator[str]:
    """Yield each line as it comes, calling `tick` meanwhile. Raises DoorError after `deadline` seconds.

    `chunks` is read in a thread; an OSError or ValueError of it is its end.
    """
    arrived: queue.Queue[bytes | None] = queue.Queue()

    def read() -> None:
        try:
            for data in chunks:
                arrived.put(data)
        except (OSError, ValueError):
            pass  # what did not come is missed by whoever counts the lines
        finally:
            arrived.put(None)

    threading.Thread(target=read, daemon=True).start()
    until, rest = time.monotonic() + deadline, b""
    while True:
        tick()
        if time.monotonic() > until:
            raise DoorError(f"it did not end within {deadline:g} s")
        try:
            data = arrived.get(timeout=TICK)
        except queue.Empty:
            continue
        if data is None:
            break
        *whole, rest = (rest + data).split(b"\n")
        yield from (line.decode("utf-8", "backslashreplace") for line in whole)
    if rest:
        yield rest.decode("utf-8", "backslashreplace")
