"""Breaks of the hub's container itself: stopped, made otherwise, made anew, joined by another."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from lab import containers, hub, inside, provision
from lab.breaks.model import UNREADABLE, Break, RefusedError, Scene, Step
from lab.containers import BINDS, IMAGE_LABEL, VARIANT_LABEL
from lab.model import HUB, LABEL_KEY, MASTER, NETWORK, LabError

STRAY = "hubspec-stray"
FORWARD = "/run/hub-forward.pid"
POLICY: Any = {"Name": "on-failure", "MaximumRetryCount": 5}


def remake(scene: Scene, variant: str, *, furnish: bool = True, **other: Any) -> None:
    """Make the hub container anew, otherwise where `other` says so; with its users and packages if `furnish`."""
    built = _built(scene)
    containers.remove(scene.client, HUB)
    containers.create_hub(scene.client, built, scene.lab.version, variant, **other).start()
    if "network" in other:
        _forward(scene)
    hub.wait(scene.lab)
    if furnish:
        provision.everything(scene.client, scene.lab)


def made_otherwise(variant: str, scene: Scene, **other: Any) -> None:
    """Make the hub container as `variant`, where it is not so yet. Raises: RefusedError where the engine cannot."""
    from docker.errors import APIError

    box = containers.found(scene.client, HUB)
    if box is not None and box.labels.get(VARIANT_LABEL) == variant and box.status == "running":
        return
    try:
        remake(scene, variant, **other)
    except APIError as error:
        whole(scene)
        raise RefusedError(
            f"this engine does not run a container that is {variant}; the lab is whole again",
            last=str(error.explanation),
            then="run this break on an engine that may",
        ) from error


def whole(scene: Scene) -> None:
    """Bring the container to what is declared: the mend of every break in this file."""
    _stop_forward(scene)
    containers.remove(scene.client, STRAY)
    box = containers.found(scene.client, HUB)
    if box is None or box.labels.get(VARIANT_LABEL):
        remake(scene, "")
        _drop_other_image(scene)
        return
    containers.wake(box)
    scene.client.api.update_container(HUB, restart_policy=POLICY)
    inside.must(scene.client, HUB, "ln -sfn ../usr/lib/os-release /etc/os-release")
    hub.wait(scene.lab)
    if not provision.done(scene.client):
        provision.everything(scene.client, scene.lab)


def stop(scene: Scene) -> None:
    """Stop the container."""
    box = _box(scene)
    if box.status == "paused":
        box.unpause()
    box.stop(timeout=10)


def pause(scene: Scene) -> None:
    """Freeze the container's processes."""
    box = _box(scene)
    if box.status != "paused":
        box.pause()


def anew(scene: Scene) -> None:
    """Make the container anew from its image and leave it so, as an administrator's `docker rm` and `run` would."""
    box = containers.found(scene.client, HUB)
    if box is None or provision.done(scene.client):
        remake(scene, "", furnish=False)


def stray(scene: Scene) -> None:
    """Run a second container that nobody declared."""
    if containers.found(scene.client, STRAY) is None:
        scene.client.containers.run(
            scene.lab.image,
            ["sleep", "infinity"],
            name=STRAY,
            labels={LABEL_KEY: "1"},
            network_mode="none",
            detach=True,
        )


def other_image(scene: Scene) -> None:
    """Make the container from an image with another tag and another id."""
    import io

    dockerfile = io.BytesIO(f"FROM {scene.lab.image}\nLABEL hubspec.lab.other=1\n".encode())
    scene.client.images.build(fileobj=dockerfile, tag=_other(scene), rm=True)
    made_otherwise("image-other", scene, image=_other(scene))


def published(scene: Scene) -> None:
    """Publish a port of the container; it then cannot share the master's network, so the master forwards to it."""
    ports = {"9443/tcp": ("127.0.0.1", containers.free_port(19443))}
    made_otherwise("port-published", scene, network_mode=None, network=NETWORK, ports=ports)


def _policy(scene: Scene) -> None:
    none: Any = {"Name": "no", "MaximumRetryCount": 0}
    scene.client.api.update_container(HUB, restart_policy=none)


def _os(scene: Scene) -> None:
    release = 'ID=alpine\nVERSION_ID=3.20\nPRETTY_NAME="Alpine Linux v3.20"\n'
    inside.must(scene.client, HUB, "rm -f /etc/os-release; cat > /etc/os-release", stdin=release)


def _gone(scene: Scene) -> None:
    containers.remove(scene.client, HUB)


def _socket(scene: Scene) -> None:
    volumes = [*(f"{name}:{path}" for name, path in BINDS.items()), "/var/run/docker.sock:/var/run/docker.sock"]
    made_otherwise("docker-socket-mounted", scene, volumes=volumes)


def _box(scene: Scene) -> Any:
    box = containers.found(scene.client, HUB)
    if box is None:
        raise LabError("there is no container jupyterhub to break", then="python -m lab mend container-missing")
    return box


def _built(scene: Scene) -> str:
    tags = [tag for tag in scene.client.images.get(scene.lab.image).tags if tag != scene.lab.image]
    box = containers.found(scene.client, HUB)
    return box.labels.get(IMAGE_LABEL, tags[0]) if box is not None else tags[0]


def _other(scene: Scene) -> str:
    return f"{scene.lab.image}-other"


def _drop_other_image(scene: Scene) -> None:
    from docker.errors import APIError

    with suppress(APIError):
        scene.client.images.remove(_other(scene))


def _forward(scene: Scene) -> None:
    inside.must(
        scene.client,
        MASTER,
        "setsid socat TCP-LISTEN:9443,fork,reuseaddr TCP:jupyterhub:9443 </dev/null >/dev/null 2>&1 &"
        f" echo $! > {FORWARD}",
    )


def _stop_forward(scene: Scene) -> None:
    # setsid makes the forwarder a group's leader, so its children of open connections end with it.
    inside.must(
        scene.client, MASTER, f"if [ -s {FORWARD} ]; then kill -- -$(cat {FORWARD}) 2>/dev/null; rm -f {FORWARD}; fi"
    )


def _break(name: str, sentence: str, apply: Step, *, field: str = "", exit_code: int = 1) -> Break:
    return Break(name, sentence, "container", HUB, apply, whole, field, exit_code)


TABLE = (
    _break("restart-policy", "the container would not come back after a failure", _policy, field="restart_policy"),
    _break("image-other", "the container is made from another image", other_image, field="image"),
    _break(
        "privileged",
        "the container is privileged",
        partial(made_otherwise, "privileged", privileged=True),
        field="privileged",
    ),
    _break("docker-socket-mounted", "the engine's socket is mounted into the container", _socket, field="mounts"),
    _break("port-published", "the container publishes a port of its own", published, field="ports"),
    _break("os-changed", "the container's /etc/os-release names another system", _os, field="os"),
    Break("container-stray", "a second container runs that nobody declared", "container", "*", stray, whole),
    _break("container-missing", "the container is removed", _gone),
    _break("container-stopped", "the container is stopped", stop, exit_code=UNREADABLE),
    _break("container-paused", "the container is paused", pause, exit_code=UNREADABLE),
    Break(
        "recreated", "the container was made anew: users and packages since then are lost", "user", "diego", anew, whole
    ),
)
