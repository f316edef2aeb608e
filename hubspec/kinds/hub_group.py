"""A group as JupyterHub knows it: who is in it, for whoever gives rights or servers by group."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from pydantic import Field, field_validator

from hubspec.hub_path import API, hub_path
from hubspec.kind import Kind, Observations
from hubspec.model import Absent, Action, Drift, Present, Resource


class HubGroup(Resource):
    """A group of the hub's REST API (`GET /hub/api/groups`, JupyterHub 0.8 and later)."""

    UNORDERED: ClassVar[frozenset[str]] = frozenset({"users"})

    users: list[str] | None = Field(None, description="Names of all its users.")

    @field_validator("users")
    @classmethod
    def _as_the_hub_keeps_them(cls, given: list[str] | None) -> list[str] | None:
        return given and [name.lower() for name in given]


def parse(answer: list[dict[str, Any]]) -> Observations:
    """Return the hub's groups by name. Raises ValueError where an entry is no group object."""
    groups: Observations = {}
    for entry in answer:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            message = f"the hub's list of groups has an entry that is no group: {str(entry)[:80]!r}"
            raise ValueError(message)
        name = entry["name"]
        fields: dict[str, Any] = {"users": sorted(entry["users"])} if "users" in entry else {}
        unread = None if fields else {"users": "the hub does not tell it; give its token the scope read:groups"}
        groups[name] = Present(HubGroup.model_construct({"name", *fields}, name=name, **fields), unread)
    return groups


def fix(drift: Drift) -> list[Action]:
    """Return the API requests that make the group, and put users into it or take them out."""
    if drift.expected.ensure == "absent":
        return forget(drift.name)
    assert isinstance(drift.expected, HubGroup)
    path = f"{API}{hub_path('groups', drift.name)}"
    if isinstance(drift.observed, Absent):
        actions = [_do(f"make the hub group {drift.name}", f"POST {path} {{}}", "safe")]
        wanted, found = set(drift.expected.users or []), set[str]()
    else:
        actions = []
        wanted, found = (set(users or []) for users in (drift.differences[0].wanted, drift.differences[0].found))
    for names, method, word, safety in (
        (sorted(wanted - found), "POST", "add to", "safe"),
        (sorted(found - wanted), "DELETE", "take out of", "unsafe"),
    ):
        if names:
            request = f"{method} {path}/users {json.dumps({'users': names})}"
            actions.append(_do(f"{word} the hub group {drift.name}: {', '.join(names)}", request, safety))
    return actions


def forget(name: str) -> list[Action]:
    """Return what removes a group that must not be there; its users stay."""
    return [_do(f"delete the hub group {name}, not its users", f"DELETE {API}{hub_path('groups', name)}", "unsafe")]


def _do(sentence: str, request: str, safety: Any) -> Action:
    return Action(sentence=sentence, door="hub", request=request, safety=safety)


def _needs(resource: Resource) -> list[tuple[str, str]]:
    assert isinstance(resource, HubGroup)
    return [("hub_user", name) for name in resource.users or ()]


KIND = Kind(
    name="hub_group",
    section="hub_groups",
    resource=HubGroup,
    door="hub",
    reads="GET /hub/api/groups",
    probe=lambda _declared, _policy: "/groups",
    parse=parse,
    fix=fix,
    forget=forget,
    needs=_needs,
    scopes=lambda stated: ["list:groups", *(["read:groups"] if "users" in stated else [])],
)
