"""A group of processes that may take so much of one core and no more, by the kernel's own account (cgroups of version 1).

Source of fact: the kernel's Documentation/scheduler/sched-bwc.rst.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup/cpu")
PERIOD = 20_000
"""Microseconds. The quota of a period that is used up is waited for until the next one begins."""
END = 30.0
"""Seconds in which what was begun in a group has ended, once it is told to."""
_ENTER = 'echo $$ > "$0" && exec "$@"'


@contextlib.contextmanager
def quota(cores: float) -> Iterator[list[str] | None]:
    """Yield the words before a command that has it and all that comes of it share so much of a core; None where no group can be made."""
    group = GROUPS / f"hubspec-bench-{uuid.uuid4().hex[:8]}"
    try:
        group.mkdir()
    except OSError:
        yield None
        return
    try:
        (group / "cpu.cfs_period_us").write_text(f"{PERIOD}")
        (group / "cpu.cfs_quota_us").write_text(f"{cores * PERIOD:.0f}")
        yield ["sh", "-c", _ENTER, str(group / "cgroup.procs")]
    finally:
        _emptied(group)
        group.rmdir()


def _emptied(group: Path) -> None:
    """Wait for the end of what is in a group; what has not ended by then is killed."""
    until = time.monotonic() + END
    while there := (group / "cgroup.procs").read_text(encoding="utf-8").split():
        if time.monotonic() > until:
            for one in there:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(one), signal.SIGKILL)
        time.sleep(0.1)
