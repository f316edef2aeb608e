"""A service of the hub: a program that the hub starts, or trusts, and that may do things in its API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from hubspec.hub_path import API, hub_path
from hubspec.kind import Kind, Observations
from hubspec.masked import masked, masked_arguments
from hubspec.model import Absent, Action, Drift, Pattern, Present, Resource, Text

_CONFIG = "/etc/jupyter/conf/jupyterhub_config.py"


class Service(Resource):
    """A service of the hub's settings (`GET /hub/api/services`, JupyterHub 0.8 and later)."""

    admin: bool | None = Field(None, description="It may do in the API whatever an admin may (before 2.0: or nothing).")
    url: Text | None = Field(None, description="Where it listens, for people to reach it behind the hub; '' where not.")
    command: list[Text] | None = Field(
        None,
        description="What the hub starts; [] where it starts nothing. What looks like a secret is compared as '***'.",
    )
    running: bool | None = Field(None, description="Of one with a command: its process runs.")

    @field_validator("command")
    @classmethod
    def _without_secrets(cls, given: list[str | Pattern] | None) -> list[str | Pattern] | None:
        """Take secrets out of what is declared, as they are out of what was seen."""
        shown = iter(masked_arguments([one for one in given or [] if isinstance(one, str)]))
        return given and [next(shown) if isinstance(one, str) else one for one in given]

    def accepts(self, field: str, found: Any) -> bool:
        """Compare a command word by word, each of which may be a pattern."""
        if field == "command" and self.command and isinstance(found, list) and len(found) == len(self.command):
            words = zip(self.command, found, strict=True)
            return all(Service(name="", url=one).accepts("url", word) for one, word in words)
        return super().accepts(field, found)


_UNTOLD = "the hub does not tell it; give its token the scope read:services"


def parse(answer: Mapping[str, Any]) -> Observations:
    """Return the hub's services by name. Raises ValueError where an entry is no service object."""
    services: Observations = {}
    for name, entry in answer.items():
        if not isinstance(entry, dict):
            message = f"the service {name!r} is told by what is no object: {str(entry)[:80]!r}"
            raise ValueError(message)
        fields: dict[str, Any] = {}
        if "admin" in entry:
            fields["admin"] = bool(entry["admin"])
        if "url" in entry:
            fields["url"] = masked(str(entry["url"] or ""))
        if "command" in entry:
            fields["command"] = masked_arguments(map(str, entry["command"] or []))
        if "pid" in entry and "command" in entry:
            fields["running"] = bool(entry["pid"]) if entry["command"] else None
        unread = {field: _UNTOLD for field in Service.fields_compared() if field not in fields}
        services[name] = Present(Service.model_construct({"name", *fields}, name=name, **fields), unread or None)
    return services


def fix(drift: Drift) -> list[Action]:
    """Return what a person would do: services are settled in the hub's settings, and started with it."""
    if drift.expected.ensure == "absent":
        return forget(drift.name)
    path = f"GET {API}{hub_path('services', drift.name)}"
    if isinstance(drift.observed, Absent):
        return [_do(f"add the service {drift.name} to c.JupyterHub.services in {_CONFIG}, then restart the hub", path)]
    if [one.field for one in drift.differences] == ["running"] and drift.differences[0].wanted:
        sentence = f"the hub starts {drift.name} again and again: find out from its log why it ends"
        return [Action(sentence=sentence, door="engine", request="docker logs --tail 100 jupyterhub", safety="manual")]
    fields = ", ".join(one.field for one in drift.differences)
    sentence = (
        f"put {fields} of the service {drift.name} right in c.JupyterHub.services in {_CONFIG}, then restart the hub"
    )
    return [_do(sentence, path)]


def forget(name: str) -> list[Action]:
    """Return what a person would do about a service that must not be there; its API token goes with it."""
    sentence = f"find out who added the service {name}, take it out of c.JupyterHub.services in {_CONFIG}, then restart the hub"
    return [_do(sentence, f"GET {API}{hub_path('services', name)}")]


def _do(sentence: str, request: str) -> Action:
    return Action(sentence=sentence, door="hub", request=request, safety="manual")


KIND = Kind(
    name="service",
    section="services",
    resource=Service,
    door="hub",
    reads="GET /hub/api/services",
    probe=lambda _declared, _policy: "/services",
    parse=parse,
    fix=fix,
    forget=forget,
    scopes=lambda stated: ["list:services", *(["read:services"] if stated & {"url", "command", "running"} else [])],
)
