"""What a door is: one contract for each of the three ways to look at a cluster. Their I/O is in `cluster/`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pydantic import SecretStr

from hubspec.errors import DoorError
from hubspec.model import Detail, NotApplicable

ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED", "INTERRUPTED"})
"""The states in which a step has ended (EMR API 2009-03-31)."""


@dataclass(frozen=True)
class Look:
    """What the container door answers: the engine's description, the other containers, and the script's two streams."""

    inspect: dict[str, Any] | None
    others: dict[str, str]
    stdout: str
    stderr: str


class Door(Protocol):
    """A way to look. What it says of itself is known for good when it was looked through."""

    @property
    def name(self) -> str:
        """Return its word in records."""

    @property
    def command(self) -> str:
        """Return what it runs."""

    @property
    def trips(self) -> Mapping[str, int]:
        """Return the number of round trips by sort."""


class ContainerDoor(Door, Protocol):
    """The way into the container, by its name."""

    container: str

    def look(self, script: str, *, others: bool) -> Look:
        """Describe the container and run the script in it. Raises DoorError; an absent container has no `inspect`."""

    def log(self, since: datetime, lines: int) -> str:
        """Return the last lines that the container said since then. Raises DoorError."""


class HubDoor(Door, Protocol):
    """The hub's REST API."""

    def pages(self, path: str) -> list[Any] | dict[str, Any]:
        """Return every entry of a list or a mapping below /hub/api, whatever its pages. Raises DoorError."""

    def version(self) -> dict[str, Any]:
        """Return what the hub tells everybody, its `version`; no token is sent. Raises DoorError."""

    def certificate(self) -> dict[str, Any]:
        """Return what handshakes with the hub's address show: `pem` and more, see `cluster/tls.py`. Raises DoorError."""


@dataclass(frozen=True)
class Seen:
    """What a browser saw of a login: whether it came to the notebook page, and if not, why; its last page, and a JPEG of it."""

    ok: bool
    words: str
    path: str
    title: str
    picture: bytes


class Channel(Protocol):
    """A websocket. Its methods raise DoorError where it is gone."""

    def send(self, text: str) -> None:
        """Send a message."""

    def receive(self, seconds: float) -> str | None:
        """Return the next message, None where none came in time."""

    def close(self) -> None:
        """Close it."""


class Begun(Protocol):
    """A request that is under way, while other things are asked."""

    @property
    def error(self) -> DoorError | None:
        """Return why it was refused or not answered; None also while it is under way."""

    def wait(self, seconds: float) -> bool:
        """Wait at most so long, and say whether it has ended."""


class LiveDoor(Protocol):
    """Requests of a smoke test to the hub and the notebook servers behind it, with one token."""

    @property
    def base(self) -> str:
        """Return the hub's address. Raises DoorError."""

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON answered, None for nothing; `path` is below the hub's base URL. Raises AnsweredError, DoorError."""

    def begin(self, method: str, path: str) -> Begun:
        """Begin a request whose answer may take long: the hub keeps that for a server's start waiting for up to 10 s."""

    def events(self, path: str, seconds: float) -> Iterator[dict[str, Any]]:
        """Yield what a stream of events tells, for at most so long. Raises AnsweredError, DoorError."""

    def channel(self, path: str, seconds: float) -> Channel:
        """Return a websocket that was opened in so long. Raises AnsweredError, SilentError, DoorError."""

    def login(self, name: str, password: SecretStr, seconds: float, say: Callable[[str], None]) -> Seen:
        """Return what a browser sees that logs in through the hub's form, without any token. Raises DoorError."""


class KnockDoor(Protocol):
    """The hub's REST API, asked as somebody who has no right to it. Every method raises DoorError."""

    def knock(self, path: str, scheme: str, token: SecretStr | None) -> int:
        """Return the status of a GET with `Authorization: SCHEME TOKEN`, or without that header; the answer is not kept."""

    def own(self) -> SecretStr:
        """Return the token at hand."""


class AwsDoor(Door, Protocol):
    """The AWS APIs about one cluster."""

    def ask(self, calls: str) -> dict[str, Any]:
        """Return name -> answer of the API calls named, Unreadable for one that is refused. Raises UnknownClusterError."""

    def explain(self, thing: str) -> tuple[Detail, ...]:
        """Return what a step says of itself, by its id: the last lines of its logs, or why they cannot be had."""


