"""One property of the hub's container in testinfra's words: through our held shells, and as stock testinfra asks for it."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import testinfra

import lab
from benchmarks.page import table
from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.shells import ClusterShells
from hubspec.cluster.ssh import SshLine, Target
from hubspec.cluster.ssh_door import SshDoor
from hubspec.cluster.vocabulary import host
from hubspec.door import ContainerDoor
from lab.model import HUB

GOAL = 20
TURNS = 4
"""Of each way, for each run of the other contenders."""
ASKS = {"held": 30, "stock": 4}
"""In one turn."""
PEOPLE = ("diego", "ana", "nobody-at-all")
Ask = Callable[[str], bool]


def table_of_vocabulary(repeat: int) -> str:
    """Time `host.user(name).exists` in each way, in turns, and return the table."""
    with _ways() as ways:
        took: dict[str, list[float]] = {name: [] for name in ways}
        for ask in ways.values():
            assert [ask(name) for name in PEOPLE] == [True, True, False], "each way gives the same answers"
        for _ in range(repeat * TURNS):
            for name, ask in ways.items():
                took[name].append(_each(ask, ASKS[name.partition(",")[0].partition(" ")[0]]))
    held = {door: min(took[f"held, {door}"]) for door in ("docker", "ssh")}
    rows = [
        (
            name,
            f"{statistics.median(turns) * 1000:.1f}",
            f"{min(turns) * 1000:.1f}",
            *(f"**{min(turns) / held[door]:.0f}**" for door in held),
        )
        for name, turns in took.items()
    ]
    head = (
        "`host.user(name).exists` in the container",
        "ms each",
        "ms in the best turn",
        "times ours, docker",
        "times ours, ssh",
    )
    title = f"## Testinfra's vocabulary over a held shell (goal: {GOAL} times faster than stock)\n\n"
    about = (
        "The stock ssh backend has no way into a container: it is given `sudo docker exec jupyterhub id NAME`; in its last row with a ControlPath,"
        " so that it does not log in each time. The ratios are those of the best turns, which others on the machine disturbed least.\n\n"
    )
    return title + about + table(head, rows)


def _held(door: ContainerDoor) -> ClusterShells:
    return ClusterShells(lambda: door, lambda: False, None, 60)


def _each(ask: Ask, times: int) -> float:
    begun = time.perf_counter()
    for number in range(times):
        ask(PEOPLE[number % len(PEOPLE)])
    return (time.perf_counter() - begun) / times


@contextlib.contextmanager
def _ways() -> Iterator[dict[str, Ask]]:
    here = lab.status()
    assert here is not None
    with contextlib.ExitStack() as stack:
        line = stack.enter_context(contextlib.closing(SshLine(Target("localhost", config=str(here.ssh_config)))))
        doors: dict[str, ContainerDoor] = {"docker": DockerDoor(HUB), "ssh": SshDoor(line, HUB)}
        ours = {name: stack.enter_context(contextlib.closing(_held(door))) for name, door in doors.items()}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubspec-bench-")))
        docker = testinfra.get_host(f"docker://{HUB}")
        ssh, kept = (
            testinfra.get_host("ssh://localhost", ssh_config=str(here.ssh_config), **more)
            for more in ({}, {"controlpath": str(folder / "line")})
        )
        in_container = {name: host(shells.container(), HUB) for name, shells in ours.items()}
        yield {
            "held, docker": lambda name: bool(in_container["docker"].user(name).exists),
            "held, ssh": lambda name: bool(in_container["ssh"].user(name).exists),
            "stock docker backend": lambda name: bool(docker.user(name).exists),
            "stock ssh backend, docker exec": lambda name: ssh.run(f"sudo docker exec {HUB} id %s", name).rc == 0,
            "stock ssh backend, docker exec, ControlPath": lambda name: (
                kept.run(f"sudo docker exec {HUB} id %s", name).rc == 0
            ),
        }
        kept.backend.run_local(f"ssh -O exit -o ControlPath={folder}/line -F {here.ssh_config} localhost")
