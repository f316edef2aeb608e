"""Which door leads into the container: the one that was named, or else the one that fits where the cluster is."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.docker_worker import DockerWorker
from hubspec.cluster.options import ADDRESS
from hubspec.cluster.ssh import SshLine
from hubspec.cluster.ssh_door import SshDoor
from hubspec.cluster.ssh_worker import SshWorker
from hubspec.door import ContainerWorker, Look
from hubspec.errors import DoorError

_SOCKET = Path("/var/run/docker.sock")
_FLOW = Path("/mnt/var/lib/info/job-flow.json")
"""What EMR writes on each node of the cluster (Management Guide, 'Configure cluster logging and debugging')."""
_INSTANCE = Path("/mnt/var/lib/info/instance.json")
"""What it writes of the node itself: `isMaster`."""


@dataclass(frozen=True)
class Chosen:
    """A door, and why it is this one."""

    door: DockerDoor | SshDoor
    why: str


class Choice:
    """Chooses when it is first asked, once, and says which; a choice that failed is not tried again.

    `host` gives the name of the master node. Raises DoorError where that cannot be told.
    """

    def __init__(  # noqa: PLR0913 - what a choice is made from
        self,
        wanted: str,
        docker: DockerDoor,
        ssh: Callable[[], SshDoor],
        host: Callable[[], str],
        *,
        cluster: str,
        say: Callable[[str], None],
        here: bool = False,
    ) -> None:
        """Nothing is asked yet. `here`: the Docker engine in the environment is known to be that of the cluster."""
        self._wanted, self._docker, self._ssh, self._host = wanted, docker, ssh, host
        self._cluster, self._say, self._here = cluster, say, here
        self._found: Chosen | DoorError | None = None
        self._lock = threading.Lock()

    @property
    def made(self) -> Chosen | None:
        """Return what was chosen, None as long as nothing was."""
        return self._found if isinstance(self._found, Chosen) else None

    @property
    def said(self) -> str:
        """Return in words which door was chosen and why, empty where that was not ours to find out."""
        made = self.made
        return f"door {made.door.name}: {made.why}" if made and self._wanted == "auto" and not self._here else ""

    @property
    def ways(self) -> dict[str, Callable[[], DockerDoor | SshDoor]]:
        """Return name -> what makes each door that there is, whichever is chosen."""
        return {"docker": lambda: self._docker, "ssh": self._ssh}

    def make(self) -> Chosen:
        """Return what is chosen. Raises DoorError where nothing can be."""
        with self._lock:
            if self._found is None:
                try:
                    self._found = self._choose()
                    if self.said:
                        self._say(f"{self._cluster}: {self.said}")
                except DoorError as error:
                    self._found = error
            if isinstance(self._found, DoorError):
                raise self._found
            return self._found

    def line(self) -> SshLine | None:
        """Return the SSH connection, None where another door was chosen. Raises DoorError where none can be."""
        door = self.make().door
        return door.line if isinstance(door, SshDoor) else None

    def _choose(self) -> Chosen:
        if self._wanted == "ssh":
            return Chosen(self._ssh(), "--door ssh")
        if self._here:
            return Chosen(self._docker, "its engine is on this machine")
        if self._wanted == "docker" or os.environ.get("DOCKER_HOST"):
            return self._engine()
        if _flow_here() == self._cluster:
            return self._local("this machine is a node of the cluster")
        try:
            host = self._host()
        except DoorError as error:
            raise DoorError(
                "no door leads to the container: where its master node is, AWS does not say"
                f" ({error}); give --door docker for the Docker engine here, if that is the cluster's"
            ) from None
        if _is_here(host):
            return self._local(f"the master node {host} is this machine")
        return Chosen(self._ssh(), f"the master node {host} is not this machine, and DOCKER_HOST is not set")

    def _engine(self) -> Chosen:
        if engine_over_ssh():
            return Chosen(self._ssh(), "DOCKER_HOST leads to an engine over ssh")
        return Chosen(self._docker, "--door docker" if self._wanted == "docker" else "DOCKER_HOST names an engine")

    def _local(self, why: str) -> Chosen:
        if os.access(_SOCKET, os.W_OK):
            return Chosen(self._docker, why)
        return Chosen(self._ssh(), f"{why}, but {_SOCKET} may not be used by this user")


def engine_over_ssh() -> re.Match[str] | None:
    """Return user, host and port of the engine in the environment, where DOCKER_HOST is an address of ssh."""
    return re.fullmatch(ADDRESS, os.environ.get("DOCKER_HOST", ""))


class ChosenDoor:
    """The container through the door that is chosen when it is first looked through."""

    def __init__(self, choice: Choice, container: str) -> None:
        """Nothing is asked yet."""
        self.container, self._choice = container, choice

    @property
    def choice(self) -> Choice:
        """Return what chooses the door."""
        return self._choice

    @property
    def name(self) -> str:
        """Return the word of the door in records; auto as long as there is none."""
        return self._choice.made.door.name if self._choice.made else "auto"

    @property
    def why(self) -> str:
        """Return in words which door it is and why, empty where that was not chosen."""
        return self._choice.said

    @property
    def command(self) -> str:
        """Return what it runs."""
        return self._choice.made.door.command if self._choice.made else "none"

    @property
    def trips(self) -> dict[str, int]:
        """Return the round trips by sort."""
        return dict(self._choice.made.door.trips) if self._choice.made else {}

    def look(self, script: str, *, others: bool) -> Look:
        """Describe the container and run the script in it. Raises DoorError; an absent container has no `inspect`."""
        return self._choice.make().door.look(script, others=others)

    def run(self, script: str) -> tuple[str, str]:
        """Run a script in the container as root and return its two streams. Raises DoorError."""
        return self._choice.make().door.run(script)

    def log(self, since: datetime, lines: int) -> str:
        """Return the last lines that the container said since then. Raises DoorError."""
        return self._choice.make().door.log(since, lines)


class ChosenWorker:
    """Works on the container through the door that is chosen."""

    def __init__(self, choice: Choice, stopped: Callable[[], bool]) -> None:
        """Nothing is done yet."""
        self._choice, self._stopped = choice, stopped

    def act(self, script: str, hear: Callable[[str], None], *, stop: str) -> None:
        """Run a script as root, handing on each line. Raises DoorError."""
        self._worker().act(script, hear, stop=stop)

    def manage(self, argv: list[str]) -> str:
        """Do a `docker` command to the container itself. Raises DoorError."""
        return self._worker().manage(argv)

    @contextmanager
    def lock(self, about: str, seconds: float) -> Iterator[None]:
        """Hold the cluster's lock. Raises LockedError, DoorError."""
        held: AbstractContextManager[None] = self._worker().lock(about, seconds)
        with held:
            yield

    def _worker(self) -> ContainerWorker:
        door = self._choice.make().door
        return SshWorker(door, self._stopped) if isinstance(door, SshDoor) else DockerWorker(door, self._stopped)


def on_master(cluster: str, host: Callable[[], str]) -> bool:
    """Say whether this machine is the master node of a cluster: EMR's own files say so, or the name that AWS gives it."""
    if _flow_here() == cluster:
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            return bool(json.loads(_INSTANCE.read_text(encoding="utf-8"))["isMaster"])
    try:
        return _is_here(host())
    except DoorError:
        return False


def _flow_here() -> str:
    """Return the id of the cluster that this machine is a node of, empty where it is none."""
    try:
        return str(json.loads(_FLOW.read_text(encoding="utf-8"))["jobFlowId"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _is_here(host: str) -> bool:
    """Say whether a name is that of this machine: only its own addresses can be listened on."""
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except OSError:
        return False
    for family, kind, _, _, address in found:
        try:
            with socket.socket(family, kind) as own:
                own.bind(address)
        except OSError:
            continue
        return True
    return False
