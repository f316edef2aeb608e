"""The proxy that stands before the hub: whether it runs, who reaches its own REST API, and what it leads to past the hub."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field

from hubspec.kind import Kind, Observations, Undeclared
from hubspec.model import Action, Drift, Observation, Present, Resource, Text
from hubspec.proxy_probe import delete, script

NAME = "configurable-http-proxy"
_ROUTE = "route "
_REFUSES = {401, 403}
_SETTINGS = "/etc/jupyter/conf/jupyterhub_config.py"


class Proxy(Resource):
    """The configurable-http-proxy of the hub, as its own REST API tells it inside the container (JupyterHub 0.8 and later).

    It is asked with the token out of its process's environment, which stays in the container. Where the hub does not
    run, or the proxy hangs, nothing can be said of it.
    """

    OPEN: ClassVar[frozenset[str]] = frozenset({"unmarked"})

    running: bool | None = Field(None, description="Its process runs, while the hub's does.")
    version: Text | None = Field(None, description="Its version, from its package.json.")
    api_address: Text | None = Field(
        None, description="Where its API listens, `address:port`; several are joined by a comma. 0.0.0.0 is everywhere."
    )
    api_needs_token: bool | None = Field(
        None, description="Its API refuses a request without a token, and one with a wrong one."
    )
    unmarked: dict[str, Text | None] | None = Field(
        None,
        description="Path -> target of routes without the hub's mark, which the hub neither tells nor puts right;"
        " null: there must be none at that path.",
    )


def parse(answer: str) -> Observations:
    """Return the one proxy from the probe's JSON. Raises ValueError, LookupError, TypeError where it is no such answer."""
    told = json.loads(answer)
    fields: dict[str, Any] = {"running": told["running"]}
    if not told["running"]:
        unread = dict.fromkeys(("version", "api_address", "api_needs_token", "unmarked"), "the proxy does not run")
        fields |= dict.fromkeys(unread)
        return {NAME: Present(Proxy.model_construct({"name", *fields}, name=NAME, **fields), unread)}
    fields["version"] = told["version"]
    fields["api_address"] = ", ".join(
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in told["listens"]
    )
    fields["api_needs_token"] = told["without"] in _REFUSES and told["wrong"] in _REFUSES
    fields["unmarked"] = dict(sorted(_unmarked(told["routes"])))
    blind = {} if fields["version"] else {"version": "its package.json was not found beside its program"}
    return {NAME: Present(Proxy.model_construct({"name", *fields}, name=NAME, **fields), blind or None)}


def _unmarked(routes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path, route in routes.items():
        if not isinstance(route, dict) or not isinstance(route.get("target"), str):
            message = f"the route {path!r} has no target: {str(route)[:80]}"
            raise ValueError(message)
        if not route.get("jupyterhub"):
            yield path, route["target"]


def undeclared(
    declared: Mapping[str, Resource], observed: Mapping[str, Observation], _policy: Undeclared
) -> dict[str, Any]:
    """Return the routes without the hub's mark that nobody declared."""
    seen, wanted = observed.get(NAME), declared.get(NAME)
    stated = (wanted.unmarked if isinstance(wanted, Proxy) else None) or {}
    found = seen.resource.stated()["unmarked"] if isinstance(seen, Present) else None
    return {f"{_ROUTE}{path}": {"target": target} for path, target in (found or {}).items() if path not in stated}


def fix(drift: Drift) -> list[Action]:
    """Return what takes a route away that must not be there; the rest is in the hub's settings, and for a person."""
    if drift.expected.ensure == "absent":
        return [_by_hand("the hub does not work without a proxy: take ensure: absent out of the baseline", "ps -ef")]
    actions = []
    for difference in drift.differences:
        field, _, path = difference.field.partition(".")
        if field == "unmarked" and difference.wanted is None:
            actions += forget(f"{_ROUTE}{path}")
        else:
            sentence, request = _ADVICE[field]
            actions.append(_by_hand(sentence.format(wanted=difference.wanted), request))
    return list(dict.fromkeys(actions))


_ADVICE = {
    "running": (
        "see why the hub does not start its proxy again, then restart its container",
        "tail -n 50 /var/log/jupyter/jupyter.log",
    ),
    "version": (
        "install the proxy in the version {wanted}, and restart the hub",
        "npm list -g configurable-http-proxy",
    ),
    "api_address": (
        "let the proxy's API listen on loopback alone: set c.ConfigurableHTTPProxy.api_url to http://127.0.0.1:8001, restart the hub",
        f"grep -n ConfigurableHTTPProxy {_SETTINGS}",
    ),
    "api_needs_token": (
        "have the hub start its proxy with a token: see what c.ConfigurableHTTPProxy sets, take it out, and restart the hub",
        f"grep -n ConfigurableHTTPProxy {_SETTINGS}",
    ),
    "unmarked": (
        "have whoever added the route to {wanted} add it again; the proxy forgets it at each start",
        f"grep -n ConfigurableHTTPProxy {_SETTINGS}",
    ),
}


def forget(name: str) -> list[Action]:
    """Return what takes a route without the hub's mark out of the proxy; whoever uses it loses it."""
    path = name.removeprefix(_ROUTE)
    sentence = f"take the route {path} out of the proxy, which the hub knows nothing of"
    return [Action(sentence=sentence, door="container", request=delete(path), safety="unsafe")]


def _by_hand(sentence: str, request: str) -> Action:
    return Action(sentence=sentence, door="container", request=request, safety="manual")


KIND = Kind(
    name="proxy",
    section="proxy",
    resource=Proxy,
    door="container",
    reads="the proxy's own API, GET /api/routes, with the token of its process, inside the container",
    probe=lambda _declared, _policy: script(),
    parse=parse,
    fix=fix,
    undeclared=undeclared,
    forget=forget,
    single=NAME,
)
