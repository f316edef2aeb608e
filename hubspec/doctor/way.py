"""Checks of the way into the container: which door is chosen, what is shut on it, and what the other doors would do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hubspec.cluster import preflight
from hubspec.cluster.choice import Choice
from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.sealed_door import SealedDoor
from hubspec.cluster.ssh_door import SshDoor
from hubspec.doctor import inside, machine
from hubspec.doctor.by_aws import ByAws, sealed
from hubspec.doctor.clock import verdict
from hubspec.doctor.model import Check, Findings, fails, mind, works
from hubspec.errors import DoorError, ShutError

_LOGIN = ("door.configuration", "door.reached", "door.host key", "door.login")


def checks(choice: Choice, name: str, deadline: float, by_aws: ByAws | None) -> Iterator[Check]:
    """Yield the checks of the chosen door, then of the others. `name` is that of the container, `by_aws` None where AWS is not asked."""
    yield Check(("door.choice",), lambda: chosen(choice))
    made = choice.made
    door = made.door if made else None
    yield Check(("tools.ssh",), lambda: machine.ssh(wanted=isinstance(door, SshDoor)), needed=isinstance(door, SshDoor))
    if isinstance(door, SshDoor):
        yield Check(_LOGIN, lambda: login(door), ("door.choice", "tools.ssh"))
        yield Check(("door.shell", "clock.master"), lambda: shell(door, deadline), ("door.login",))
        ready = ("door.shell",)
    else:
        ready = ("door.choice",)
    if isinstance(door, SealedDoor):
        yield sealed(door.name)
    else:
        yield from inside.checks(door, name, ready)
    if by_aws:
        yield from by_aws.checks(door.name if door else "")
    if made:
        for other, make in choice.ways.items():
            if other != made.door.name:
                yield Check((f"other doors.{other}",), _other(other, make, name), needed=False)


def chosen(choice: Choice) -> Findings:
    """Tell which door it is, and why."""
    made = choice.make()
    yield works("door.choice", f"{made.door.name}: {made.why}")


def login(door: SshDoor) -> Findings:
    """Tell whether the host is reached and is the one that is known, and lets us in. Raises ShutError at the place where not."""
    target = door.line.target
    try:
        door.line.open()
    except ShutError as error:
        if error.at == "shell":  # a profile that ends the shell at once ends the login with it
            yield from (works(row) for row in _LOGIN)
            return
        raise
    yield works("door.configuration", door.line.target.config or "your own")
    yield works("door.reached", target.host)
    yield works("door.host key", "it is the one that is known")
    yield works("door.login", f"as {target.user}")


def shell(door: SshDoor, seconds: float) -> Findings:
    """Tell whether the login shell does what it is told, what it prints besides, and its clock."""
    noise, apart = preflight.shell(door.line, seconds)
    if noise:
        yield mind(
            "door.shell", f"its profile prints {len(noise)} characters; hubspec reads past them, scp and rsync do not"
        )
    else:
        yield works("door.shell")
    yield verdict("clock.master", apart, "the master node")


def _other(name: str, make: Callable[[], object], container: str) -> Callable[[], Findings]:
    row = f"other doors.{name}"

    def run() -> Findings:
        try:
            yield works(row, _tried(make(), container), needed=False)
        except ShutError as error:
            yield fails(row, error.what, error.then, needed=False)
        except DoorError as error:
            yield fails(row, str(error), needed=False)

    return run


def _tried(door: object, container: str) -> str:
    if isinstance(door, SshDoor):
        door.line.open()
        return f"logs in as {door.line.target}"
    if isinstance(door, DockerDoor):
        there = door.look("exit", others=False).inspect is not None
        return f"the Docker engine here answers, and has {'a' if there else 'no'} container {container}"
    return "is there"
