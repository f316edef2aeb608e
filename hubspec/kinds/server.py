"""A user's notebook server that is active: how long unused, how long started."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from hubspec.duration import Duration, seconds, words
from hubspec.hub_path import API, hub_path
from hubspec.hub_servers import Active, active
from hubspec.kind import Kind, Observations, Undeclared
from hubspec.model import Absent, Action, AtMost, Drift, Observation, Present, Resource, Text


class Server(Resource):
    """A notebook server that runs, starts or stops, by USER or USER/SERVERNAME (`GET /hub/api/users`, JupyterHub 0.8 and later)."""

    ready: bool | None = Field(None, description="It has started, and takes requests.")
    pending: Text | None = Field(None, description="spawn or stop, while it does; null: neither.")
    idle: AtMost | None = Field(
        None, description="Time since its last activity, or since it was started where it had none."
    )
    age: AtMost | None = Field(None, description="Time since it was started (0.9 and later).")

    @classmethod
    def canonical(cls, name: str) -> str:
        """Return the name with its user as the hub keeps it, in lower case."""
        user, slash, server = name.partition("/")
        return f"{user.lower()}{slash}{server}"


class UndeclaredServers(Undeclared):
    """Which servers that nobody declared are drift: without any of the rules, all of them."""

    idle_over: Duration | None = Field(None, description="None may be unused for longer than this: 24h.")
    age_over: Duration | None = Field(None, description="None may have been started longer ago than this: 7d.")


def parse(answers: Mapping[str, Any]) -> Observations:
    """Return the active servers, from `/users` and `now` (epoch).

    Raises ValueError where an entry is no user, or does not tell its servers (2.0 and later: a token without the scope
    read:servers).
    """
    now = datetime.fromtimestamp(answers["now"], UTC)
    servers: Observations = {}
    for user in answers["/users"]:
        owner = user["name"].replace("%", "%25").replace("/", "%2f")
        for one in active(user):
            servers[f"{owner}/{one.name}" if one.name else owner] = _seen(owner, one, now)
    return servers


def _seen(owner: str, one: Active, now: datetime) -> Present:
    name = f"{owner}/{one.name}" if one.name else owner
    used, started = (_since(at, now) for at in (one.last_activity, one.started))
    fields: dict[str, Any] = {"ready": bool(one.ready), "pending": one.pending, "idle": used or started, "age": started}
    unread = {}
    if fields["idle"] is None:
        unread["idle"] = "the hub has no activity of it yet"
    if started is None:
        unread["age"] = "the hub does not tell when it was started; before JupyterHub 0.9 none does"
    fields = {field: value for field, value in fields.items() if field not in unread}
    return Present(Server.model_construct({"name", *fields}, name=name, **fields), unread or None)


def _since(at: str | None, now: datetime) -> str | None:
    if at is None:
        return None
    then = datetime.fromisoformat(at)
    return words((now - (then if then.tzinfo else then.replace(tzinfo=UTC))).total_seconds())


def undeclared(
    declared: Mapping[str, Resource], observed: Mapping[str, Observation], policy: Undeclared
) -> dict[str, Any]:
    """Return the servers that were not declared, and that break a rule of the policy; all where it has none."""
    assert isinstance(policy, UndeclaredServers)
    extra: dict[str, Any] = {}
    for name, seen in observed.items():
        if isinstance(seen, Present) and name not in declared:
            server = seen.resource.stated()
            broken = list(_broken(server, policy))
            if broken:
                extra[name] = server | {"rule": "; ".join(broken)}
    return extra


def _broken(server: Mapping[str, Any], policy: UndeclaredServers) -> Iterator[str]:
    if policy.idle_over is None and policy.age_over is None:
        yield "not declared"
    for field, limit, word in (("idle", policy.idle_over, "unused for"), ("age", policy.age_over, "started before")):
        found = server.get(field)
        if limit and found and seconds(found) > seconds(limit):
            yield f"{word} {found}, more than {limit}"


def fix(drift: Drift) -> list[Action]:
    """Return the request that stops the server, or starts a declared one that is not there."""
    if drift.expected.ensure == "absent" or not isinstance(drift.observed, Absent):
        return forget(drift.name)
    return [_do(f"start the server {drift.name}", f"POST {_path(drift.name)}", "safe")]


def forget(name: str) -> list[Action]:
    """Return what stops a server: what its kernels hold in memory is lost, what was saved is not."""
    return [_do(f"stop the server {name}; its kernels end with it", f"DELETE {_path(name)}", "unsafe")]


def _path(name: str) -> str:
    owner, named, server = name.partition("/")
    user = owner.replace("%2f", "/").replace("%25", "%")
    return f"{API}{hub_path('users', user, 'servers', server) if named else hub_path('users', user, 'server')}"


def _do(sentence: str, request: str, safety: Any) -> Action:
    return Action(sentence=sentence, door="hub", request=request, safety=safety)


KIND = Kind(
    name="server",
    section="servers",
    resource=Server,
    door="hub",
    reads="GET /hub/api/users",
    probe=lambda _declared, _policy: "/users now",
    parse=parse,
    fix=fix,
    undeclared=undeclared,
    policy=UndeclaredServers,
    forget=forget,
    needs=lambda resource: [("hub_user", resource.name.partition("/")[0])],
    scopes=lambda _stated: ["list:users", "read:servers"],
    smoke=("start", "api", "contents", "kernels", "stop", "login"),
)
