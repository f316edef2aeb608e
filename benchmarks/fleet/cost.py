"""`python -m benchmarks.fleet.cost OUT.json COMMAND…`: runs a command, and writes what it and all that came of it cost.

A process of its own: as the reaper of its descendants (prctl(2), PR_SET_CHILD_SUBREAPER) it is told the CPU time of each,
also of those whose parent did not wait for them.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
TICK = 0.1


@dataclass(frozen=True)
class Cost:
    """What a command cost: seconds, those of the CPU in all its processes and in its own one, the most memory of that, how busy the machine was."""

    code: int
    seconds: float
    cpu: float
    own_cpu: float
    peak_mb: float
    busy: float


def cost(command: list[str]) -> Cost:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    began, ticks, peak, own = time.perf_counter(), _ticks(), 0.0, 0.0
    process = subprocess.Popen(command)
    while process.poll() is None:
        peak, own = max(peak, _peak(process.pid)), max(own, _used(process.pid))
        time.sleep(TICK)
    seconds, now = time.perf_counter() - began, _ticks()
    try:
        while True:
            os.wait()
    except ChildProcessError:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
    idle, whole = (later - before for later, before in zip(now, ticks, strict=True))
    return Cost(process.returncode, seconds, used.ru_utime + used.ru_stime, own, peak, 1 - idle / whole)


def _peak(pid: int) -> float:
    """Return the most memory that a process had so far, in MB (proc(5), VmHWM); 0 where it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def _used(pid: int) -> float:
    """Return the CPU seconds of a process so far, without those of its children (proc(5), stat); 0 where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _ticks() -> tuple[int, int]:
    """Return the time in which no core had anything to do, and all time, of all cores (proc(5), /proc/stat)."""
    times = [int(one) for one in Path("/proc/stat").read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]]
    return times[3] + times[4], sum(times)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(asdict(cost(sys.argv[2:]))), encoding="utf-8")
