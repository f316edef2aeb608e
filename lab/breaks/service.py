"""Breaks of the hub: its users and groups, its process, its token."""

from __future__ import annotations

import time
from typing import Any

from lab import hub, inside, provision
from lab.breaks import access
from lab.breaks.model import UNREADABLE, Break, Scene
from lab.model import HUB, LabError
from lab.provision import GROUP, STRAY

PID = "/run/jupyterhub.pid"
HOLD = "/run/hub.hold"
STOP_LIMIT = 30.0


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
    """Revoke the token at hand; another of its name, which nobody has, is there instead."""
    if not hub.token_works(scene.lab):
        return
    old = access.own(scene)
    fresh = access.make(scene, hub.ADMIN, hub.NOTE, hub.LIFE)
    for token in old:
        hub.drop(scene.lab, token, by=fresh)


def _hub_user(name: str, sentence: str, apply: Any, resource: str = "diego", field: str = "") -> Break:
    return Break(name, sentence, "hub_user", resource, apply, mend_hub_users, field)


def _fault(name: str, sentence: str, apply: Any, since: str = "") -> Break:
    return Break(name, sentence, "hub_user", "", apply, mend_hub, exit_code=UNREADABLE, since=since)


TABLE = (
    _hub_user("hub-diego-missing", "diego is deleted in the hub", forget_diego),
    _hub_user("hub-admin-added", "diego is an admin of the hub", promote_diego, field="admin"),
    _hub_user("hub-user-stray", "the hub knows a user mallory whom nobody declared", add_stray, resource="*"),
    _hub_user("hub-group-left", "diego is no longer in the hub's group analysts", leave_group, field="groups"),
    _fault("hub-down", "the hub does not run in its running container", stop_hub),
    _fault("hub-hanging", "the hub's process hangs", hang_hub),
    _fault("token-revoked", "the token at hand does not open the hub any more", revoke, hub.TOKENS_SINCE),
)
