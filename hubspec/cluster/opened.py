"""The doors of one cluster, opened for one reading; what was made for it is taken back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from pydantic import SecretStr

from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.aws_worker import AwsWorker
from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.docker_worker import DockerWorker
from hubspec.cluster.hub import HubDoor, Trust
from hubspec.cluster.hub_inside import running
from hubspec.cluster.hub_shell import bundle
from hubspec.cluster.live import Live
from hubspec.cluster.options import DoorOptions
from hubspec.cluster.step_worker import StepWorker
from hubspec.cluster.steps import StepDoor
from hubspec.cluster.token import Minted, from_file, mint, revoke
from hubspec.door import Doors, Workers
from hubspec.errors import DoorError


@dataclass(frozen=True)
class Site:
    """A cluster by its id, and what is known of it: values of options, and AWS variables.

    Both count before the environment, and the command line before both.
    """

    cluster_id: str
    known: Mapping[str, str] = field(default_factory=dict)
    aws: Mapping[str, str] | None = None


@contextlib.contextmanager
def opened(
    site: Site,
    options: DoorOptions,
    progress: Callable[[str], None],
    *,
    scratch: str | None = None,
    via: str = "docker",
) -> Iterator[Doors]:
    """Yield the doors of a cluster; nothing is asked of them yet. `scratch` is where a script may be put in S3.

    `via` is how work is done in the container: docker, or step.
    """

    def setting(option: str) -> str | None:
        return options.given(option) or site.known.get(option) or options.text(option)

    container = DockerDoor(
        setting("--container") or "jupyterhub", label=setting("--container-label"), deadline=options.deadline
    )
    door = EmrDoor(
        site.cluster_id, settings=site.aws, deadline=options.deadline, step_limit=options.step_limit, progress=progress
    )
    minted: list[Minted] = []
    own: set[str] = set()

    def url() -> str:
        return setting("--hub-url") or f"https://{door.describe()['MasterPublicDnsName']}:9443"

    def token() -> SecretStr:
        if minted:
            return minted[0].token
        if options.given("--mint-token") or not (ready := _known_token(site.known, options)):
            minted.append(_made(options, container))
            own.add(minted[0].name)
            return minted[0].token
        return ready

    trust = Trust(setting("--hub-fingerprint"), setting("--hub-ca"), options.insecure)
    hub = HubDoor(url, token, trust, options.deadline, progress=progress, why=lambda: running(container))
    live = partial(_live, url, token, trust, options.deadline)
    try:
        steps = StepDoor(door, scratch)

        def work(stopped: Callable[[], bool]) -> Workers:
            aws = AwsWorker(door, steps, stopped)
            if via == "step":
                by_step = StepWorker(steps, container.container, stopped, progress)
                return Workers(by_step, hub, aws, stopped, bundle(options.text("--mint-token") or "jovyan"))
            return Workers(DockerWorker(container, stopped), hub, aws, stopped)

        yield Doors(container, hub, door, steps, work, live, hub, {"hub_token": own})
    finally:
        for one in minted:
            try:
                revoke(hub, one)
            except DoorError as error:
                progress(f"{site.cluster_id}: the hub token made for this audit is still there: {error}")


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


def _made(options: DoorOptions, container: DockerDoor) -> Minted:
    user = options.text("--mint-token")
    if not user:
        raise DoorError(
            "there is no hub token: set HUBSPEC_HUB_TOKEN, or give --hub-token-file FILE, or --mint-token ADMIN"
        )
    return mint(container, user)
