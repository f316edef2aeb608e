"""One life of a held shell: what goes to the launcher, and what comes back on two streams."""

from __future__ import annotations

import contextlib
import time

from hubspec.cluster import held_script
from hubspec.cluster.held_script import Words
from hubspec.cluster.wires import Wire
from hubspec.door import Ran

GRACE = 0.5
"""Seconds that an answer is waited for after its command has ended, where something that it left behind could still write to it."""
_LONGEST = 16
"""Bytes that a mark may tell."""


class NotInTimeError(Exception):
    """What was waited for did not come in time. Its text is what came instead."""


class _Stream:
    """What came on one stream, and where in it is told how the command ended."""

    def __init__(self, ran: bytes, end: bytes) -> None:
        self._data, self._ran, self._end = bytearray(), ran, end
        self._at = -1

    def take(self, piece: bytes) -> None:
        start = max(0, len(self._data) - len(self._ran))
        self._data += piece
        if self._at < 0:
            self._at = self._data.find(self._ran, start)

    @property
    def told(self) -> bytes | None:
        """Return how the command ended, None as long as that did not come."""
        begin = self._at + len(self._ran)
        stop = self._data.find(held_script.END, begin, begin + _LONGEST) if self._at >= 0 else -1
        return bytes(self._data[begin:stop]).strip() if stop >= 0 else None

    @property
    def ended(self) -> bool:
        """Say whether nothing more can come: nobody writes after the last mark."""
        return self._data.endswith(self._end)

    @property
    def said(self) -> bytes:
        """Return what came beside the marks."""
        stop = len(self._data) - (len(self._end) if self.ended else 0)
        if self._at < 0:
            return bytes(self._data[:stop])
        after = self._data.find(held_script.END, self._at) + len(held_script.END)
        return bytes(self._data[: self._at] + self._data[after:stop])


class Session:
    """One life of a held shell. `held_open` says that something which a command left behind could still write to it."""

    def __init__(self, wire: Wire, seconds: float, words: Words | None = None) -> None:
        """Make a launcher of the `sh` at the wire's other end. Raises OSError, NotInTimeError with what it said instead."""
        self.wire, self.words, self.held_open = wire, words or Words(), False
        self._number = 0
        streams = self._streams()
        try:
            with contextlib.suppress(OSError):  # what it said before it ended is read below
                wire.send(self.words.begin)
            self._hear(streams, time.monotonic() + seconds)
        except (NotInTimeError, OSError) as error:
            said = b" ".join(stream.said.strip() for stream in streams.values()).strip()[-200:]
            raise type(error)(f": {said.decode('utf-8', 'backslashreplace')}" if said else "") from None

    def quiet(self) -> bool:
        """Say whether it is there, and says nothing while it is asked nothing."""
        try:
            self.wire.receive(0)
        except TimeoutError:
            return True
        except OSError:
            pass
        return False

    def run(self, command: str, seconds: float) -> Ran:
        """Run a command. Raises OSError where its end was never told, NotInTimeError after so many seconds."""
        self._number += 1
        streams = self._streams()
        request = held_script.request(self._number, command)
        until = time.monotonic() + seconds
        self.wire.send(request)
        self._hear(streams, until)
        code = streams[1].told or b""
        if not code.isdigit():
            raise OSError
        return Ran(int(code), streams[1].said, streams[2].said)

    def _streams(self) -> dict[int, _Stream]:
        ran, end = (self.words.mark(word, self._number) for word in ("ran", "end"))
        return {number: _Stream(ran, end + held_script.END) for number in (1, 2)}

    def _hear(self, streams: dict[int, _Stream], until: float) -> None:
        while not all(stream.ended for stream in streams.values()):
            if not self.held_open and streams[1].told is not None:
                self.held_open, until = True, min(until, time.monotonic() + GRACE)
            try:
                pieces = self.wire.receive(until - time.monotonic())
            except TimeoutError:
                if self.held_open:
                    return
                raise NotInTimeError from None
            if not pieces:
                raise OSError
            for number, piece in pieces:
                streams[number].take(piece)
        self.held_open = False
