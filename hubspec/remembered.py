"""The runs of a history: those that a run is compared with, its own file, and the end of old ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hubspec.cluster.keep import Keep
from hubspec.errors import DoorError
from hubspec.history import DamagedError, Past, name, pack, seen_at, unpack

MOST, RUNS = 400, 30
"""Of how many newest files at most the heads are looked at, and how many runs of the same clusters are compared with."""
_KEEP = re.compile(r"([1-9][0-9]{0,5})(d?)")


@dataclass
class History:
    """The history in a place. What goes wrong with it costs a line in `notices`, and no report."""

    keep: Keep
    notices: list[str] = field(default_factory=list)
    broken: bool = False
    """The place could not be read at all, so that nothing can be compared."""

    def names(self) -> list[str]:
        """Return the names of the files of runs, oldest first; none, with a notice, where they cannot be listed."""
        try:
            return [one for one in self.keep.names() if seen_at(one)]
        except DoorError as error:
            self.broken = True
            self.notices.append(f"history: {error}; so nothing was compared with it")
            return []

    def before(self, clusters: set[str], seen: datetime, run: str, now: datetime | None = None) -> list[Past]:
        """Return the last runs of any of these clusters whose state was read before, oldest first.

        `now`: what a run says it read after that was read with a wrong clock, which costs a notice.
        """
        names = self.names()
        ahead = [at for one in names if (at := seen_at(one)) and now and at > now]
        if ahead:
            count = f"{len(ahead)} runs in it are" if len(ahead) > 1 else "a run in it is"
            self.notices.append(
                f"history: {count} from the future, up to {max(ahead):%Y-%m-%d %H:%M:%S} UTC: a clock is or was wrong; nothing is compared with it before then"
            )
        earlier = [one for one in names if (at := seen_at(one)) and at <= seen][-MOST:]
        found: list[Past] = []
        newest = earlier[::-1]
        for first in range(0, len(newest), RUNS):
            names = newest[first : first + RUNS]
            for one, data in zip(names, self.keep.read(names), strict=True):
                past = self._opened(one, data, clusters)
                if past and past.run != run:
                    found.append(past)
                if len(found) == RUNS:
                    return found[::-1]
        return found[::-1]

    def one(self, name_: str) -> Past | None:
        """Return the run of a file with its looks; None, with a notice, where it is damaged."""
        (data,) = self.keep.read([name_])
        return self._opened(name_, data, None)

    def every(self) -> Iterator[tuple[str, Past]]:
        """Yield each run without its looks, with the name of its file, oldest first."""
        names = self.names()
        for one, data in zip(names, self.keep.read(names), strict=True):
            if past := self._opened(one, data, None, head=True):
                yield one, past

    def _opened(
        self, name_: str, data: bytes | DoorError, clusters: set[str] | None, *, head: bool = False
    ) -> Past | None:
        try:
            if isinstance(data, DoorError):
                raise DamagedError(str(data))
            first = unpack(data, head=True)
            if clusters is not None and not clusters & set(first.clusters):
                return None
            return first if head else unpack(data)
        except DamagedError as error:
            self.notices.append(f"history: {name_} is left out: {error}")
            return None

    def add(self, past: Past, to: Keep | None = None) -> bool:
        """Write the file of a run, to another place where it is brought to this one later. Say whether it is written."""
        try:
            (to or self.keep).write(name(past), pack(past))
        except DoorError as error:
            self.notices.append(f"history: this run is not in it: {error}")
            return False
        return True

    def forget(self, past: Past, limit: str) -> None:
        """Remove what `limit` (90, or 90d) says is old, of the clusters of a run that is in it, and of those alone."""
        try:
            self._forget(past, limit)
        except DoorError as error:
            self.notices.append(f"history: what is old is still in it: {error}")

    def _forget(self, past: Past, limit: str) -> None:
        match = _KEEP.fullmatch(limit)
        assert match, "asked for with `valid`"
        number, days = int(match[1]), bool(match[2])
        names = self.names()
        if days:
            names = [one for one in names if (at := seen_at(one)) and at < past.seen - timedelta(days=number)]
        mine = []
        for one, data in zip(names, self.keep.read(names), strict=True):
            try:
                if not isinstance(data, DoorError) and set(unpack(data, head=True).clusters) <= set(past.clusters):
                    mine.append(one)
            except DamagedError:
                continue  # told when it was compared with; what it is nobody knows
        for one in mine if days else mine[:-number]:
            self.keep.remove(one)


def valid(limit: str) -> bool:
    """Say whether a limit is a number of runs, or of days with a d behind it."""
    return _KEEP.fullmatch(limit) is not None
