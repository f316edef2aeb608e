"""The streams of a process that is held open: on this machine or over ssh, or in a container through the Docker engine."""

from __future__ import annotations

import contextlib
import math
import os
import select
import socket
import time
from collections.abc import Callable
from subprocess import Popen
from typing import Any, Protocol

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from hubspec.cluster.not_running import must_run
from hubspec.errors import DoorError

_CHUNK = 2**18
_HEAD = 8
"""Bytes before each piece of the engine's stream: its number, and in the last four its length (Engine API 1.41, attach)."""

_TICK = 0.001
_LAST = 0.2
"""Seconds that one stream gets to end after the other."""


class Wire(Protocol):
    """Two streams that come, 1 and 2, and one that goes. OSError where it is gone."""

    def send(self, data: bytes) -> None:
        """Give it some of its standard input."""

    def receive(self, seconds: float) -> list[tuple[int, bytes]]:
        """Return what comes next, nothing at its end. Raises TimeoutError where nothing came in time."""

    def close(self) -> None:
        """Let it go: its standard input ends."""


class ProcessWire:
    """A process of this machine: a `sh`, or the ssh that carries one. `release` ends it."""

    def __init__(self, process: Popen[bytes], release: Callable[[], None]) -> None:
        """Take a process with three pipes."""
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self._in = process.stdin
        self._streams = {process.stdout.fileno(): 1, process.stderr.fileno(): 2}
        self._poll, self._open = select.poll(), set(self._streams)
        for number in self._streams:
            self._poll.register(number, select.POLLIN)
        self._release = release

    def send(self, data: bytes) -> None:
        """Give it some of its standard input."""
        self._in.write(data)
        self._in.flush()

    def receive(self, seconds: float) -> list[tuple[int, bytes]]:
        """Return what comes next of each stream; once either has ended the last of the other, and then nothing. Raises TimeoutError."""
        if len(self._open) < len(self._streams):
            return []
        pieces = self._pieces(seconds)
        if not pieces:
            raise TimeoutError
        until = time.monotonic() + _LAST
        while len(self._open) < len(self._streams) and self._open and (more := self._pieces(until - time.monotonic())):
            pieces += more
        return [piece for piece in pieces if piece[1]]

    def _pieces(self, seconds: float) -> list[tuple[int, bytes]]:
        pieces = []
        for number, _ in self._poll.poll(max(0, seconds) * 1000):
            pieces.append((self._streams[number], os.read(number, _CHUNK)))
            if not pieces[-1][1]:
                self._poll.unregister(number)
                self._open.discard(number)
        return pieces

    def close(self) -> None:
        """End the process."""
        self._release()


class ExecWire:
    """`sh` in a container of the engine in the environment."""

    def __init__(self, container: str, user: str, deadline: float) -> None:
        """Start it. Raises DoorError with the next step where there is no engine, or no such container that runs."""
        self._pending = bytearray()
        try:
            self._api: Any = docker.APIClient(**kwargs_from_env(), timeout=math.ceil(deadline), version="auto")
        except DockerException as error:
            raise DoorError(f"no Docker engine answers: {error}") from None
        try:
            self._start(container, user)
        except NotFound:
            self._api.close()
            raise DoorError(f"there is no container {container} on the Docker engine here") from None
        except (DockerException, RequestException, OSError) as error:
            told = self._why(container) if isinstance(error, APIError) else None
            self._api.close()
            raise told or DoorError(f"the Docker engine refused to look into {container}: {error}") from None

    def _start(self, container: str, user: str) -> None:
        job = self._api.exec_create(container, ["sh"], user=user, stdin=True, stdout=True, stderr=True)["Id"]
        self._stream: Any = self._api.exec_start(job, socket=True)
        self._raw: socket.socket = getattr(self._stream, "_sock", self._stream)

    def _why(self, container: str) -> DoorError | None:
        """Return that the container does not run, where that is what the engine refuses for."""
        try:
            must_run(container, self._api.inspect_container(container))
        except DoorError as error:
            return error
        except (DockerException, RequestException):
            pass
        return None

    def send(self, data: bytes) -> None:
        """Give it some of its standard input."""
        self._raw.settimeout(None)
        self._raw.sendall(data)

    def receive(self, seconds: float) -> list[tuple[int, bytes]]:
        """Return the next pieces that are whole; nothing at the end. Raises TimeoutError."""
        if seconds <= 0 and not select.select([self._raw], [], [], 0)[0]:
            raise TimeoutError
        until = time.monotonic() + seconds
        while True:
            # Of 0 seconds, a socket would make another error.
            self._raw.settimeout(max(until - time.monotonic(), _TICK))
            data = self._raw.recv(_CHUNK)
            if not data:
                return []
            self._pending += data
            if pieces := self._whole():
                return pieces

    def _whole(self) -> list[tuple[int, bytes]]:
        pieces, at = [], 0
        while len(self._pending) >= at + _HEAD:
            end = at + _HEAD + int.from_bytes(self._pending[at + 4 : at + _HEAD], "big")
            if len(self._pending) < end:
                break
            pieces.append((self._pending[at], bytes(self._pending[at + _HEAD : end])))
            at = end
        del self._pending[:at]
        return pieces

    def close(self) -> None:
        """Close its standard input and output."""
        with contextlib.suppress(OSError):
            self._raw.shutdown(socket.SHUT_RDWR)
        for handle in (self._stream, self._raw, self._api):
            handle.close()
