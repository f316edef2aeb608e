"""What a cluster ought to be: YAML to controls and resources, every fault told at once, before any look at a cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError

from hubspec import requirements, sources, waiver_file
from hubspec.consistency import inconsistencies
from hubspec.errors import BaselineError
from hubspec.faults import in_order, sentence
from hubspec.kind import Kind, Undeclared
from hubspec.kinds import KINDS
from hubspec.kinds.cluster import Cluster
from hubspec.kinds.config import Config, UndeclaredSettings
from hubspec.kinds.container import Container
from hubspec.kinds.file import File, UndeclaredFiles
from hubspec.kinds.hub import Hub
from hubspec.kinds.hub_group import HubGroup
from hubspec.kinds.hub_token import HubToken, UndeclaredHubTokens
from hubspec.kinds.hub_user import HubUser
from hubspec.kinds.kernel import Kernel
from hubspec.kinds.package import Package
from hubspec.kinds.proxy import Proxy
from hubspec.kinds.route import Route, UndeclaredRoutes
from hubspec.kinds.server import Server, UndeclaredServers
from hubspec.kinds.service import Service
from hubspec.kinds.step import Step, UndeclaredSteps
from hubspec.kinds.user import User
from hubspec.layers import Layer, Place, Where, dotted, read
from hubspec.model import Control, Framework, Resource, Value, Waiver

ControlId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$")]


class Policies(Value):
    """For each kind, what to make of things that exist without being declared."""

    container: Undeclared | None = None
    user: Undeclared | None = None
    package: Undeclared | None = None
    kernel: Undeclared | None = None
    file: UndeclaredFiles | None = None
    config: UndeclaredSettings | None = None
    hub_user: Undeclared | None = None
    hub_group: Undeclared | None = None
    hub_token: UndeclaredHubTokens | None = None
    service: Undeclared | None = None
    server: UndeclaredServers | None = None
    route: UndeclaredRoutes | None = None
    proxy: Undeclared | None = None
    step: UndeclaredSteps | None = None
    cluster: Undeclared | None = None


_NO_POLICIES = Policies()


class Sections(Value):
    """A baseline as it is written."""

    extends: str | list[str] | None = Field(None, description="Baselines below this one, relative to this file.")
    title: str = Field("", description="One line for people: what this baseline describes.")
    frameworks: list[str] = Field(
        default_factory=list,
        description="Files, relative to this one, that say which controls speak about which requirement of a framework.",
    )
    accounts: Literal["local", "directory"] = Field(
        "local", description="'directory': accounts come from LDAP, so a hub user needs none in the container."
    )
    controls: dict[ControlId, Control] = Field(default_factory=dict)
    undeclared: Policies = _NO_POLICIES
    waivers: dict[str, Waiver] = Field(default_factory=dict)
    containers: dict[str, Container] = Field(default_factory=dict)
    users: dict[str, User] = Field(default_factory=dict)
    packages: dict[str, Package] = Field(default_factory=dict)
    kernels: dict[str, Kernel] = Field(default_factory=dict)
    files: dict[str, File] = Field(default_factory=dict)
    hub: Hub | None = None
    configs: dict[str, Config] = Field(default_factory=dict)
    hub_users: dict[str, HubUser] = Field(default_factory=dict)
    hub_groups: dict[str, HubGroup] = Field(default_factory=dict)
    hub_tokens: dict[str, HubToken] = Field(default_factory=dict)
    services: dict[str, Service] = Field(default_factory=dict)
    servers: dict[str, Server] = Field(default_factory=dict)
    routes: dict[str, Route] = Field(default_factory=dict)
    proxy: Proxy | None = None
    steps: dict[str, Step] = Field(default_factory=dict)
    cluster: Cluster | None = None


@dataclass(frozen=True)
class Baseline:
    """A valid baseline: controls, resources by kind and name, policies and waivers, and where each was written.

    A control's tags have the requirements that it names, and those that the `frameworks` name it for.
    """

    file: Path
    sections: Sections
    layer: Layer
    frameworks: tuple[Framework, ...] = ()
    now: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)
    """The moment at which its waivers count or not, one for a whole run."""
    extended: frozenset[Path] = frozenset()
    """The files that it extends, which others may extend too."""

    @cached_property
    def resources(self) -> dict[str, dict[str, Resource]]:
        """Return kind -> name -> resource."""
        return {kind.name: _resources(self.sections, kind) for kind in KINDS.values()}

    def place(self, kind: str, name: str) -> Place:
        """Return where a resource was declared; for '*' where the kind's policy stands."""
        if name == "*":
            return self.layer.place(("undeclared", kind))
        section = KINDS[kind].section
        return self.layer.place((section,) if KINDS[kind].single else (section, name))

    def policy(self, kind: str) -> Undeclared:
        """Return the policy for what is undeclared; of a kind without one, or without anything undeclared, it is ignored."""
        policy: Undeclared | None = getattr(self.sections.undeclared, kind, None)
        return policy or KINDS[kind].policy(policy="ignore")


