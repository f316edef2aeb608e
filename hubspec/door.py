"""What a door is: one contract for each of the three ways to look at a cluster. Their I/O is in `cluster/`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from hubspec.model import NotApplicable


@dataclass(frozen=True)
class Look:
    """What the container door answers: the engine's description, the other containers, and the script's two streams."""

    inspect: dict[str, Any] | None
    others: dict[str, str]
    stdout: str
    stderr: str


class Door(Protocol):
    """A way to look. `name` is its word in records, `command` what it runs, `trips` its round trips by sort."""

    name: str
    command: str
    trips: dict[str, int]


class ContainerDoor(Door, Protocol):
    """The way into the container, by its name."""

    container: str

    def look(self, script: str, *, others: bool) -> Look:
        """Describe the container and run the script in it. Raises DoorError; an absent container has no `inspect`."""


class HubDoor(Door, Protocol):
    """The hub's REST API."""

    def pages(self, path: str) -> list[Any]:
        """Return every entry of a list below /hub/api, whatever its pages. Raises DoorError."""


class AwsDoor(Door, Protocol):
    """The EMR API."""

    def describe(self) -> dict[str, Any]:
        """Return the `Cluster` of DescribeCluster. Raises DoorError, and UnknownClusterError where there is none."""


@dataclass(frozen=True)
class Doors:
    """The doors of one cluster."""

    container: ContainerDoor
    hub: HubDoor
    aws: AwsDoor | NotApplicable
