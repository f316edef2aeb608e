"""Runs command lines one after the other, in turns, and keeps wall and CPU time of each, and the execs that the engine saw."""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker


@dataclass
class Contender:
    """One command line, and the folder that it writes to, fresh for each run. `ok` are the exit codes of a good run."""

    name: str
    command: list[str]
    environment: dict[str, str]
    folder: Path
    ok: tuple[int, ...] = (0,)
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    runs: int = 0
    execs: int = 0
    output: str = ""

    @property
    def seconds(self) -> float:
        """Return the median of the wall times."""
        return statistics.median(self.wall)

    @property
    def cpu_seconds(self) -> float:
        """Return the median of the CPU times, user and system: what a busy machine spoils least."""
        return statistics.median(self.cpu)

    def run(self) -> None:
        """Run once. Raises SystemExit with the last output where the run is not a good one: its time would mean nothing."""
        self.runs += 1
        folder = self.folder / f"{self.name}-{self.runs}"
        folder.mkdir(parents=True)
        command = [part.replace("{folder}", str(folder)) for part in self.command]
        # Installed libraries come compiled; so does the suite after its first run, unless the environment forbids that.
        mute = ("HUBSPEC_", "PYTEST_", "PYTHONDONTWRITEBYTECODE")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(mute)}
        with (folder / "output").open("w+") as out:
            started = time.perf_counter()
            process = subprocess.Popen(command, env=environment | self.environment, stdout=out, stderr=out)
            _, status, used = os.wait4(process.pid, 0)
            self.wall.append(time.perf_counter() - started)
            self.cpu.append(used.ru_utime + used.ru_stime)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.output = (folder / "output").read_text(errors="replace")
        if process.returncode not in self.ok:
            raise SystemExit(f"{self.name} ended with {process.returncode}:\n{self.output[-2000:]}")


class Execs:
    """Counts what the engine itself says was executed in a container, whatever the contender says of itself."""

    def __init__(self, container: str) -> None:
        self.count = 0
        self._client: Any = docker.APIClient(version="auto")
        filters = {"container": container, "event": "exec_create"}
        self._stream = self._client.events(decode=True, filters=filters)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for _ in self._stream:
            self.count += 1

    def close(self) -> int:
        """Return the number, once the engine has told all."""
        time.sleep(0.3)
        self._stream.close()
        self._client.close()
        return self.count


def in_turns(contenders: Sequence[Contender], times: int, container: str, *, warm_up: bool = True) -> None:
    """Run each `times` times, in turns, so that a busy minute falls on all; before it once for the caches, not counted."""
    for number in range(-warm_up, times):
        for contender in contenders:
            execs = Execs(container)
            try:
                contender.run()
            finally:
                contender.execs = execs.close()
            if number < 0:
                contender.wall.clear()
                contender.cpu.clear()
