"""The doors of one cluster, opened for one reading; what was made for it is taken back."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from pydantic import SecretStr

from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.aws_worker import AwsWorker
from hubspec.cluster.choice import Choice, ChosenDoor, ChosenWorker, engine_over_ssh, on_master
from hubspec.cluster.clients import Clients
from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.hub import HubDoor, Trust
from hubspec.cluster.hub_inside import running
from hubspec.cluster.hub_shell import bundle
from hubspec.cluster.live import Live
from hubspec.cluster.made import Made
from hubspec.cluster.options import ADDRESS, DoorOptions
from hubspec.cluster.own_token import OwnToken
from hubspec.cluster.route import Route
from hubspec.cluster.shells import ClusterShells
from hubspec.cluster.ssh import Lines, Target
from hubspec.cluster.ssh_door import SshDoor
from hubspec.cluster.ssh_script import Rights
from hubspec.cluster.step_worker import StepWorker
from hubspec.cluster.steps import StepDoor
from hubspec.cluster.token import Minted, from_file, mint
from hubspec.door import Doors, Workers
from hubspec.errors import DoorError
from hubspec.model import NotApplicable

_ENDED = {"TERMINATING", "TERMINATED", "TERMINATED_WITH_ERRORS"}
"""States of a cluster whose machines are gone, or about to be (EMR API 2009-03-31)."""


@dataclass(frozen=True)
class Site:
    """A cluster by its id, or a machine by its address (ssh://USER@HOST:PORT), and what is known of it: values of options, and AWS variables.

    Both count before the environment, and the command line before both. `master` is the name of a container of the engine
    here that is the master node, where there is one.
    """

    cluster_id: str
    known: Mapping[str, str] = field(default_factory=dict)
    aws: Mapping[str, str] | None = None
    master: str | None = None

    @property
    def address(self) -> re.Match[str] | None:
        """Return user, host and port of a machine; None for a cluster of EMR."""
        return re.fullmatch(ADDRESS, self.cluster_id)


@contextlib.contextmanager
def opened(  # noqa: PLR0913 - what doors are opened by
    site: Site,
    options: DoorOptions,
    progress: Callable[[str], None],
    *,
    scratch: str | None = None,
    via: str = "docker",
    lines: Lines | None = None,
    clients: Clients | None = None,
    made: Made | None = None,
) -> Iterator[Doors]:
    """Yield the doors of a cluster; nothing is asked of them yet. `scratch` is where a script may be put in S3.

    `via` is how work is done in the container: docker, which is its door, or step. `lines` holds SSH connections for longer
    than this; without it they end with it. `clients` are those of AWS that others use too.
    `made` is told of what is made, so that it can be taken back by an interrupted run.
    """

    def setting(option: str) -> str | None:
        return options.given(option) or site.known.get(option) or options.text(option)

    door = EmrDoor(
        site.cluster_id,
        settings=site.aws,
        deadline=options.deadline,
        step_limit=options.step_limit,
        progress=progress,
        clients=clients,
    )
    own_lines = contextlib.ExitStack()
    held = lines or own_lines.enter_context(contextlib.closing(Lines()))
    choice = _choice(site, options, door, held, progress)
    container = ChosenDoor(choice, setting("--container") or "jupyterhub")
    making = made or Made()

    def url() -> str:
        return setting("--hub-url") or f"https://{_host(site, door)}:9443"

    def known() -> SecretStr | None:
        return None if options.given("--mint-token") else _known_token(site.known, options)

    token = OwnToken(known, lambda: _made(options, container), making)
    trust = Trust(setting("--hub-fingerprint"), setting("--hub-ca"), options.insecure, Route(choice.line))
    hub = HubDoor(url, token.give, trust, options.deadline, progress=progress, why=lambda: running(container))
    live = partial(_live, url, token.give, trust, options.deadline)
    shells = ClusterShells(
        lambda: choice.make().door,
        lambda: on_master(site.cluster_id, lambda: _host(site, door)),
        site.master,
        options.deadline,
    )
    steps = StepDoor(door, scratch)

    def work(stopped: Callable[[], bool]) -> Workers:
        aws = AwsWorker(door, steps, stopped)
        if via == "step":
            by_step = StepWorker(steps, container.container, stopped, progress)
            return Workers(by_step, hub, aws, stopped, bundle(options.text("--mint-token") or "jovyan"))
        return Workers(ChosenWorker(choice, stopped), hub, aws, stopped)

    def take_back() -> None:
        token.take_back(hub, lambda line: progress(f"{site.cluster_id}: {line}"))

    try:
        with making.held(take_back):
            yield Doors(container, hub, *_asked(site, door, steps), work, live, hub, {"hub_token": token.names}, shells)
    finally:
        shells.close()
        own_lines.close()


def _choice(site: Site, options: DoorOptions, door: EmrDoor, lines: Lines, progress: Callable[[str], None]) -> Choice:
    def setting(option: str) -> str | None:
        return options.given(option) or site.known.get(option) or options.text(option)

    def file(option: str) -> str | None:
        value = setting(option)
        return str(options.as_path(value)) if value else None

    name, label = setting("--container") or "jupyterhub", setting("--container-label")
    address = site.address
    if address and options.text("--via") == "step":
        options.refuse("--via step: AWS knows nothing of a machine that is named by its address; leave it out")
    # Whoever says --door ssh means the master node, whatever engine is in the environment.
    over = address or (engine_over_ssh() if options.door != "ssh" else None)
    user = (over and over["user"]) or setting("--ssh-user") or "hadoop"
    key, config = file("--ssh-key"), file("--ssh-config")
    password = options.sudo_password
    if options.on("--ask-sudo-password") and options.door != "docker":
        password = lines.password(f"password of {user} for sudo on the master node of {site.cluster_id}: ")

    def ssh() -> SshDoor:
        port = over["port"] if over else None
        target = Target(
            over["host"] if over else _host(site, door), user, port, key, config, Rights(options.sudo, password)
        )
        return SshDoor(lines.line(target, options.deadline), name, label=label, deadline=options.deadline)

    docker = DockerDoor(name, label=label, deadline=options.deadline)
    here = site.known.get("--door") == "docker"
    wanted = "ssh" if address else options.door
    return Choice(wanted, docker, ssh, lambda: _host(site, door), cluster=site.cluster_id, say=progress, here=here)


def _asked(site: Site, door: EmrDoor, steps: StepDoor) -> tuple[EmrDoor | NotApplicable, StepDoor | None]:
    if site.address:
        return NotApplicable(f"{site.cluster_id} is a machine by its address, of which AWS is not asked"), None
    return door, steps


def _host(site: Site, door: EmrDoor) -> str:
    if site.address:
        return site.address["host"]
    about = door.describe()
    name, state = about.get("MasterPublicDnsName"), about.get("Status", {}).get("State", "of no state")
    if state in _ENDED:
        raise DoorError(f"{door.cluster_id} has ended: it is {state}")
    if not name:
        raise DoorError(f"AWS names no master node of {door.cluster_id} (it is {state})")
    return str(name)


def _live(
    url: Callable[[], str],
    token: Callable[[], SecretStr],
    trust: Trust,
    deadline: float,
    given: SecretStr | None,
) -> Live:
    return Live(url, (lambda: given) if given else token, trust, deadline)


def _known_token(facts: Mapping[str, str], options: DoorOptions) -> SecretStr | None:
    # What is known of this cluster counts before the environment: the token of another hub is not for it.
    path = options.given("--hub-token-file") or facts.get("--hub-token-file")
    if not path and options.secret:
        return options.secret
    path = path or options.text("--hub-token-file")
    return from_file(options.as_path(path)) if path else None


def _made(options: DoorOptions, container: ChosenDoor) -> Minted:
    user = options.text("--mint-token")
    if not user:
        raise DoorError(
            "there is no hub token: set HUBSPEC_HUB_TOKEN, or give --hub-token-file FILE, or --mint-token ADMIN"
        )
    return mint(container, user)
