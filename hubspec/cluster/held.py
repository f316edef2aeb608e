"""A held shell: one `sh` elsewhere, kept open, that launches one command after the other at the price of a round trip."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from hubspec.cluster.held_script import Words
from hubspec.cluster.held_session import NotInTimeError, Session
from hubspec.cluster.wires import Wire
from hubspec.door import Ran
from hubspec.errors import DoorError
from hubspec.masked import masked

_SHOWN = 120
"""Characters of a command that an error shows."""


@dataclass(frozen=True)
class Place:
    """Where a shell is held: the door's word, what is run there in words, how it is opened, and how a script is run beside it."""

    name: str
    command: str
    open: Callable[[], Wire]
    beside: Callable[[str], object]


class HeldShell:
    """Runs commands at a place, one at a time; whoever comes meanwhile waits. `opened` counts its sessions.

    A session that is found dead before anything was sent is opened anew. What was sent is never sent again.
    """

    def __init__(self, place: Place, deadline: float = 60) -> None:
        """Nothing is opened yet. `deadline` is in seconds, for the opening, and for a command without one of its own."""
        self._place, self._deadline = place, deadline
        self._session: Session | None = None
        self._lock = threading.Lock()
        self.opened = 0

    @property
    def name(self) -> str:
        """Return the word of the door."""
        return self._place.name

    @property
    def command(self) -> str:
        """Return what is held."""
        return self._place.command

    def run(self, command: str, seconds: float | None = None) -> Ran:
        """Run a command in a `sh -c` of its own, with nothing on its standard input.

        Raises DoorError where the place cannot be reached, where the session broke off before the command's end was told, and after
        `seconds`; then the command was ended, with all that it started. ValueError: the command holds a NUL character.
        """
        limit = self._deadline if seconds is None else seconds
        with self._lock:
            session = self._ready()
            try:
                ran = session.run(command, limit)
            except NotInTimeError:
                self._drop()
                raise self._late(command, limit, session.words) from None
            except ValueError:
                raise
            except OSError:
                self._drop()
                raise DoorError(
                    f"{self.command} broke off while it ran {_short(command)}: how that ended is not known"
                ) from None
            except BaseException:
                # An interrupt: what runs is ended too, for nobody would hear how it ended.
                self._drop()
                with contextlib.suppress(DoorError):
                    self._place.beside(session.words.kill)
                raise
            if session.held_open:
                self._drop()
            return ran

    def close(self) -> None:
        """End the session."""
        with self._lock:
            self._drop()

    def _ready(self) -> Session:
        if self._session and not self._session.quiet():
            self._drop()
        if not self._session:
            self.opened += 1
            wire = self._place.open()
            try:
                self._session = Session(wire, self._deadline)
            except (NotInTimeError, OSError) as error:
                wire.close()
                self._place.beside(":")  # which says in the door's own words what is shut
                how = (
                    f"did not begin within {self._deadline:g} s"
                    if isinstance(error, NotInTimeError)
                    else "ended at once"
                )
                raise DoorError(f"{self.command} {how}{error}") from None
        return self._session

    def _late(self, command: str, seconds: float, words: Words) -> DoorError:
        sentence = f"{_short(command)} did not end within {seconds:g} s ({self.command})"
        try:
            self._place.beside(words.kill)
        except DoorError as error:
            return DoorError(f"{sentence}, and could not be ended: {error}")
        return DoorError(f"{sentence}, and was ended with all that it started")

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session:
            session.wire.close()


def _short(command: str) -> str:
    shown = masked(command)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
