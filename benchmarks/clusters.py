"""One cluster and fifty, each of whose parts answers after 300 ms: a simulation over real sockets, of which a real container was the model.

The AWS API and the hubs are servers on loopback, a hub on an address of its own. The door into the container is replaced
(`benchmarks.replay`): it sends the script that an audit sends to a server, which answers what the lab's container answered once.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.clock import Contender, in_turns
from benchmarks.contenders import PYTEST
from benchmarks.page import table
from benchmarks.world import World, write_baseline
from hubspec.baseline import load
from hubspec.cluster.docker import DockerDoor
from hubspec.collect import join
from hubspec.kinds import KINDS
from lab.model import HUB
from tests import accounts, many_hubs
from tests.accounts import Account, Cluster
from tests.many_hubs import Hubs, addresses

MANY, DELAY, GOAL = 50, 0.3, 5
PORT = 9444
"""Where the container of a cluster answers."""
_NONCE = "0123456789abcdef"


def table_of_clusters(folder: Path, repeat: int) -> str:
    """Time one cluster and many, and return the table."""
    baseline = write_baseline(folder / "clusters.yaml", World(0, 0), HUB)
    recorded = _record(baseline)
    runs = []
    with contextlib.ExitStack() as around:
        for count in (1, MANY):
            hubs = around.enter_context(_simulated(count, recorded, folder))
            clusters = [Cluster(f"j-{number:03}", host=host) for number, host in enumerate(hubs.addresses)]
            account = around.enter_context(accounts.serving(Account(clusters, delay=DELAY)))
            runs.append(_audit(folder, count, account, hubs, baseline))
        in_turns(runs, repeat, HUB)
    one, many = (float(re.findall(r"all clusters were read after ([\d.]+) s", run.output)[-1]) for run in runs)
    wall = [f"{run.seconds:.2f}" for run in runs]
    rows = [("1", f"{one:.2f}", "1", wall[0]), (str(MANY), f"{many:.2f}", f"**{many / one:.2f}**", wall[1])]
    head = ("clusters", "read in s", "times one", "whole run s")
    about = (
        f"Simulated: each answer of the AWS API, of a hub and of a container comes {DELAY * 1000:.0f} ms late, over sockets of this machine, and the container's is what the lab's"
        f" answered once ({len(recorded['stdout']) / 1024:.0f} KB). The whole run has found the clusters first (`--cluster all`), and has judged and reported all of them.\n\n"
    )
    return f"## {MANY} clusters (goal: read in at most {GOAL} times the time of one)\n\n{about}{table(head, rows)}"


def _audit(folder: Path, count: int, account: Account, hubs: Hubs, baseline: Path) -> Contender:
    environment = account.variables | {
        "HUBSPEC_BASELINE": str(baseline),
        "HUBSPEC_HUB_FINGERPRINT": hubs.fingerprint,
        "HUBSPEC_HUB_TOKEN": "0" * 32,
    }
    command = [*PYTEST, "-p", "benchmarks.replay", "checks", "--cluster", "all", "--reports", "{folder}/reports"]
    # What the lab's container holds is not what the hubs tell; the time is the same. Not 11: each has to be read.
    return Contender(f"clusters-{count}", command, environment, folder, ok=(0, 1))


def _record(baseline: Path) -> dict[str, Any]:
    kinds = [kind for kind in KINDS.values() if kind.door in {"engine", "container"}]
    look = DockerDoor(HUB).look(join(kinds, load(baseline), _NONCE), others=False)
    return {"inspect": look.inspect, "others": look.others, "stdout": look.stdout, "stderr": look.stderr}


@contextlib.contextmanager
def _simulated(count: int, recorded: dict[str, Any], folder: Path) -> Iterator[Hubs]:
    text = json.dumps(recorded)
    mine = addresses(MANY + 1)[:count] if count > 1 else addresses(MANY + 1)[MANY:]

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = (await reader.read()).decode()
        nonce = re.search(r"printf '([0-9a-f]{16}) begin", script)
        assert nonce is not None
        await asyncio.sleep(DELAY)
        writer.write(text.replace(_NONCE, nonce[1]).encode())
        writer.close()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    place = folder / f"hubs-{count}"
    place.mkdir()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(met, mine, PORT), loop).result(10)
    try:
        with many_hubs.serving(Hubs(mine, delay=DELAY), place) as hubs:
            yield hubs
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
