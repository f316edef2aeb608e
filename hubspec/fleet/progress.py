"""How far a fleet is: what is done, what fails, what is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

TELL = 5.0
"""Seconds between two lines that say how far the fleet is."""
NAMED = 3
_WORDS = {0: "compliant", 1: "drift", 11: "could not look"}


@dataclass
class Progress:
    """Counts clusters and says lines. `now` is the time in seconds."""

    total: int
    say: Callable[[str], None]
    now: float
    done: int = 0
    failing: dict[str, int] = field(default_factory=dict)
    _told: float = 0.0

    def came(self, cluster: str, code: int, took: float) -> None:
        """Count a cluster whose audit is done, and tell of one that is not as it should be."""
        self.done += 1
        if code:
            word = _WORDS.get(code, f"exit {code}")
            self.failing[word] = self.failing.get(word, 0) + 1
            self.say(f"{cluster}: {word}, in {took:.1f} s")

    def tick(self, now: float, running: list[str], *, over: bool = False) -> None:
        """Say how far it is, if it is time."""
        if not over and now - max(self._told, self.now) < TELL:
            return
        self._told = now
        failing = ", ".join(f"{count} {word}" for word, count in sorted(self.failing.items())) or "none failing"
        shown = ", ".join(running[:NAMED]) + (f" and {len(running) - NAMED} more" if len(running) > NAMED else "")
        at = f"; at {shown}" if running else ""
        left = self.total - self.done
        self.say(f"{self.done} of {self.total} clusters done, {left} left; {failing}{at} ({now - self.now:.0f} s)")
