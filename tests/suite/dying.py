"""A preload of a worker of Dask that dies at points of a task which no audit sees: as a machine does, by SIGKILL.

HUBSPEC_TEST_DEATHS is as for `tests.suite.killing`; a cluster is known by its name here.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from distributed import Worker
from distributed.comm import Comm
from distributed.worker import thread_state

from hubspec.cluster import dask_engine
from hubspec.fleet import job

POINTS = ("arrived", "packing", "sending", "between")
"""The task is there and nothing is begun; its report is packed; its result is sent; it has arrived, and the next may come."""


def _at(point: str, cluster: str) -> None:
    wanted = json.loads(os.environ["HUBSPEC_TEST_DEATHS"]).get(cluster)
    if wanted and wanted["point"] == point and not (mark := Path(wanted["once"], cluster)).exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)


async def dask_setup(worker: Worker) -> None:
    clusters: dict[str, str] = {}
    run, pack = dask_engine._run, job.pack

    def arrived(task: Callable[..., Any], about: job.Job) -> Any:
        clusters[thread_state.key] = about.cluster
        _at("arrived", about.cluster)
        return run(task, about)

    def packing(folder: Path) -> bytes:
        content = pack(folder)
        _at("packing", json.loads((folder / "run.json").read_text())["clusters"][0])
        return content

    def sending(came: job.Came) -> dict[str, Any]:
        _at("sending", came.cluster)
        return vars(came)

    get_data = worker.handlers["get_data"]

    async def sent(comm: Comm, keys: Collection[str], **more: Any) -> Any:
        answer = await get_data(comm, keys=keys, **more)
        for key in keys:
            _at("between", clusters.get(key, ""))
        return answer

    # A task comes as the name of its function, and so leads here.
    dask_engine._run = arrived
    job.pack = packing
    job.Came.__getstate__ = sending
    worker.handlers["get_data"] = sent
