"""A container that was just started, read until its hub is up."""

from __future__ import annotations

import time
from collections.abc import Callable

from hubspec.kinds import KINDS
from hubspec.model import NotApplicable, Present, Unreadable
from hubspec.snapshot import Snapshot

UP_WITHIN, POLL = 120.0, 2.0
"""Seconds within which a hub whose container was started must answer, and between two looks."""


def up(read: Callable[[], Snapshot], say: Callable[[str], None], within: float = UP_WITHIN) -> Snapshot:
    """Return the first snapshot in which all can be seen, or the last one that was begun `within` so many seconds.

    A hub that starts answers 404 through its proxy for a moment, to one question and not to the next. What twice in a row
    could not be seen of a thing, while all else could, is not for want of time, and not waited for.
    """
    until, before = time.monotonic() + within, dict[tuple[str, str], str]()
    while True:
        seen = read()
        whole, parts = blind(seen)
        if time.monotonic() > until or not (whole or (parts and parts.keys() != before.keys())):
            return seen
        say(f"not up yet: {[*whole, *parts.values()][0]}")
        before = {} if whole else parts
        time.sleep(POLL)


def blind(snapshot: Snapshot) -> tuple[list[str], dict[tuple[str, str], str]]:
    """Return why whole kinds could not be looked at, and (kind, name) -> why a part of a thing could not; but for what AWS tells."""
    whole, parts = [], {}
    for kind, reading in snapshot.readings.items():
        if KINDS[kind].door == "aws" or isinstance(reading.seen, NotApplicable):
            continue
        if isinstance(reading.seen, Unreadable):
            whole.append(reading.seen.reason)
            continue
        for name, one in reading.seen.items():
            if isinstance(one, Unreadable):
                parts[kind, name] = one.reason
            elif isinstance(one, Present) and one.unread:
                parts[kind, name] = next(iter(one.unread.values()))
    return whole, parts
