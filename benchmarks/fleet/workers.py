"""A scheduler of Dask and its workers, each with the same share of a core, while a block runs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from distributed import Client

from benchmarks.fleet.quota import quota

THREADS = 4
"""Audits at the same time of one worker."""
START = 60.0
SHARE = 0.6
"""Of a core for each worker with its audits: of two cores enough is left for what serves two, which so is not what is measured."""


@contextlib.contextmanager
def workers(count: int, folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the address of the scheduler, once its workers are there, as a company's engine is before the night. Where no group of processes can be made, each has a core of its own."""
    cores = sorted(os.sched_getaffinity(0))
    mine = dict(os.environ) | dict(environment)
    with contextlib.ExitStack() as around:
        file = folder / "scheduler.json"
        around.enter_context(
            _begun(["scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file)], folder, mine)
        )
        _wait(file)
        for number in range(count):
            command = ["worker", "--scheduler-file", str(file), "--nthreads", str(THREADS), "--no-nanny"]
            within = around.enter_context(quota(SHARE))
            pinned = ["taskset", "-c", str(cores[number % len(cores)])]
            around.enter_context(_begun(command, folder, mine, pinned if within is None else within))
        address = str(json.loads(file.read_text(encoding="utf-8"))["address"])
        with Client(address, timeout=START, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=START)
        yield address


@contextlib.contextmanager
def _begun(
    words: list[str], folder: Path, environment: Mapping[str, str], within: Sequence[str] = ()
) -> Iterator[None]:
    command = [sys.executable, "-m", "dask", *words, "--no-dashboard"]
    with (folder / "dask-output").open("a") as out:
        process = subprocess.Popen([*within, *command], env=environment, stdout=out, stderr=out, start_new_session=True)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(file: Path) -> None:
    until = time.monotonic() + START
    while not file.exists() or not file.read_text(encoding="utf-8"):
        if time.monotonic() > until:
            raise SystemExit(f"no scheduler of Dask began: {(file.parent / 'dask-output').read_text()[-2000:]}")
        time.sleep(0.1)
