"""One script in a container, by the Docker SDK: its output as it comes, its end when told to, its standard input held open.

Source of fact: Docker Engine API 1.41, exec create and start (a hijacked stream, in frames of stdout and stderr).
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

from docker.utils.socket import frames_iter

from hubspec.cluster.lines import TICK, lines


class Exec:
    """`sh` in a container as root, with a script on its standard input or in its arguments."""

    def __init__(self, api: Any, container: str, command: list[str]) -> None:
        """Start it. Raises docker's own errors where the engine refuses."""
        self._api = api
        self.job = api.exec_create(container, command, user="0", stdin=True, stdout=True, stderr=True)["Id"]
        self._stream = api.exec_start(self.job, socket=True)
        self._raw: socket.socket = getattr(self._stream, "_sock", self._stream)

    def send(self, text: str) -> None:
        """Give it all of its standard input."""
        self._raw.sendall(text.encode())
        self._raw.shutdown(socket.SHUT_WR)

    def lines(self, deadline: float, tick: Callable[[], None] = lambda: None) -> Iterator[str]:
        """Yield each line of its standard output as it comes, calling `tick` meanwhile. Raises DoorError after `deadline` seconds."""
        chunks = (data for number, data in frames_iter(self._stream, tty=False) if number == 1)
        return lines(chunks, deadline, tick)

    def end(self, seconds: float) -> None:
        """Close its standard input, and wait so long for its end: a process that waits for input ends then."""
        with contextlib.suppress(OSError):
            self._raw.shutdown(socket.SHUT_WR)
        until = time.monotonic() + seconds
        while self.status() is None and time.monotonic() < until:
            time.sleep(TICK / 10)

    def status(self) -> int | None:
        """Return its exit code, None while it runs or where the container ended with it."""
        code: int | None = self._api.exec_inspect(self.job)["ExitCode"]
        return code

    def close(self) -> None:
        """Close its standard input and output, also under a thread that still reads."""
        with contextlib.suppress(OSError):
            self._raw.shutdown(socket.SHUT_RDWR)
        for handle in (self._stream, self._raw):
            handle.close()
