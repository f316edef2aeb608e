"""Breaks of the hub: its users and groups, its process, its token. And of the cluster, as AWS tells of it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from functools import partial
from typing import Any

from lab import hub, inside, provision
from lab.breaks.model import UNREADABLE, Break, Scene
from lab.house import CONTROL
from lab.model import HUB, MASTER, LabError
from lab.provision import GROUP, STRAY

PID = "/run/jupyterhub.pid"
HOLD = "/run/hub.hold"
STOP_LIMIT = 30.0
APPLICATIONS = (
    {"name": "Hadoop", "version": "3.3.6"},
    {"name": "Spark", "version": "3.5.0"},
    {"name": "Livy", "version": "0.8.0"},
    {"name": "JupyterHub", "version": "1.5.0"},
)
TAGS = {"environment": "lab", "owner": "platform"}


def mend_hub_users(scene: Scene) -> None:
    """Bring the hub's users and groups to what is declared; the hub must answer."""
    provision.hub_users(scene.lab)


def mend_hub(scene: Scene) -> None:
    """Let the hub run, and its token open it."""
    inside.must(scene.client, HUB, f"rm -f {HOLD}; kill -CONT $(cat {PID}) 2>/dev/null || true")
    hub.wait(scene.lab)
    hub.ensure_token(scene.client, scene.lab)


def forget_diego(scene: Scene) -> None:
    """Delete diego in the hub, not in the OS."""
    hub.must(scene.lab, "DELETE", "/users/diego", fine=(hub.NOT_FOUND,))


def promote_diego(scene: Scene) -> None:
    """Make diego an admin of the hub."""
    hub.must(scene.lab, "PATCH", "/users/diego", {"admin": True})


def add_stray(scene: Scene) -> None:
    """Make a hub user whom nobody declared; the hub takes one with an account only, so it exists for a moment."""
    if any(user["name"] == STRAY for user in hub.must(scene.lab, "GET", "/users")):
        return
    inside.must(scene.client, HUB, f"id {STRAY} >/dev/null 2>&1 || useradd -M {STRAY}")
    try:
        hub.must(scene.lab, "POST", f"/users/{STRAY}", {})
    finally:
        inside.must(scene.client, HUB, f"userdel {STRAY}")


def leave_group(scene: Scene) -> None:
    """Take diego out of the hub's group."""
    hub.must(scene.lab, "DELETE", f"/groups/{GROUP}/users", {"users": ["diego"]})


def stop_hub(scene: Scene) -> None:
    """Stop the hub inside its running container, until the port refuses."""
    inside.must(scene.client, HUB, f"touch {HOLD}; kill -CONT $(cat {PID}); kill -TERM $(cat {PID}); true")
    deadline = time.monotonic() + STOP_LIMIT
    # The hub stops its proxy as it ends; a hub that still answers has not read the signal yet.
    while inside.run(scene.client, HUB, f"kill -0 $(cat {PID}) || pgrep -f configurable-http-proxy").code == 0:
        if time.monotonic() > deadline:
            raise LabError(f"the hub did not stop within {STOP_LIMIT:.0f} s")
        time.sleep(0.1)


def hang_hub(scene: Scene) -> None:
    """Freeze the hub's process: its proxy still takes calls, and nothing answers them."""
    inside.must(scene.client, HUB, f"kill -STOP $(cat {PID})")


def revoke(scene: Scene) -> None:
    """Delete the lab's token at the hub."""
    hub.revoke_token(scene.lab)


def control(request: dict[str, Any], scene: Scene) -> None:
    """Change the cluster behind the AWS API. Raises: LabError where the control way refuses."""
    inside.must(scene.client, MASTER, CONTROL, stdin=json.dumps(request))


def _hub_user(name: str, sentence: str, apply: Any, resource: str = "diego", field: str = "") -> Break:
    return Break(name, sentence, "hub_user", resource, apply, mend_hub_users, field)


def _fault(name: str, sentence: str, apply: Any) -> Break:
    return Break(name, sentence, "hub_user", "", apply, mend_hub, exit_code=UNREADABLE)


def _cluster(name: str, sentence: str, field: str, value: object) -> Break:
    what = field.split(".", maxsplit=1)[0]
    restore = partial(control, {"restore": [what]})
    return Break(name, sentence, "cluster", "cluster", partial(control, {"change": {what: value}}), restore, field)


def _cluster_stray(name: str, sentence: str, what: str, value: object) -> Break:
    return replace(_cluster(name, sentence, what, value), resource="*", field="")


TABLE = (
    _hub_user("hub-diego-missing", "diego is deleted in the hub", forget_diego),
    _hub_user("hub-admin-added", "diego is an admin of the hub", promote_diego, field="admin"),
    _hub_user("hub-user-stray", "the hub knows a user mallory whom nobody declared", add_stray, resource="*"),
    _hub_user("hub-group-left", "diego is no longer in the hub's group analysts", leave_group, field="groups"),
    _fault("hub-down", "the hub does not run in its running container", stop_hub),
    _fault("hub-hanging", "the hub's process hangs", hang_hub),
    _fault("token-revoked", "the token at hand does not open the hub any more", revoke),
    _cluster("cluster-terminated", "the cluster is terminated", "state", "TERMINATED"),
    _cluster("cluster-release", "the cluster runs another release", "release_label", "emr-6.15.0"),
    _cluster(
        "cluster-application-missing",
        "Livy is not installed on the cluster",
        "applications.Livy",
        [app for app in APPLICATIONS if app["name"] != "Livy"],
    ),
    _cluster("cluster-log-uri", "the cluster's logs go elsewhere", "log_uri", "s3://somewhere-else/"),
    _cluster("cluster-tag-missing", "the tag owner is missing", "tags.owner", {"environment": "lab"}),
    _cluster_stray("cluster-tag-stray", "a tag nobody declared", "tags", {**TAGS, "left-over": "yes"}),
    _cluster_stray(
        "cluster-application-stray",
        "an application nobody declared",
        "applications",
        [*APPLICATIONS, {"name": "Hue", "version": "4.11.0"}],
    ),
)
