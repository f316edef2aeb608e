"""From the options of a run to the choice of a door into the container."""

from __future__ import annotations

from hubspec.cluster.by_aws import NAMES, ByAws
from hubspec.cluster.choice import Choice, engine_over_ssh
from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.options import DoorOptions
from hubspec.cluster.site import Site, host
from hubspec.cluster.ssh import Lines, Target
from hubspec.cluster.ssh_door import SshDoor
from hubspec.cluster.ssh_script import Rights
from hubspec.cluster.token import NOT_MADE


def choice(site: Site, options: DoorOptions, by_aws: ByAws, lines: Lines) -> Choice:
    """Return what chooses the door into the container of a site. Refuses options that do not go together."""

    def setting(option: str) -> str | None:
        return options.given(option) or site.known.get(option) or options.text(option)

    def file(option: str) -> str | None:
        value = setting(option)
        return str(options.as_path(value)) if value else None

    name, label = setting("--container") or "jupyterhub", setting("--container-label")
    address = site.address
    if address and options.text("--via") == "step":
        options.refuse("--via step: AWS knows nothing of a machine that is named by its address; leave it out")
    if address and options.door in NAMES:
        options.refuse(
            f"--door {options.door}: AWS knows nothing of a machine that is named by its address; leave it out"
        )
    if options.door in NAMES and options.given("--mint-token"):
        options.refuse(f"--mint-token: {NOT_MADE.format(door=options.door)}")
    # Whoever says --door ssh means the master node, whatever engine is in the environment.
    over = address or (engine_over_ssh() if options.door in {"auto", "docker"} else None)
    user = (over and over["user"]) or setting("--ssh-user") or "hadoop"
    key, config = file("--ssh-key"), file("--ssh-config")
    password = options.sudo_password
    if options.on("--ask-sudo-password") and options.door in {"auto", "ssh"}:
        password = lines.password(f"password of {user} for sudo on the master node of {site.cluster_id}: ")

    def ssh() -> SshDoor:
        port = over["port"] if over else None
        target = Target(
            over["host"] if over else host(site, by_aws.aws), user, port, key, config, Rights(options.sudo, password)
        )
        return SshDoor(lines.line(target, options.deadline), name, label=label, deadline=options.deadline)

    docker = DockerDoor(name, label=label, deadline=options.deadline)
    here = site.known.get("--door") == "docker"
    wanted = "ssh" if address else options.door
    # No password goes that way: neither has a place where it would not be kept.
    sealed = by_aws.doors(name, rights=Rights(options.sudo), label=label, deadline=options.deadline)
    return Choice(
        wanted, docker, ssh, lambda: host(site, by_aws.aws), cluster=site.cluster_id, say=by_aws.say, here=here,
        by_aws={} if address else sealed,
    )  # fmt: skip
