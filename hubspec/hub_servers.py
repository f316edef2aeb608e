"""The servers of a hub's users, as `GET /hub/api/users` tells them, whatever the version. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Active:
    """One server that runs, starts or stops: its name, empty for the usual one, its path, and the hub's times of it.

    `ready` is None while it starts or stops, and `pending` then says which.
    """

    name: str
    url: str
    ready: bool | None
    pending: str | None
    started: str | None
    last_activity: str | None


def active(user: Mapping[str, Any]) -> Iterator[Active]:
    """Yield the active servers of one user; one of a name that comes twice is told better the second time.

    `servers` holds them all (0.9 and later); on 0.8 `server` is the path of the usual one, the times are the user's
    own, and `servers` only comes with named ones, all ready. Raises ValueError where the hub does not tell them (2.0
    and later: a token without the scope read:servers).
    """
    told = user.get("servers")
    if told is None and ("server" not in user or "created" in user):  # `created` came with 0.9
        message = "the hub tells no servers of its users; give its token the scope read:servers"
        raise ValueError(message)
    usual, pending = user.get("server"), user.get("pending")
    if (usual or pending) and (told is None or "created" not in user):
        yield Active("", usual or "", None if pending else True, pending, None, user.get("last_activity"))
    for name, server in (told or {}).items():
        wait = server.get("pending")
        if server.get("stopped"):  # 3.0 and later, only where it was asked for
            continue
        ready = None if wait else bool(server.get("ready", True))
        activity = server.get("last_activity") if "last_activity" in server else user.get("last_activity")
        yield Active(name, server.get("url") or "", ready, wait, server.get("started"), activity)
