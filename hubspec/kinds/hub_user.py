"""A user as JupyterHub knows it: the one whose server is started, and who may administer the hub."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from pydantic import Field

from hubspec.hub_path import API, hub_path
from hubspec.kind import Kind, Observations
from hubspec.model import Absent, Action, Drift, Present, Resource


class HubUser(Resource):
    """A user of the hub's REST API (`GET /hub/api/users`, JupyterHub 0.8 and later)."""

    UNORDERED: ClassVar[frozenset[str]] = frozenset({"groups"})

    admin: bool | None = Field(None, description="May administer the hub.")
    groups: list[str] | None = Field(None, description="Names of all groups of the hub that the user is in.")

    @classmethod
    def canonical(cls, name: str) -> str:
        """Return the name as the hub keeps it: `Authenticator.normalize_username` lower-cases."""
        return name.lower()


def parse(answer: list[dict[str, Any]]) -> Observations:
    """Return the hub's users by name. Raises ValueError where an entry is no user object."""
    users: Observations = {}
    for entry in answer:
        if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
            message = f"the hub's list of users has an entry that is no user: {str(entry)[:80]!r}"
            raise ValueError(message)
        name = entry["name"]
        told: dict[str, Any] = {"admin": bool(entry.get("admin")), "groups": sorted(entry.get("groups") or [])}
        fields = {field: value for field, value in told.items() if field in entry}
        unread = {field: _UNTOLD[field] for field in told if field not in entry}
        users[name] = Present(HubUser.model_construct({"name", *fields}, name=name, **fields), unread or None)
    return users


_UNTOLD = {
    "admin": "the hub does not tell it; give its token the scope read:roles:users",
    "groups": "the hub does not tell it; give its token the scope read:users:groups",
}


def fix(drift: Drift) -> list[Action]:
    """Return the API requests that create the user, or set its admin flag and groups."""
    if drift.expected.ensure == "absent":
        return forget(drift.name)
    assert isinstance(drift.expected, HubUser)
    path = f"{API}{hub_path('users', drift.name)}"
    if isinstance(drift.observed, Absent):
        request = f'POST {path} {{"admin": {str(bool(drift.expected.admin)).lower()}}}'
        safety = "unsafe" if drift.expected.admin else "safe"
        actions = [_do(f"create the hub user {drift.name}", request, safety)]
        wanted_groups, found_groups = set(drift.expected.groups or []), set[str]()
    else:
        actions = []
        wanted = {difference.field: difference for difference in drift.differences}
        if "admin" in wanted:
            verb = "make" if drift.expected.admin else "no longer have"
            request = f'PATCH {path} {{"admin": {str(bool(drift.expected.admin)).lower()}}}'
            actions.append(_do(f"{verb} {drift.name} an admin of the hub", request, "unsafe"))
        groups = wanted.get("groups")
        wanted_groups, found_groups = (set(groups.wanted or []), set(groups.found or [])) if groups else (set(), set())
    for group, method in [(g, "POST") for g in sorted(wanted_groups - found_groups)] + [
        (g, "DELETE") for g in sorted(found_groups - wanted_groups)
    ]:
        path = f"{API}{hub_path('groups', group)}"
        if method == "POST":  # a group that is there answers 409, which is as good
            actions.append(_do(f"make the hub group {group}, where there is none", f"POST {path} {{}}", "safe"))
        request = f"{method} {path}/users {json.dumps({'users': [drift.name]})}"
        word = "add to" if method == "POST" else "take out of"
        actions.append(
            _do(f"{word} the hub group {group}: {drift.name}", request, "safe" if method == "POST" else "unsafe")
        )
    return actions


def forget(name: str) -> list[Action]:
    """Return what removes a hub user that must not be there, with its tokens."""
    return [_do(f"delete the hub user {name} and its tokens", f"DELETE {API}{hub_path('users', name)}", "unsafe")]


def _do(sentence: str, request: str, safety: Any) -> Action:
    return Action(sentence=sentence, door="hub", request=request, safety=safety)


KIND = Kind(
    name="hub_user",
    section="hub_users",
    resource=HubUser,
    door="hub",
    reads="GET /hub/api/users",
    probe=lambda _declared, _policy: "/users",
    parse=parse,
    fix=fix,
    forget=forget,
    scopes=lambda stated: ["list:users", *(["read:users:groups"] if "groups" in stated else [])],
    needs=lambda resource: [("user", resource.name)],
)
