"""Bringing the lab up, looking at it, taking it down."""

from __future__ import annotations

import hashlib
import ssl
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from lab import base, containers, engine, hub, images, inside, provision, state
from lab.containers import BASE_LABEL, CLUSTER_LABEL, IMAGE_LABEL
from lab.model import HUB, LABEL, MASTER, REGION, Lab, LabError
from lab.turn import turn
from lab.versions import DEFAULT, Version, known

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

    from lab.engine import Progress

MASTER_LIMIT = 120.0
# The breaks that `up` takes back by doing what it is for: making everything run.
WOKEN = {"container-stopped", "container-paused", "container-missing", "hub-down", "hub-hanging", "token-revoked"}
CONTROL = "/opt/aws/bin/python /opt/aws/lab/aws_control.py"


def status() -> Lab | None:
    """Answer the lab that is up, or None. It is up as long as its master node exists, whatever broke since.

    Nothing is started or repaired. Raises: LabError where the master's name belongs to a container of others.
    """
    client = engine.connect()
    if client is None:
        return None
    with closing(client), engine.told():
        return look(client)


def look(client: DockerClient) -> Lab | None:
    """Answer what `status` answers, on a client of the engine that is open already."""
    master = containers.found(client, MASTER)
    if master is None or not master.id or state.begun(client):
        return None
    return state.load(client, master.id)


def awake(progress: Progress) -> Lab:
    """Answer what `status` answers where the master node runs, which no break ends; else what `up` answers. Raises: LabError."""
    client = engine.connect()
    if client is not None:
        with closing(client), engine.told():
            master = containers.found(client, MASTER)
            found = look(client) if master is not None and master.status == "running" else None
        if found:
            return found
    return up(progress)


def up(progress: Progress, *, hub: str | None = None) -> Lab:
    """Bring the lab up, from nothing or from whatever is there; answer it. One whose making was cut short is made anew.

    Users, packages and files that a person changed since are left as they are; see `mend`. A lab of another version
    than `hub` is replaced, once the images of the new one are there.
    Raises: LabError with the scene: the containers' states and last lines.
    """
    asked = known(hub) if hub is not None else None
    with closing(engine.ensure_engine(progress)) as client, turn(progress), engine.told():
        there = [box for name in (MASTER, HUB) if (box := containers.found(client, name)) is not None]
        present = containers.version(there[0]) if there else None
        wanted = asked or known(present or DEFAULT)
        warm = _warm(client, wanted)
        if warm is not None:
            return warm
        tag, words = base.ensure_base(client, progress)
        tags = images.ensure_images(client, tag, wanted.hub, progress)
        if there and not _whole(client, progress):
            state.forget()
        elif present not in {None, wanted.hub}:
            progress(f"replacing the lab of hub {present} by one of hub {wanted.hub}, with homes, settings and cluster")
            _remove(client, progress, with_images=False)
            state.forget()
        try:
            with engine.told():
                return _raise(client, tags, words, wanted, progress)
        except LabError as error:
            raise LabError(str(error), last=containers.scene(client), then="python -m lab down, then up") from error


def down(progress: Progress, *, with_images: bool = False) -> None:
    """Remove every container, volume and network of the lab, its state folder, and on request its images."""
    client = engine.connect()
    if client is not None:
        with closing(client), turn(progress), engine.told():
            _remove(client, progress, with_images=with_images)
    state.forget()


def _remove(client: DockerClient, progress: Progress, *, with_images: bool) -> None:
    for container in client.containers.list(all=True, filters={"label": LABEL}):
        progress(f"removing container {container.name}")
        container.remove(force=True, v=True)
    for volume in client.volumes.list(filters={"label": LABEL}):
        volume.remove(force=True)
    for network in client.networks.list(filters={"label": LABEL}):
        network.remove()
    if with_images:
        progress("removing the lab's images")
        # The stable tag and the base have no label of their own, so names are looked at too.
        for image in client.images.list():
            for tag in image.tags:
                if tag.startswith("hubspec-lab/"):
                    client.images.remove(tag, force=True)


def _whole(client: DockerClient, progress: Progress) -> bool:
    """Remove what was half made when its making was cut short, or else answer True.

    That is all of a lab that never came to its end, and the hub container of one that did: its homes, settings and cluster stay.
    """
    master = containers.found(client, MASTER)
    if master is None or not master.id:
        return True
    if state.load(client, master.id) is None:
        progress("the making of this lab was cut short: it is made anew")
        _remove(client, progress, with_images=False)
        return False
    if state.begun(client):
        progress("the making of this lab's hub container was cut short: it is made anew")
        containers.remove(client, HUB)
    return True