class StepDoor(Protocol):
    """Steps of our own on the cluster. Every method raises DoorError."""

    @property
    def command(self) -> str:
        """Return what it asks of AWS."""

    @property
    def region(self) -> str:
        """Return the region of the cluster."""

    def put(self, name: str, text: str) -> str:
        """Put a script into S3, and return its URI."""

    def remove(self, uri: str) -> None:
        """Remove what `put` put there."""

    def submit(self, name: str, jar: str, arguments: list[str]) -> str:
        """Submit a step of a name that is new, and return its id."""

    def status(self, step: str) -> dict[str, Any]:
        """Return the `Status` of a step, by its id."""

    def cancel(self, step: str) -> None:
        """Ask for the end of a step."""

    def output(self, step: str) -> str | None:
        """Return the end of a step's stdout, None where it is not in S3 yet."""

    def explain(self, step: str, ended: datetime | None) -> tuple[Detail, ...]:
        """Return the last lines of a step's logs, or until when to wait for them."""


@dataclass(frozen=True)
class Ran:
    """How a command ended: its exit code, and what it printed."""

    code: int
    stdout: bytes
    stderr: bytes


class Shell(Protocol):
    """Commands on one machine, or in one container."""

    @property
    def name(self) -> str:
        """Return the word of the door that leads there."""

    @property
    def command(self) -> str:
        """Return what runs there."""

    def run(self, command: str, seconds: float | None = None) -> Ran:
        """Run a command in a `sh -c` of its own, with nothing on its standard input. Raises DoorError; ValueError for a NUL in it."""


class Shells(Protocol):
    """The shells of one cluster, each opened when it is first asked for. Both methods raise DoorError."""

    def container(self) -> Shell:
        """Return the one in the hub's container, as root."""

    def master(self) -> Shell:
        """Return the one on the master node, as the user who logs in there."""


@dataclass(frozen=True)
class Doors:
    """The doors of one cluster.

    `steps`, `live` and `knock` are those through which smoke tests work, `live` with the token that it is given, or else with that
    of the hub door; `work` gives the ways to put the cluster right, told whether
    the run was interrupted. Nothing that only reads uses any of them. `own` is kind -> names of what was made for this
    reading, which is taken back and so is no part of the cluster. `shells` run the commands of users' own checks.
    """

    container: ContainerDoor
    hub: HubDoor
    aws: AwsDoor | NotApplicable
    steps: StepDoor | None = None
    work: Callable[[Callable[[], bool]], Workers] | None = None
    live: Callable[[SecretStr | None], LiveDoor] | None = None
    knock: KnockDoor | None = None
    own: Mapping[str, AbstractSet[str]] = field(default_factory=dict)
    shells: Shells | None = None


class ContainerWorker(Protocol):
    """What can be done in and to the container."""

    def act(self, script: str, hear: Callable[[str], None], *, stop: str) -> None:
        """Run a script as root, handing on each line; `stop` is run beside it when interrupted. Raises DoorError."""

    def manage(self, argv: list[str]) -> str:
        """Do a `docker` command to the container itself, and return what to say of it. Raises DoorError."""

    def lock(self, about: str, seconds: float) -> AbstractContextManager[None]:
        """Hold the cluster's lock. Raises LockedError, DoorError."""


class HubWorker(Protocol):
    """What can be asked of the hub that changes it."""

    def act(self, method: str, path: str, body: str | None) -> str:
        """Make one request below /hub/api, and return what to say of it. Raises DoorError."""


class AwsWorker(Protocol):
    """What can be asked of AWS that changes the cluster."""

    def act(self, call: str, arguments: str) -> str:
        """Make one call, `service:Call` and its arguments as an action says them. Raises DoorError."""


@dataclass(frozen=True)
class Bundle:
    """Requests to the hub as shell text, for a batch in the container that takes them along.

    `before` and `after` stand around the whole batch; `request` gives the command for a method, a path and a body.
    """

    before: str
    after: str
    request: Callable[[str, str, str | None], str]


@dataclass(frozen=True)
class Workers:
    """The ways to put one cluster right. `stopped` says whether the run was interrupted.

    With a `bundle`, what is for the container and for the hub goes in one batch, through the container alone.
    """

    container: ContainerWorker
    hub: HubWorker
    aws: AwsWorker
    stopped: Callable[[], bool]
    bundle: Bundle | None = None
