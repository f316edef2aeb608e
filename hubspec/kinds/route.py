"""A route of the proxy that stands before the hub: which path leads where."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from hubspec.hub_servers import active
from hubspec.kind import Kind, Observations, Undeclared
from hubspec.model import Absent, Action, Drift, Observation, Pattern, Present, Resource, Text

Server = tuple[str, str]
"""A user's server: the name of the user, and its own, empty for the usual one."""


class Route(Resource):
    """A route by its path, as the hub tells of its proxy (`GET /hub/api/proxy`, JupyterHub 0.8 and later).

    A server that is ready and has no route is missing, under the path it would have. Routes that were put into the
    proxy without the hub's mark are not told by this API.
    """

    to: Literal["hub", "server", "other"] | None = Field(None, description="To the hub, a user's server, or other.")
    target: Text | None = Field(None, description="Where it leads: http://127.0.0.1:41839.")
    running: bool | None = Field(None, description="Of a route to a user's server: that server is ready.")


class UndeclaredRoutes(Undeclared):
    """What makes a route that nobody declared a drift, beside leading to no server, and to nothing that the hub knows."""

    targets: Text | None = Field(None, description="Where each route to a user's server may lead: {matches: REGEX}.")


def parse(answers: Mapping[str, Any]) -> Observations:
    """Return the routes by path, Absent for one that a ready server lacks, from `/users` and `/proxy`.

    A server that starts or stops just then has `running` unread. Raises ValueError where an entry is no user, no
    route, or does not tell its servers (2.0 and later: a token without the scope read:servers).
    """
    servers: dict[Server, tuple[str, bool | None]] = {}
    for user in answers["/users"]:
        servers |= {(user["name"], one.name): (one.url, one.ready) for one in active(user)}
    routes: Observations = {}
    led: set[Server] = set()
    for path, entry in answers["/proxy"].items():
        if not isinstance(entry, dict) or not isinstance(entry.get("target"), str):
            message = f"the route {path!r} has no target: {str(entry)[:80]!r}"
            raise ValueError(message)
        data = entry.get("data") or {}
        fields: dict[str, Any] = {"to": "hub" if data.get("hub") else "other", "target": entry["target"]}
        unread = {}
        fields["running"] = None
        if data.get("user") is not None:
            server = (data["user"], data.get("server_name") or "")
            led.add(server)
            fields |= {"to": "server", "running": servers.get(server, ("", False))[1]}
            if fields["running"] is None:
                unread["running"] = "the server is just starting or stopping"
        routes[path] = Present(Route.model_construct({"name", *fields}, name=path, **fields), unread or None)
    for server, (url, ready) in servers.items():
        if ready and server not in led:
            routes.setdefault(url, Absent())
    return routes


def undeclared(
    declared: Mapping[str, Resource], observed: Mapping[str, Observation], policy: Undeclared
) -> dict[str, Any]:
    """Return the routes that lead to no running server, are not the hub's, or lead elsewhere than agreed; and those missing."""
    assert isinstance(policy, UndeclaredRoutes)
    hub = any(
        isinstance(one, Present) and one.resource.stated()["to"] == "hub"
        for name, one in observed.items()
        if name in declared
    )
    extra: dict[str, Any] = {}
    for path, seen in observed.items():
        if path in declared:
            continue
        if isinstance(seen, Absent):
            extra[path] = {"rule": "missing: a server is ready there, and no route leads to it"}
        elif isinstance(seen, Present):
            route = seen.resource.stated()
            broken = list(_broken(route, policy, hub=hub))
            if broken:
                extra[path] = {"to": route["to"], "target": route["target"], "rule": "; ".join(broken)}
    return extra


def _broken(route: Mapping[str, Any], policy: UndeclaredRoutes, *, hub: bool) -> Iterator[str]:
    if route["to"] == "other":
        yield "neither the hub's nor that of a user's server"
    if route["to"] == "hub" and hub:
        yield "a second route to the hub"
    if route["running"] is False:
        yield "no server runs for it"
    wanted = policy.targets
    same = re.fullmatch(wanted.matches, route["target"]) if isinstance(wanted, Pattern) else wanted == route["target"]
    if route["to"] == "server" and wanted is not None and not same:
        yield f"leads to {route['target']}, where no server was agreed to be"


def fix(_drift: Drift) -> list[Action]:
    """Return the request that has the hub put its proxy's routes right: it adds, re-points and deletes."""
    return forget("")


def forget(_name: str) -> list[Action]:
    """Return the same: of the routes with its mark, the hub keeps those alone that it would make itself.

    Source of fact: `Proxy.check_routes` of JupyterHub 0.8.1, 1.5.0 and 5.4.0.
    """
    sentence = "have the hub put the proxy's routes right; it knows which there ought to be"
    return [Action(sentence=sentence, door="hub", request="POST /hub/api/proxy", safety="safe")]


KIND = Kind(
    name="route",
    section="routes",
    resource=Route,
    door="hub",
    reads="GET /hub/api/users, GET /hub/api/proxy",
    probe=lambda _declared, _policy: "/users /proxy",
    parse=parse,
    fix=fix,
    undeclared=undeclared,
    policy=UndeclaredRoutes,
    forget=forget,
    scopes=lambda _stated: ["list:users", "read:servers", "proxy"],
)