def _warm(client: DockerClient, wanted: Version) -> Lab | None:
    master, box = containers.found(client, MASTER), containers.found(client, HUB)
    if master is None or box is None or not master.id or {master.status, box.status} != {"running"}:
        return None
    if state.begun(client):
        return None
    for name, container in (("master", master), ("hub", box)):
        if images.context_hash(name, wanted.hub) not in container.labels.get(IMAGE_LABEL, ""):
            return None
        if containers.version(container) != wanted.hub:
            return None
    lab = state.load(client, master.id)
    return lab if lab is not None and hub.token_works(lab) else None


def _raise(client: DockerClient, tags: dict[str, str], words: str, wanted: Version, progress: Progress) -> Lab:
    containers.make_ground(client)
    master = containers.found(client, MASTER)
    if master is None or master.labels.get(IMAGE_LABEL) != tags["master"]:
        progress("making the master node emr-master")
        containers.remove(client, HUB)
        containers.remove(client, MASTER)
        master = containers.create_master(client, tags["master"], words, wanted)
    fresh_net = containers.wake(master)
    _wait_master(client, master)
    box = containers.found(client, HUB)
    if box is not None and box.labels.get(IMAGE_LABEL) != tags["hub"]:
        box.remove(force=True, v=True)
        box = None
    if box is None:
        progress("making the hub container jupyterhub")
        state.begin(client)
        box = containers.create_hub(client, tags["hub"], wanted.hub)
    asleep = box.status not in ("running", "paused")
    containers.wake(box)
    if fresh_net and not asleep:
        # The namespace it shared went with the master's last run.
        box.restart(timeout=10)
    lab = _facts(client, master)
    if not hub.answers(lab):
        progress("waiting for the hub")
        inside.run(client, HUB, "rm -f /run/hub.hold; kill -CONT $(cat /run/jupyterhub.pid)")
        hub.wait(lab)
    if not provision.done(client):
        progress("making users and installing packages in the hub container")
        state.begin(client)
        provision.everything(client, lab)
        state.note_broken([])
    hub.ensure_token(client, lab)
    state.save(client, lab)
    # The AWS API begins anew with the master node.
    lost = ("cluster-", "step-", "steps-") if fresh_net else ()
    state.note_broken([name for name in state.broken() if name not in WOKEN and not name.startswith(lost)])
    state.end(client)
    return lab


def _wait_master(client: DockerClient, master: Container) -> None:
    deadline = time.monotonic() + MASTER_LIMIT
    # A question, not a look for the socket: the file of an earlier run may still be there.
    ready = f"test -s {state.KEPT}/id.pub && {CONTROL}"
    while inside.run(client, MASTER, ready, stdin="{}").code:
        if time.monotonic() > deadline:
            raise LabError(f"the AWS API of {master.name} is not up after {MASTER_LIMIT:.0f} s")
        time.sleep(0.2)


def _facts(client: DockerClient, master: Container) -> Lab:
    deadline = time.monotonic() + MASTER_LIMIT
    certificate = ""
    while "END CERTIFICATE" not in certificate:
        if time.monotonic() > deadline:
            raise LabError("the hub container made no certificate", wanted="/etc/jupyter/conf/server.crt")
        with suppress(LabError):
            certificate = inside.run(client, MASTER, "cat /etc/jupyter/conf/server.crt").out
        time.sleep(0.05)
    ports = containers.host_ports(master)
    host_key = inside.must(client, MASTER, "cat /etc/ssh/ssh_host_ed25519_key.pub").split()
    known = f"[127.0.0.1]:{ports[22]},[localhost]:{ports[22]} {host_key[0]} {host_key[1]}\n"
    for name, body in inside.read_folder(client, MASTER, state.KEPT).items():
        state.write(name, body)
    state.keep(client, "known_hosts", known.encode())
    state.keep(client, "server.crt", certificate.encode())
    return Lab(
        container=HUB,
        master=MASTER,
        cluster_id=master.labels[CLUSTER_LABEL],
        region=REGION,
        hub_url=f"https://localhost:{ports[9443]}",
        hub_fingerprint=hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest(),
        aws_port=ports[5000],
        ssh_port=ports[22],
        base=master.labels[BASE_LABEL],
        version=containers.version(master),
        master_id=str(master.id),
        state=state.FOLDER,
    )
