"""The two containers and what they stand on: made to one specification, recognised by labels, never taken from others."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import string
from typing import TYPE_CHECKING, Any

from lab.engine import socket_path
from lab.model import HUB, LABEL, LABEL_KEY, MASTER, NETWORK, REGION, LabError, hub_image
from lab.versions import DEFAULT, Version

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

BINDS = {"hubspec-lab-etc": "/etc/jupyter", "hubspec-lab-home": "/home", "hubspec-lab-log": "/var/log/jupyter"}
MASTER_BINDS = {**BINDS, "hubspec-lab-home": "/var/lib/jupyter/home", "hubspec-lab-state": "/var/lib/hubspec-lab"}
# Port in the master's namespace, and the port on the host that is tried first.
PORTS = {9443: 9443, 5000: 5000, 22: 2222}
IMAGE_LABEL, VARIANT_LABEL, CLUSTER_LABEL = f"{LABEL_KEY}.image", f"{LABEL_KEY}.variant", f"{LABEL_KEY}.cluster"
BASE_LABEL, VERSION_LABEL = f"{LABEL_KEY}.base", f"{LABEL_KEY}.version"


def found(client: DockerClient, name: str) -> Container | None:
    """Answer the lab's container of that name, or None.

    Raises: LabError where a container has the name and not the lab's label; it is left as it is.
    """
    from docker.errors import NotFound

    try:
        container = client.containers.get(name)
    except NotFound:
        return None
    if container.labels.get(LABEL_KEY) != "1":
        raise LabError(
            f"a container named {name} is there, and it is not the lab's",
            wanted=f"no such container, or one labelled {LABEL}",
            found=f"{container.short_id}, image {container.attrs['Config']['Image']}, {container.status}",
            then="the lab touches nothing of others: rename or remove it yourself, then repeat",
        )
    return container


def make_ground(client: DockerClient) -> None:
    """Make the network and the volumes where they are missing."""
    if not client.networks.list(names=[f"^{NETWORK}$"]):
        client.networks.create(NETWORK, driver="bridge", labels={LABEL_KEY: "1"})
    for name in MASTER_BINDS:
        client.volumes.create(name, labels={LABEL_KEY: "1"})


def version(container: Container) -> str:
    """Answer the hub version that one of the lab's containers was made for."""
    return str(container.labels.get(VERSION_LABEL, DEFAULT))


def create_master(client: DockerClient, image: str, base: str, hub: Version) -> Container:
    """Make the master node (not started): its ports on loopback, its cluster's identifier and release chosen."""
    cluster = "j-" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(13))
    return client.containers.create(
        image,
        name=MASTER,
        hostname=MASTER,
        network=NETWORK,
        labels={
            LABEL_KEY: "1",
            IMAGE_LABEL: image,
            CLUSTER_LABEL: cluster,
            BASE_LABEL: base,
            VERSION_LABEL: hub.hub,
        },
        ports={f"{port}/tcp": ("127.0.0.1", free_port(first)) for port, first in PORTS.items()},
        volumes=[*_volumes(MASTER_BINDS), f"{socket_path()}:/var/run/docker.sock"],
        environment=master_environment(cluster, hub),
    )


def master_environment(cluster: str, hub: Version) -> dict[str, str]:
    """Answer the variables from which a master node learns which cluster it is of."""
    return {
        "LAB_CLUSTER_ID": cluster,
        "LAB_RELEASE": hub.release,
        "LAB_APPLICATIONS": json.dumps(hub.applications),
        "LAB_LOG_DELAY": os.environ.get("HUBSPEC_LAB_LOG_DELAY", "1"),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:5000",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
    }


def create_hub(client: DockerClient, built: str, hub: str, variant: str = "", **other: Any) -> Container:
    """Make the hub container (not started) as EMR runs it, in the master's network namespace.

    `built` is the tag built, and `hub` its version, kept as labels; `variant` and `other` are for a break that makes
    it otherwise.
    Source of fact: the EMR Release Guide ('JupyterHub') and `docker inspect` on EMR. Not privileged, unlike EMR: nothing in the lab needs it.
    """
    options: dict[str, Any] = {
        "image": hub_image(hub),
        "name": HUB,
        "labels": {LABEL_KEY: "1", IMAGE_LABEL: built, VERSION_LABEL: hub, VARIANT_LABEL: variant},
        "network_mode": f"container:{MASTER}",
        "restart_policy": {"Name": "on-failure", "MaximumRetryCount": 5},
        "volumes": _volumes(BINDS),
        "environment": {"GRANT_SUDO": "yes"},
        "user": "root",
        "tty": True,
    }
    wanted = options | other
    return client.containers.create(**{name: value for name, value in wanted.items() if value is not None})


def remove(client: DockerClient, name: str) -> None:
    """Remove the lab's container of that name, where there is one."""
    container = found(client, name)
    if container is not None:
        container.remove(force=True, v=True)


def wake(container: Container) -> bool:
    """Bring a container to run: started or unpaused. Answers whether that was needed."""
    container.reload()
    if container.status == "running":
        return False
    if container.status == "paused":
        container.unpause()
    else:
        container.start()
    return True


def host_ports(container: Container) -> dict[int, int]:
    """Answer the ports of the host by the container's own; they stay the same while it exists."""
    bound = container.attrs["HostConfig"]["PortBindings"] or {}
    return {int(port.split("/")[0]): int(where[0]["HostPort"]) for port, where in bound.items()}


def free_port(first: int) -> int:
    """Answer `first` where nothing listens there on loopback, else a port that is free now."""
    for port in (first, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise LabError("no port is free on 127.0.0.1")


def scene(client: DockerClient) -> str:
    """Answer the state and last log lines of the lab's containers, for a failure's message."""
    lines = []
    for container in client.containers.list(all=True, filters={"label": LABEL}):
        state = container.attrs["State"]
        lines.append(f"{container.name}: {state['Status']}, exit code {state['ExitCode']} {state.get('Error', '')}")
        lines += [f"    {line}" for line in container.logs(tail=15).decode(errors="replace").splitlines()]
    return "\n".join(lines) or "no container of the lab exists"


def _volumes(binds: dict[str, str]) -> list[str]:
    return [f"{name}:{path}" for name, path in binds.items()]
