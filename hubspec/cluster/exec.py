"""One script in a container, by the Docker SDK: its output as it comes, its end when told to, its standard input held open.

Source of fact: Docker Engine API 1.41, exec create and start (a hijacked stream, in frames of stdout and stderr).
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from docker.utils.socket import frames_iter

from hubspec.errors import DoorError

TICK = 0.2
"""Seconds between two looks whether the run was interrupted."""


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
        arrived: queue.Queue[bytes | None] = queue.Queue()

        def read() -> None:
            try:
                for number, data in frames_iter(self._stream, tty=False):
                    if number == 1:
                        arrived.put(data)
            except OSError:
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
