"""Audits in processes of their own, forked from a warm one: none pays a start, and one that dies costs itself alone.

The warm process, `fixtures/warm.py`, gets one end of a socket for each audit. On the other end it is told, as one line of
JSON, what to run, and it tells two lines: the id of the child, and how the child ended. Where that end is closed, the child ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hubspec.errors import HubspecError

ROOT = Path(__file__).resolve().parent.parent.parent
CHECKS = ROOT / "checks"
GRACE = 10.0
"""Seconds from the word to end to the end: an audit takes back what it made."""
_START = 300.0
"""Seconds in which the warm process is ready, on the slowest of machines; an audit's own time begins then."""
_TICK = 0.5
_LOST = 5.0
"""Seconds in which a child that was killed is told to have ended."""


@dataclass(frozen=True)
class Task:
    """One audit: pytest's arguments, the folder it is called in, the file of what it prints, and more variables."""

    arguments: Sequence[str]
    folder: str
    output: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """How an audit ended: its exit code, below 0 the signal that killed it, None where the warm process died.

    `cut`: it was ended from here, at its deadline or because nobody wants it any more.
    """

    code: int | None
    cut: bool = False


class Warm:
    """One warm process for all threads of this one. Begun when first needed, and anew where it died."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def run(self, task: Task, deadline: float, unwanted: Callable[[], bool] = lambda: False) -> Ended:
        """Run an audit to its end, or to its deadline in seconds, or until it is not wanted any more. Raises HubspecError."""
        line = self._begin()
        with line:
            try:
                line.sendall(json.dumps(vars(task) | {"variables": dict(task.variables)}).encode() + b"\n")
                if _patient(line, time.monotonic() + _START, unwanted):
                    return Ended(None, cut=unwanted())
                child = _number(line)
                cut = _patient(line, time.monotonic() + deadline, unwanted)
                if cut:
                    _end(line, child)
                return Ended(_number(line), cut)
            except (OSError, ValueError):  # it is gone: no line came, or half of one
                return Ended(None)

    def close(self) -> None:
        """End the warm process; an audit that still runs ends too."""
        with self._lock:
            if self._process and self._control:
                self._control.close()
                self._process.wait()
            self._process = self._control = None

    def _begin(self) -> socket.socket:
        mine, theirs = socket.socketpair()
        with theirs, self._lock:
            for left in reversed(range(2)):
                if self._process is None or self._process.poll() is not None or self._control is None:
                    self._control = self._start()
                try:
                    socket.send_fds(self._control, [b"."], [theirs.fileno()])
                except OSError as error:  # it died just now
                    self._process = None
                    if not left:
                        mine.close()
                        raise HubspecError(f"the process that forks the audits does not live: {error}") from None
                else:
                    break
        return mine

    def _start(self) -> socket.socket:
        if not CHECKS.is_dir():
            raise HubspecError(f"there are no checks in {ROOT}: a fleet is audited from the folder of the suite")
        control, theirs = socket.socketpair()
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fixtures.warm", str(theirs.fileno())],
                env=os.environ | {"PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for whoever leads the fleet, who tells the children
            )
        return control


@cache
def warm() -> Warm:
    """Return that of this process."""
    return Warm()


def _number(line: socket.socket) -> int:
    """Return the number on the next line, and take nothing of the one after it. Raises OSError, ValueError."""
    text = b""
    while not text.endswith(b"\n"):
        text += line.recv(1) or b"end\n"
    return int(text)


def _patient(line: socket.socket, until: float, unwanted: Callable[[], bool]) -> bool:
    """Wait for a word on the line. Return whether it has to be cut off instead."""
    while not select.select([line], [], [], min(_TICK, max(0.0, until - time.monotonic())))[0]:
        if time.monotonic() >= until or unwanted():
            return True
    return False


def _end(line: socket.socket, child: int) -> None:
    """End a child with its group: first so that it can take back what it made."""
    for number, seconds in ((signal.SIGINT, GRACE), (signal.SIGKILL, _LOST)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, number)
        if not _patient(line, time.monotonic() + seconds, lambda: False):
            return
    line.shutdown(socket.SHUT_RDWR)
