"""What a run makes on clusters and has to take back, also where it is interrupted and nobody waits for who made it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from hubspec.cluster.beside import ended, start
from hubspec.errors import DoorError

_TICK = 0.2


class Made:
    """Who makes something says how it is taken back. After `stop` nothing more is made, which `stopped` says."""

    def __init__(self) -> None:
        """Nothing is made yet."""
        self._undo: list[Callable[[], None]] = []
        self._making, self.stopped = 0, threading.Event()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def held(self, take_back: Callable[[], None]) -> Iterator[None]:
        """Have `take_back` called at the end of the block, or when the run is interrupted; it does nothing the second time."""
        with self._changed:
            self._undo.append(take_back)
        try:
            yield
        finally:
            try:
                take_back()
            finally:
                with self._changed:
                    self._undo.remove(take_back)

    @contextlib.contextmanager
    def making(self) -> Iterator[None]:
        """Have an interrupted run wait for the end of the block, in which something is made. Raises DoorError after `stop`."""
        with self._changed:
            if self.stopped.is_set():
                raise DoorError("the run was interrupted")
            self._making += 1
        try:
            yield
        finally:
            with self._changed:
                self._making -= 1
                self._changed.notify_all()

    def stop(self, say: Callable[[str], None]) -> None:
        """Let nothing more be made, wait for what is being made, and take back what there is, everything at once."""
        with self._changed:
            self.stopped.set()
            if self._making:
                say(f"waiting for {self._making} that are just making something, to take it back")
            while self._making:
                self._changed.wait(_TICK)
            undo = list(self._undo)
        ended(start(undo, max(1, len(undo))), lambda: None, _TICK)