def load(path: Path, *, waivers: Path | None = None, now: datetime | None = None) -> Baseline:
    """Return the baseline in the file, with the waivers of another one. Its waivers count or not at the moment `now`.

    Raises BaselineError with every fault found, each with its file and line.
    """
    layer = read(path)
    extended = frozenset(layer.files) - {path}
    faults = list(layer.faults)
    data = _prepare(layer, faults)
    contents = sources.contents(layer, data, faults)
    try:
        sections = Sections.model_validate(data)
    except ValidationError as error:
        faults += [sentence(layer, data, fault, Sections) for fault in error.errors()]
        raise BaselineError(in_order(faults)) from None
    sections.files.update({name: sections.files[name].holding(content) for name, content in contents.items()})
    frameworks = requirements.frameworks(layer, sections.frameworks, faults)
    sections.controls.update(requirements.tagged(sections.controls, frameworks))
    baseline = Baseline(path, sections, layer, tuple(frameworks), now or datetime.now(UTC), extended)
    faults += inconsistencies(baseline)
    if waivers:
        faults += _add(waivers, baseline)
    if faults:
        raise BaselineError(in_order(faults))
    return baseline


def _add(path: Path, baseline: Baseline) -> list[str]:
    """Put the waivers of a file beside those of the baseline, and return its faults."""
    try:
        waivers, layer = waiver_file.load(path)
    except BaselineError as error:
        return list(error.faults)
    own = baseline.sections.waivers
    twice = [
        f"{layer.place(('waivers', key))}: waivers.{key}: stands in {baseline.layer.place(('waivers', key))} too"
        for key in waivers.keys() & own.keys()
    ]
    if not twice:
        own.update(waivers)
        baseline.layer.files.update(layer.files)
        places = {where: place for where, place in layer.places.items() if where[:1] == ("waivers",)}
        baseline.layer.places.update(places)
        baseline.layer.files.update(layer.files)
    return twice


def schema() -> dict[str, Any]:
    """Return the JSON schema of a baseline file, for editors."""
    document = Sections.model_json_schema()
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    document["title"] = "hubspec baseline"
    for kind in KINDS.values():
        definition = document["$defs"][kind.resource.__name__]
        definition["properties"].pop("name")
        definition.pop("required", None)
    document["properties"]["packages"]["additionalProperties"] = {
        "anyOf": [{"$ref": "#/$defs/Package"}, {"type": "string", "description": "its version"}]
    }
    return document


def _resources(sections: Sections, kind: Kind) -> dict[str, Resource]:
    section = getattr(sections, kind.section)
    if kind.single:
        return {kind.single: section} if section else {}
    return dict(section)


def _prepare(layer: Layer, faults: list[str]) -> dict[str, Any]:
    """Put each resource's key into it as its name, in its one spelling."""
    data = dict(layer.data)
    for kind in KINDS.values():
        section = data.get(kind.section)
        if not isinstance(section, dict):
            continue
        if kind.single:
            data[kind.section] = _named(section, kind.single, layer, (kind.section,), faults)
            continue
        named: dict[str, Any] = {}
        first: dict[str, Place] = {}
        for key, value in section.items():
            name = kind.resource.canonical(key)
            where = (kind.section, key)
            here = layer.place(where)
            layer.places.setdefault((kind.section, name), here)
            if name in first:
                file = "" if first[name].file == here.file else f" of {first[name].file}"
                faults.append(
                    f"{here}: {dotted(where)}: the same {kind.name} as in line {first[name].line}{file}, {name}"
                )
            first.setdefault(name, here)
            named[name] = _named(value, name, layer, where, faults)
        data[kind.section] = named
    return data


def _named(value: Any, name: str, layer: Layer, where: Where, faults: list[str]) -> Any:
    if isinstance(value, str) and where[0] == "packages":
        return {"name": name, "version": value}
    if isinstance(value, int | float) and not isinstance(value, bool) and where[0] == "packages":
        faults.append(
            f"{layer.place(where)}: {dotted(where)}: write the version in quotes; YAML read the number {value}"
        )
        return {"name": name}
    if value is None:
        faults.append(
            f"{layer.place(where)}: {dotted(where)}: has no value; write {{}} where it only must be there,"
            " or {ensure: absent} where it must not"
        )
        return {"name": name}
    if isinstance(value, dict):
        if "name" in value:
            faults.append(f"{layer.place((*where, 'name'))}: {dotted(where)}: its name is its key; take 'name' out")
        return value | {"name": name}
    return value
