"""The doors of one cluster, opened for one reading; what was made for it is taken back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from pydantic import SecretStr

from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.aws_worker import AwsWorker
from hubspec.cluster.by_aws import NAMES, ByAws
from hubspec.cluster.choice import on_master
from hubspec.cluster.chosen import ChosenDoor, ChosenWorker
from hubspec.cluster.clients import Clients
from hubspec.cluster.hub import HubDoor, Trust
from hubspec.cluster.hub_inside import running
from hubspec.cluster.hub_shell import bundle
from hubspec.cluster.live import Live
from hubspec.cluster.made import Made
from hubspec.cluster.options import DoorOptions
from hubspec.cluster.own_token import OwnToken
from hubspec.cluster.route import Route
from hubspec.cluster.shells import ClusterShells
from hubspec.cluster.site import Site, host
from hubspec.cluster.ssh import Lines
from hubspec.cluster.step_worker import StepWorker
from hubspec.cluster.steps import StepDoor
from hubspec.cluster.token import NOT_MADE, Minted, from_file, mint
from hubspec.cluster.way import choice
from hubspec.door import Doors, Workers
from hubspec.errors import DoorError
from hubspec.model import NotApplicable


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

    `via` is how work is done in the container: docker, which is its door, or step, as it always is where the door only looks.
    `lines` holds SSH connections for longer than this; without it they end with it. `clients` are those of AWS that others use too.
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
    making = made or Made()
    steps = StepDoor(door, scratch)
    by_aws = ByAws(door, steps, progress, options.step_deadline, making)
    way = choice(site, options, by_aws, held)
    container = ChosenDoor(way, setting("--container") or "jupyterhub")

    def url() -> str:
        return setting("--hub-url") or f"https://{host(site, door)}:9443"

    def known() -> SecretStr | None:
        return None if options.given("--mint-token") else _known_token(site.known, options)

    token = OwnToken(known, lambda: _made(options, container), making)

    def why() -> str:
        return running(container) if options.curious else ""

    trust = Trust(setting("--hub-fingerprint"), setting("--hub-ca"), options.insecure, Route(way.line))
    hub = HubDoor(url, token.give, trust, options.deadline, progress=progress, why=why)
    live = partial(_live, url, token.give, trust, options.deadline)
    shells = ClusterShells(
        lambda: way.make().door,
        lambda: on_master(site.cluster_id, lambda: host(site, door)),
        site.master,
        options.deadline,
    )

    def work(stopped: Callable[[], bool]) -> Workers:
        aws = AwsWorker(door, steps, stopped)
        if via == "step" or options.door in NAMES:
            by_step = StepWorker(steps, container.container, stopped, progress)
            return Workers(by_step, hub, aws, stopped, bundle(options.text("--mint-token") or "jovyan"))
        return Workers(ChosenWorker(way, stopped), hub, aws, stopped)

    def take_back() -> None:
        token.take_back(hub, lambda line: progress(f"{site.cluster_id}: {line}"))

    try:
        with making.held(take_back):
            own = {"hub_token": token.names, "step": by_aws.own}
            yield Doors(container, hub, *_asked(site, door, steps), work, live, hub, own, shells)
    except KeyboardInterrupt:
        making.stop(progress)
        raise
    finally:
        shells.close()
        own_lines.close()


def _asked(site: Site, door: EmrDoor, steps: StepDoor) -> tuple[EmrDoor | NotApplicable, StepDoor | None]:
    if site.address:
        return NotApplicable(f"{site.cluster_id} is a machine by its address, of which AWS is not asked"), None
    return door, steps


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
    if options.door in NAMES:
        raise DoorError(f"there is no hub token, and {NOT_MADE.format(door=options.door)}")
    if not user:
        raise DoorError(
            "there is no hub token: set HUBSPEC_HUB_TOKEN, or give --hub-token-file FILE, or --mint-token ADMIN"
        )
    return mint(container, user)
