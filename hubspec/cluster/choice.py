"""Which door leads into the container: the one that was named, or else the one that fits where the cluster is."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.options import ADDRESS
from hubspec.cluster.sealed_door import SealedDoor
from hubspec.cluster.ssh import SshLine
from hubspec.cluster.ssh_door import SshDoor
from hubspec.errors import DoorError, ShutError

_SOCKET = Path("/var/run/docker.sock")
_FLOW = Path("/mnt/var/lib/info/job-flow.json")
"""What EMR writes on each node of the cluster (Management Guide, 'Configure cluster logging and debugging')."""
_INSTANCE = Path("/mnt/var/lib/info/instance.json")
"""What it writes of the node itself: `isMaster`."""


AnyDoor = DockerDoor | SshDoor | SealedDoor
OTHERS = "--door ssm runs a command by SSM, and --door step submits an EMR step; both need AWS alone"
"""Which doors are there for who has no login to the master node. Neither is taken unasked."""


@dataclass(frozen=True)
class Chosen:
    """A door, and why it is this one."""

    door: AnyDoor
    why: str


class Choice:
    """Chooses when it is first asked, once, and says which; a choice that failed is not tried again.

    `host` gives the name of the master node. Raises DoorError where that cannot be told. `by_aws` has the doors that are
    taken only where they are named, by their names: what they do leaves its marks on the cluster.
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
        by_aws: Mapping[str, Callable[[], SealedDoor]] | None = None,
    ) -> None:
        """Nothing is asked yet. `here`: the Docker engine in the environment is known to be that of the cluster."""
        self._wanted, self._docker, self._ssh, self._host = wanted, docker, ssh, host
        self._cluster, self._say, self._here = cluster, say, here
        self._by_aws = by_aws or {}
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
        """Return name -> what makes each door that can be tried unasked, whichever is chosen."""
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

    def shut(self, error: DoorError) -> DoorError:
        """Return the error of a door, which names the next ones to try where auto took ssh, and that did not open."""
        door = self.made.door if self.made else None
        if self._wanted != "auto" or not isinstance(door, SshDoor) or not door.line.shut or not self._by_aws:
            return error
        if isinstance(error, ShutError):
            return ShutError(error.what, error.at, f"{error.then}; without ssh: {OTHERS}", error.said)
        return DoorError(f"{error}; without ssh: {OTHERS}")

    def _choose(self) -> Chosen:
        if self._wanted in self._by_aws:
            return Chosen(self._by_aws[self._wanted](), f"--door {self._wanted}")
        if self._wanted == "ssh":
            return Chosen(self._ssh(), "--door ssh")
        if self._here:
            return Chosen(self._docker, "its engine is on this machine")
        if self._wanted == "docker" or os.environ.get("DOCKER_HOST"):
            return self._engine()
        return self._find()

    def _find(self) -> Chosen:
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
