"""Ctrl-C, TERM and HUP: they end what goes on, and never what takes back what was made, or what writes the end of a run."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ENOUGH = 3
"""So many of them end even the taking back."""
BACK = "what was made is taken back first; {} more to leave it there"
END = "the report is written first; {} more to leave it as it is"

Handler = Callable[[int, FrameType | None], None]


@contextlib.contextmanager
def handled(handler: Handler, numbers: tuple[signal.Signals, ...] = SIGNALS) -> Iterator[None]:
    """Have a handler for signals within the block; none for HUP where it is ignored, as by nohup. Nothing outside the main thread."""
    wanted = [number for number in numbers if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]
    before: dict[signal.Signals, Any] = {}
    # Only in the main thread can they be caught, and only there they come.
    with contextlib.suppress(ValueError):
        before |= {number: signal.signal(number, handler) for number in wanted}
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)


class Interrupts:
    """Notes signals while it is entered, and raises KeyboardInterrupt for them within `let` only."""

    def __init__(self, say: Callable[[str], None], words: str = BACK) -> None:
        """Nothing is caught yet. `words` say what comes first, and by how many more signals it is left."""
        self._say, self._words, self._open, self._came, self._name = say, words, False, 0, ""

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Catch the signals of the block. One that came and was never raised is raised at its end."""
        with self.held():
            yield
        if self._came:
            raise KeyboardInterrupt(self._name)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Catch the signals of the block, and raise none of them at its end."""
        with handled(self._catch):
            yield

    @contextlib.contextmanager
    def let(self) -> Iterator[None]:
        """Have a signal end the block, one that came before it at once."""
        if self._came:
            raise KeyboardInterrupt(self._name)
        self._open = True
        try:
            yield
        finally:
            self._open = False

    def _catch(self, number: int, _frame: FrameType | None) -> None:
        self._came, self._name = self._came + 1, signal.Signals(number).name
        if self._open or self._came >= ENOUGH:
            self._open = False  # what follows takes back
            raise KeyboardInterrupt(self._name)
        with contextlib.suppress(OSError):  # nobody hears any more
            self._say(f"{self._name}: {self._words.format(ENOUGH - self._came)}")


def interrupt(number: int, _frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, as Ctrl-C does, with the name of the signal."""
    raise KeyboardInterrupt(signal.Signals(number).name)


def terminated() -> contextlib.AbstractContextManager[None]:
    """Have TERM and HUP end the block as Ctrl-C does, by KeyboardInterrupt."""
    return handled(interrupt, (signal.SIGTERM, signal.SIGHUP))


def sentence(error: BaseException) -> str:
    """Return what is said of a run that a KeyboardInterrupt ended: by which signal, where it is known."""
    return f"the run was interrupted ({str(error).replace('SIGINT', '') or 'Ctrl-C'})"
