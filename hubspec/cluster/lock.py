"""The lock that a run holds while it puts a cluster right, as a command in the container; each door starts it its own way."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterable

from hubspec.errors import DoorError, LockedError

LOCK = "/run/hubspec.lock"
"""The file whose lock a run holds while it fixes; it says who does. The kernel releases it with the process that holds it."""
BATCH_LIMIT = 6 * 3600
"""Seconds that a whole batch may take; each action has a limit of its own."""
RELEASE = 5.0
"""Seconds to wait for the lock to be free again; the kernel frees it in any case."""
_HELD, _READY = 75, "hubspec holds the lock"
# flock's own way: the descriptor is held by this shell and its children, so the end of standard input is the end of the lock.
_HOLD = """command -v flock >/dev/null || {{ echo 'there is no flock (util-linux) in the container'; exit 73; }}
exec 9>>{lock} || exit 73
flock -n 9 || {{ cat {lock}; exit {held}; }}
printf '%s\\n' {about} >{lock}
echo '{ready}'
timeout {seconds} cat >/dev/null
: >{lock}"""


def holding(about: str, seconds: float) -> list[str]:
    """Return the command that holds the lock until its standard input ends, at most for so long; `about` tells who holds it."""
    script = _HOLD.format(lock=LOCK, held=_HELD, ready=_READY, about=shlex.quote(about), seconds=math.ceil(seconds))
    return ["sh", "-c", script]


def wait_for(lines: Iterable[str], status: Callable[[], int | None], container: str) -> None:
    """Return when the command says that it has the lock; `status` tells how it ended.

    Raises LockedError with what the holder says of itself, DoorError where no lock can be had.
    """
    said = []
    for line in lines:
        said.append(line)
        if line == _READY:
            return
    words = " ".join(said).strip()
    if status() == _HELD:
        raise LockedError(words or "somebody who does not say who")
    raise DoorError(f"no lock could be had in {container}: {words or 'no reason was told'}")
