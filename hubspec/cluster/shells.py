"""The shells of a cluster, by its chosen door: held where the door can hold one, else one look through the door for each command."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from functools import partial

from hubspec.cluster import ssh_script
from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.held import HeldShell, Place
from hubspec.cluster.look_shell import LookShell
from hubspec.cluster.sealed_door import SealedDoor
from hubspec.cluster.ssh import SshLine
from hubspec.cluster.ssh_door import SshDoor
from hubspec.cluster.wires import ExecWire, ProcessWire
from hubspec.door import ContainerDoor, Shell
from hubspec.errors import DoorError

USER = "hadoop"
"""Who logs in to a master node, where nobody else is named."""


class ClusterShells:
    """The shells of one cluster. Close it.

    `door` gives the door that was chosen, `here` says whether this machine is the master node, `master` is the name of a
    container of the same engine that is the master node, where there is one.
    """

    def __init__(
        self, door: Callable[[], ContainerDoor], here: Callable[[], bool], master: str | None, deadline: float
    ) -> None:
        """Nothing is opened yet."""
        self._door, self._here, self._name, self._deadline = door, here, master, deadline
        self._held: dict[str, Shell] = {}
        self._lock = threading.Lock()

    def container(self) -> Shell:
        """Return the one in the hub's container, as root. Raises DoorError where no door can be chosen."""
        return self._once("container", lambda: in_container(self._door(), self._deadline))

    def master(self) -> Shell:
        """Return the one on the master node, as the user who logs in. Raises DoorError where no door leads there."""
        return self._once("master", self._master)

    def close(self) -> None:
        """End those that are held."""
        with self._lock:
            for shell in self._held.values():
                if isinstance(shell, HeldShell):
                    shell.close()
            self._held.clear()

    def _once(self, which: str, make: Callable[[], Shell]) -> Shell:
        with self._lock:
            if which not in self._held:
                self._held[which] = make()
            return self._held[which]

    def _master(self) -> Shell:
        door = self._door()
        if isinstance(door, SshDoor):
            return HeldShell(_over_ssh(door.line, self._deadline), self._deadline)
        if isinstance(door, SealedDoor):
            return LookShell(door.name, lambda: f"{door.trip}: sh", partial(door.there, USER))
        name = self._name
        if name:
            command = f"docker exec -i -u {USER} {name} sh"
            wire = partial(ExecWire, name, USER, self._deadline)
            return HeldShell(Place(door.name, command, wire, partial(_beside, wire, self._deadline)), self._deadline)
        if self._here():
            return HeldShell(Place(door.name, "sh", _here, _beside_here), self._deadline)
        raise DoorError(
            "the door is docker, and this machine is not the master node: give --door ssh to have commands run there"
        )


def in_container(door: ContainerDoor, deadline: float) -> Shell:
    """Return the shell in the container that a door leads to."""
    if isinstance(door, DockerDoor):
        return HeldShell(
            Place(door.name, door.command, lambda: ExecWire(door.container, "0", deadline), door.run), deadline
        )
    if isinstance(door, SshDoor):
        command = f"ssh {door.line.target} docker exec -i {door.container} sh"
        return HeldShell(Place(door.name, command, lambda: _through_ssh(door), door.run), deadline)
    return LookShell(door.name, lambda: door.command, partial(_looked, door))


def _looked(door: ContainerDoor, script: str) -> tuple[str, str]:
    look = door.look(script, others=False)
    if look.inspect is None:
        raise DoorError(f"there is no container {door.container}")
    return look.stdout, look.stderr


def _through_ssh(door: SshDoor) -> ProcessWire:
    remote = ssh_script.carrying(door.container, door.line.target.rights, "sh")
    return _carried(door.line, remote.command, remote.text)


def _over_ssh(line: SshLine, deadline: float) -> Place:
    def beside(script: str) -> None:
        line.run("exec sh", script.encode(), deadline)

    return Place("ssh", f"ssh {line.target} sh", lambda: _carried(line, "exec sh", b""), beside)


def _carried(line: SshLine, command: str, first: bytes) -> ProcessWire:
    with ExitStack() as stack:
        process = stack.enter_context(line.started(command, subprocess.PIPE))
        wire = ProcessWire(process, stack.pop_all().close)
    with suppress(OSError):  # what has ended already is told of by whoever sends next
        wire.send(first)
    return wire


def _beside(wire: Callable[[], ExecWire], deadline: float, script: str) -> None:
    # As the same user: root of a container may not read the environment of another's process (no CAP_SYS_PTRACE).
    with closing(wire()) as other, suppress(OSError):
        other.send(f"{script}\nexit\n".encode())
        while other.receive(deadline):
            pass


def _here() -> ProcessWire:
    process = subprocess.Popen(
        ["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )

    def release() -> None:
        process.kill()
        for stream in (process.stdin, process.stdout, process.stderr):
            with suppress(OSError):
                if stream:
                    stream.close()
        process.wait()

    return ProcessWire(process, release)


def _beside_here(script: str) -> None:
    subprocess.run(["sh"], input=script.encode(), capture_output=True, check=False)
