"""The container through the door that is chosen when it is first needed: to look at it, and to work on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

from hubspec.cluster.choice import Choice
from hubspec.cluster.docker_worker import DockerWorker
from hubspec.cluster.sealed_door import SealedDoor
from hubspec.cluster.ssh_door import SshDoor
from hubspec.cluster.ssh_worker import SshWorker
from hubspec.door import ContainerWorker, Look
from hubspec.errors import DoorError


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
        door = self._choice.make().door
        try:
            return door.look(script, others=others)
        except DoorError as error:
            raise self._choice.shut(error) from None

    def run(self, script: str) -> tuple[str, str]:
        """Run a script in the container as root and return its two streams. Raises DoorError."""
        door = self._choice.make().door
        try:
            return door.run(script)
        except DoorError as error:
            raise self._choice.shut(error) from None

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
        if isinstance(door, SealedDoor):
            raise DoorError(f"nothing is done through --door {door.name}: it only looks; give --via step")
        return SshWorker(door, self._stopped) if isinstance(door, SshDoor) else DockerWorker(door, self._stopped)
