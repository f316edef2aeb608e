"""Breaks of what the hub is used for: its groups, its services, its users' servers."""

from __future__ import annotations

import time
from typing import Any

from lab import containers, hub, inside, provision
from lab.breaks import access, face, service
from lab.breaks.model import Break, Scene, Step
from lab.model import HUB, LabError
from lab.versions import at_least

SPAWN_LIMIT = 120.0
GROUP = "visitors"
# What the hub starts need not be more than a process; one that takes the SIGINT by which the hub ends it, and which the hub itself ignores.
CULLER = 'c.JupyterHub.services = [{"name": "cull-idle", "admin": True, "command": ["env", "--default-signal=INT", "sleep", "infinity"]}]\n'
STRAY = (
    'c.JupyterHub.services = [{"name": "reporter", "command": ["env", "--default-signal=INT", "sleep", "infinity"]}]\n'
)
DAYS = 2
# The hub takes no time that is before what it knows, so its database is changed while it does not run. What notes the
# use of a server next, five minutes later, brings the true time back.
_AGE = """
import datetime, sqlite3, sys
then = (datetime.datetime.utcnow() - datetime.timedelta(days=int(sys.argv[1]))).isoformat(" ")
db = sqlite3.connect("/home/jovyan/jupyterhub.sqlite", timeout=10)
mine = "(SELECT id FROM users WHERE name = 'diego')"
for table, key, columns in (("users", "id", ["last_activity"]), ("spawners", "user_id", ["last_activity", "started"])):
    known = [row[1] for row in db.execute("PRAGMA table_info(" + table + ")")]
    for column in set(columns) & set(known):
        db.execute("UPDATE " + table + " SET " + column + " = ? WHERE " + key + " = " + mine, [then])
db.commit()
"""


def add_group(scene: Scene) -> None:
    """Make a group that nobody declared."""
    hub.must(scene.lab, "POST", f"/groups/{GROUP}", {}, fine=(409,))


def join_group(scene: Scene) -> None:
    """Put ana into a group that is not hers."""
    hub.must(scene.lab, "POST", f"/groups/{provision.GROUP}/users", {"users": ["ana"]})


def mend_groups(scene: Scene) -> None:
    """Leave the declared groups, with their users and no others."""
    hub.must(scene.lab, "DELETE", f"/groups/{GROUP}", fine=(hub.NOT_FOUND,))
    hub.must(scene.lab, "DELETE", f"/groups/{provision.GROUP}/users", {"users": ["ana"]})
    provision.hub_users(scene.lab)


def starts(user: str) -> Step:
    """Return what starts a user's server, and waits for it."""

    def apply(scene: Scene) -> None:
        _until(scene, user, there=True)

    return apply


def stops(user: str) -> Step:
    """Return what stops a user's server, and waits for its end."""

    def mend(scene: Scene) -> None:
        if _server(scene, user):
            hub.must(scene.lab, "DELETE", f"/users/{user}/server")
        _until(scene, user, there=False)

    return mend


def leave_idle(scene: Scene) -> None:
    """Have diego's server run, and the hub think that nobody used it for days."""
    starts("diego")(scene)
    # Killed, and not ended: a hub that is told to end takes the servers with it.
    kill = f"kill -9 $(cat {service.PID}) $(pgrep -f '[c]onfigurable-http-proxy')"
    inside.must(scene.client, HUB, f"touch {service.HOLD}; {kill}")
    gone = f"while kill -0 $(cat {service.PID}) 2>/dev/null; do sleep 0.1; done"
    inside.must(scene.client, HUB, f"{gone}; python3 - {DAYS}", stdin=_AGE)
    inside.must(scene.client, HUB, f"rm -f {service.HOLD}")
    face.wait(scene)
    hub.wait(scene.lab)


def mend_idle(scene: Scene) -> None:
    """Stop diego's server; the hub must run for that."""
    box = containers.found(scene.client, HUB)
    if box is not None:
        containers.wake(box)
    inside.must(scene.client, HUB, f"rm -f {service.HOLD}")
    hub.wait(scene.lab)
    stops("diego")(scene)
    # The token of a server that ended while no hub ran stays behind.
    for token in hub.tokens(scene.client) if at_least(scene.lab.version, hub.TOKENS_SINCE) else ():
        if token.user == "diego" and token.note.startswith(access.OF_A_SERVER):
            hub.drop(scene.lab, token)


def _server(scene: Scene, user: str) -> Any:
    told = hub.must(scene.lab, "GET", f"/users/{user}")
    return told.get("server") or told.get("pending") or told.get("servers")


def _until(scene: Scene, user: str, *, there: bool) -> None:
    deadline = time.monotonic() + SPAWN_LIMIT
    while True:
        told = hub.must(scene.lab, "GET", f"/users/{user}")
        if not told.get("pending") and bool(told.get("server")) == there:
            return
        if there and not told.get("pending"):  # on a busy machine the hub gives up after half a minute
            hub.must(scene.lab, "POST", f"/users/{user}/server")
        if time.monotonic() > deadline:
            raise LabError(f"the server of {user} did not {'start' if there else 'stop'} within {SPAWN_LIMIT:.0f} s")
        time.sleep(0.2)


TABLE = (
    Break("hub-group-stray", "the hub has a group visitors", "hub_group", "*", add_group, mend_groups),
    Break("hub-group-joined", "ana is in analysts", "hub_group", "analysts", join_group, mend_groups, "users"),
    Break(
        "service-culler",
        "a service ends idle servers, which was agreed not to be",
        *("service", "cull-idle", face.settings(CULLER), face.mend_settings),
    ),
    Break(
        "service-stray",
        "the hub has a service reporter",
        *("service", "*", face.settings(STRAY), face.mend_settings),
    ),
    Break("server-started", "the shared admin's server runs", "server", "jovyan", starts("jovyan"), stops("jovyan")),
    Break("server-idle", f"diego's server was not used for {DAYS} days", "server", "*", leave_idle, mend_idle),
)
