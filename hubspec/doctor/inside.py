"""Checks of the container, behind whichever door: the engine's rights, the container itself, and what is in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Protocol

from hubspec.cluster.ssh_door import SshDoor
from hubspec.doctor.clock import verdict
from hubspec.doctor.model import Check, Findings, fails, parted, spared, works
from hubspec.door import Look
from hubspec.kinds import KINDS
from hubspec.model import Present
from hubspec.package_actions import PREFIX

_NO_HUB = "no jupyterhub process"
LIKE = ("jupyter", "hub")
"""What the name or the image of a container has in it that may be the hub's."""
_SCRIPT = f"""date +%s.%N
ls -d {PREFIX}/conda-meta/*.json 2>/dev/null | wc -l
"""


class Container(Protocol):
    """A door into the container."""

    name: str

    def look(self, script: str, *, others: bool) -> Look:
        """Describe the container and run the script in it. Raises DoorError."""

    def run(self, script: str) -> tuple[str, str]:
        """Run a script in the container. Raises DoorError."""


def checks(door: Container | None, name: str, ready: tuple[str, ...]) -> Iterator[Check]:
    """Yield the checks behind a door, None where none was chosen. `ready` are the rows that open it, `name` the container's."""
    sudo = ("door.sudo",) if isinstance(door, SshDoor) else ()
    rows = (*sudo, "door.docker", "container.running", "container.conda")
    yield Check(rows, lambda: engine(_there(door), name), ready, blame="container.running")
    inner = ("container.hub", "container.proxy")
    yield Check(inner, lambda: proxy(_there(door), name), ("container.running",))


def _there(door: Container | None) -> Container:
    assert door is not None, "what has no door is not tried"
    return door


def engine(door: Container, name: str) -> Findings:
    """Tell how root's rights are had, whether the engine answers, whether the container is there, and what is in it."""
    look = door.look(_SCRIPT, others=True)
    if isinstance(door, SshDoor):
        yield from _sudo(door)
    yield works("door.docker", "the engine answers")
    if look.inspect is None:
        yield fails("container.running", f"there is no container {name}", _candidates(look.others))
        return
    yield works("container.running", f"{name}, of {look.inspect.get('Config', {}).get('Image', '?')}")
    told = look.stdout.split()
    if not isinstance(door, SshDoor):  # it has told the time already, and one kernel has one clock
        yield verdict("clock.master", float(told[0]) - time.time() if told else None, "the container")
    count = int(told[1]) if len(told) > 1 else 0
    if count:
        yield works("container.conda", f"{PREFIX} has {count} packages")
    else:
        yield fails(
            "container.conda", f"there is no conda environment at {PREFIX}: packages and kernels cannot be read"
        )


def _sudo(door: SshDoor) -> Findings:
    user = door.line.target.user
    if door.how == "plain":
        yield spared("door.sudo", f"{user} may use docker without it")
    else:
        yield works("door.sudo", "with the password that was given" if door.how == "password" else "without a password")


def _candidates(others: dict[str, str]) -> str:
    like = {name: image for name, image in others.items() if any(word in f"{name} {image}".lower() for word in LIKE)}
    if like:
        told = ", ".join(f"{name} (of {image})" for name, image in like.items())
        return f"is it {told}? --container {next(iter(like))}"
    if others:
        return f"--container NAME; there are {', '.join(others)}"
    return "there is no container at all: is JupyterHub among the applications of the cluster?"


def proxy(door: Container, name: str) -> Findings:
    """Tell whether the hub runs in the container, and whether its proxy's own API answers there."""
    kind = KINDS["proxy"]
    stdout, stderr = door.run(kind.probe([], kind.policy(policy="ignore")))
    try:
        seen = next(iter(kind.parse(stdout).values()))
    except (ValueError, LookupError, TypeError):
        said = stderr.strip().split("\n")[-1][-200:] or "it answered nothing"
        if _NO_HUB in said:
            yield fails(
                "container.hub", "no jupyterhub process of root runs in it", f"sudo docker logs --tail 50 {name}"
            )
            return
        yield works("container.hub", "its process runs")
        yield fails("container.proxy", *parted(said))
        return
    yield works("container.hub", "its process runs")
    about = seen.resource.stated() if isinstance(seen, Present) else {}
    if about.get("running"):
        yield works("container.proxy", f"its API answers at {about.get('api_address')}")
    else:
        yield fails("container.proxy", "the hub's proxy does not run", f"sudo docker restart {name}")
