"""One process at a time makes the lab or removes it: another one waits, and finds what came of it."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NAME = "\0hubspec-lab"
"""A name of Linux's own for a socket (unix(7), abstract): whoever dies has it no more, and no file is left."""
_TICK = 0.2


@contextmanager
def turn(progress: Callable[[str], None]) -> Iterator[None]:
    """Have nobody else make or remove the lab in this block, which begins when whoever does has ended."""
    told = False
    with socket.socket(socket.AF_UNIX) as held:
        while True:
            try:
                held.bind(NAME)
                break
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            if not told:
                progress("waiting for another process that makes the lab or removes it")
                told = True
            time.sleep(_TICK)
        yield
