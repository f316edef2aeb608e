"""The hub's own Docker container, as the engine describes it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field

from hubspec.kind import Kind, Observations, Undeclared
from hubspec.model import Absent, Action, Drift, Present, Resource, Text


class Container(Resource):
    """A container by its name, from `docker inspect` (Docker Engine API 1.41) and its /etc/os-release."""

    image: Text | None = Field(None, description="Image as it was named at `docker run`.")
    image_id: Text | None = Field(None, description="Image id (sha256:...); EMR's image has no registry digest.")
    running: Literal[True] | None = Field(
        None,
        description="It runs. A container that does not run cannot be looked into, which is an error and no drift; --remediate starts it.",
    )
    restart_policy: Text | None = Field(None, description="Name, and for on-failure its number: on-failure:5.")
    os: Text | None = Field(None, description="ID-VERSION_ID of its /etc/os-release: ubuntu-22.04.")
    privileged: bool | None = Field(None, description="It was started with --privileged.")
    mounts: dict[str, Text | None] | None = Field(
        None, description="Path in the container -> host path or volume; all of them."
    )
    ports: dict[str, Text | None] | None = Field(
        None, description="Published container port -> host port: '9443/tcp': '9443'; all of them, {} for none."
    )


_NOT_INSPECTED = {
    field: "only the hub's own container is inspected; audit this one with --container"
    for field in Container.fields_compared()
    if field != "image"
}


def probe(_declared: Iterable[Resource], _policy: Undeclared) -> str:
    """Return the script that reads the container's /etc/os-release."""
    return "cat /etc/os-release"


def parse(answer: dict[str, Any]) -> Observations:
    """Return the containers by name.

    `answer` holds `inspect` (the engine's description, None where there is no such container), `others` (name ->
    image of the containers beside it) and `text` (the probe's output).
    """
    others: Observations = {
        name: Present(Container.model_construct({"name", "image"}, name=name, image=image), dict(_NOT_INSPECTED))
        for name, image in answer["others"].items()
    }
    about = answer["inspect"]
    if about is None:
        return others
    host = about["HostConfig"]
    policy = host.get("RestartPolicy") or {}
    retries = policy.get("MaximumRetryCount")
    fields: dict[str, Any] = {
        "image": about["Config"]["Image"],
        "image_id": about["Image"],
        "running": about["State"]["Running"],
        "restart_policy": (policy.get("Name") or "no") + (f":{retries}" if retries else ""),
        "os": _os(answer["text"]),
        "privileged": host["Privileged"],
        "mounts": {mount["Destination"]: mount.get("Name") or mount["Source"] for mount in about["Mounts"]},
        "ports": _ports(host.get("PortBindings") or {}),
    }
    unread = {} if fields["os"] else {"os": "its /etc/os-release names no ID"}
    name = about["Name"].lstrip("/")
    return others | {name: Present(Container.model_construct({"name", *fields}, name=name, **fields), unread or None)}


def _os(text: str) -> str | None:
    pairs = dict(line.split("=", 1) for line in text.split("\n") if "=" in line)
    try:
        names = [words[0] for key in ("ID", "VERSION_ID") if (words := shlex.split(pairs.get(key, "")))]
    except ValueError:  # a quote that is not closed
        return None
    return "-".join(names) or None


def _ports(bindings: dict[str, list[dict[str, str]] | None]) -> dict[str, str]:
    return {
        port: ",".join(sorted({bound["HostPort"] or "any" for bound in hosts or []})) or "any"
        for port, hosts in bindings.items()
    }


_LAUNCH_ONLY = {"image", "image_id", "os", "privileged", "mounts", "ports"}


def fix(drift: Drift) -> list[Action]:
    """Return what starts it and changes its restart policy; whatever is settled at `docker run` is for a person."""
    name = shlex.quote(drift.name)
    if drift.expected.ensure == "absent":
        return forget(drift.name)
    if isinstance(drift.observed, Absent):
        return [
            _do(
                "start the hub's container as EMR does, or replace the cluster",
                f"docker run --name {name} ...",
                "manual",
            )
        ]
    actions = []
    for difference in drift.differences:
        if difference.field == "restart_policy" and isinstance(difference.wanted, str):
            command = f"docker update --restart {shlex.quote(difference.wanted)} {name}"
            actions.append(_do("set the restart policy", command, "safe"))
        elif difference.field == "restart_policy":
            sentence = f"choose a restart policy: wanted is {difference.wanted}"
            actions.append(_do(sentence, f"docker update --restart VALUE {name}", "manual"))
        elif difference.field == "running":
            actions.append(_do(f"start the container {drift.name}", f"docker start {name}", "safe"))
    launch = sorted({difference.field.partition(".")[0] for difference in drift.differences} & _LAUNCH_ONLY)
    if launch:
        sentence = f"{', '.join(launch)}: settled when the container is made; find out who made it anew, then replace the cluster"
        actions.append(_do(sentence, f"docker inspect {name}", "manual"))
    return actions


def forget(name: str) -> list[Action]:
    """Return what a person should do about a container that nobody declared."""
    return [_do(f"find out who started {name}, then stop it", f"docker stop {shlex.quote(name)}", "manual")]


def _do(sentence: str, command: str, safety: Any) -> Action:
    return Action(sentence=sentence, door="engine", request=command, safety=safety)


KIND = Kind(
    name="container",
    section="containers",
    resource=Container,
    door="engine",
    reads="docker inspect, and /etc/os-release in the container",
    probe=probe,
    parse=parse,
    fix=fix,
    forget=forget,
    smoke=("restart",),
)
