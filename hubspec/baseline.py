"""What a cluster ought to be: YAML to controls and resources, every fault told at once, before any look at a cluster."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, StringConstraints, ValidationError

from hubspec.errors import BaselineError
from hubspec.kind import Kind
from hubspec.kinds import KINDS
from hubspec.kinds.cluster import Cluster
from hubspec.kinds.container import Container
from hubspec.kinds.file import File
from hubspec.kinds.hub_user import HubUser
from hubspec.kinds.package import Package
from hubspec.kinds.user import User
from hubspec.layers import Layer, Place, Where, dotted, read
from hubspec.model import Control, Resource, Value, Waiver

KindName = Literal["container", "user", "package", "file", "hub_user", "cluster"]
ControlId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$")]


class Undeclared(Value):
    """What to make of things of a kind that exist without being declared."""

    policy: Literal["ignore", "report", "remove"] = Field(description="'remove' reports too; its fix is always unsafe.")
    ignore: list[str] = Field(default_factory=list, description="Names that are no drift, as shell patterns.")
    watch: list[str] = Field(default_factory=list, description="For files: the directories in which to look.")


class Sections(Value):
    """A baseline as it is written."""

    extends: str | list[str] | None = Field(None, description="Baselines below this one, relative to this file.")
    title: str = Field("", description="One line for people: what this baseline describes.")
    accounts: Literal["local", "directory"] = Field(
        "local", description="'directory': accounts come from LDAP, so a hub user needs none in the container."
    )
    controls: dict[ControlId, Control] = Field(default_factory=dict)
    undeclared: dict[KindName, Undeclared] = Field(default_factory=dict)
    waivers: dict[str, Waiver] = Field(default_factory=dict)
    containers: dict[str, Container] = Field(default_factory=dict)
    users: dict[str, User] = Field(default_factory=dict)
    packages: dict[str, Package] = Field(default_factory=dict)
    files: dict[str, File] = Field(default_factory=dict)
    hub_users: dict[str, HubUser] = Field(default_factory=dict)
    cluster: Cluster | None = None


@dataclass(frozen=True)
class Baseline:
    """A valid baseline: controls, resources by kind and name, policies and waivers, and where each was written."""

    file: Path
    sections: Sections
    layer: Layer

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
        """Return the policy for what is undeclared; a kind without one is ignored."""
        return self.sections.undeclared.get(kind, Undeclared(policy="ignore"))  # type: ignore[call-overload] # KINDS' names are KindName


def load(path: Path) -> Baseline:
    """Return the baseline in the file. Raises BaselineError with every fault found, each with its file and line."""
    layer = read(path)
    faults = list(layer.faults)
    data = _prepare(layer, faults)
    try:
        sections = Sections.model_validate(data)
    except ValidationError as error:
        faults += [_sentence(layer, data, fault) for fault in error.errors()]
        raise BaselineError(_in_order(faults)) from None
    baseline = Baseline(path, sections, layer)
    faults += _inconsistencies(baseline)
    if faults:
        raise BaselineError(_in_order(faults))
    return baseline


def schema() -> dict[str, Any]:
    """Return the JSON schema of a baseline file, for editors."""
    document = json.loads(json.dumps(Sections.model_json_schema()))
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
        for key, value in section.items():
            name = kind.resource.canonical(key)
            where = (kind.section, key)
            layer.places.setdefault((kind.section, name), layer.place(where))
            if name in named:
                first = layer.place((kind.section, name))
                faults.append(f"{layer.place(where)}: {dotted(where)}: the same {kind.name} as in line {first.line}, {name}")
            named[name] = _named(value, name, layer, where, faults)
        data[kind.section] = named
    return data


def _named(value: Any, name: str, layer: Layer, where: Where, faults: list[str]) -> Any:
    if isinstance(value, str) and where[0] == "packages":
        return {"name": name, "version": value}
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


def _sentence(layer: Layer, data: Any, fault: Any) -> str:
    where: Where = ()
    at = data
    for step in fault["loc"]:
        inside = isinstance(at, dict) and step in at or isinstance(at, list) and isinstance(step, int)
        if inside:
            at, where = at[step], (*where, step)
    what, given = fault["type"], fault["input"]
    if what == "extra_forbidden":
        key = str(fault["loc"][-1])
        near = difflib.get_close_matches(key, _known(where[:-1]), 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(_known(where[:-1]))}"
        text = f"unknown key {key!r}; {hint}"
    elif what == "missing":
        text = f"{fault['loc'][-1]!r} is missing"
    elif what == "value_error":
        text = str(fault["ctx"]["error"])
    else:
        text = f"{_WANTED.get(what, fault['msg'].lower())}; found {_shown(given)}"
        if what in {"literal_error", "enum"}:
            text = f"wanted {fault['ctx']['expected']}; found {_shown(given)}"
        if what == "string_pattern_mismatch":
            text = f"{_shown(given)} does not have the form {fault['ctx']['pattern']}"
    return f"{layer.place(where)}: {dotted(where)}: {text}"


_WANTED = {
    "string_type": "wanted text (in quotes where it looks like a number)",
    "int_type": "wanted a whole number",
    "bool_type": "wanted true or false",
    "list_type": "wanted a list",
    "dict_type": "wanted a mapping",
    "model_type": "wanted a mapping",
    "model_attributes_type": "wanted a mapping",
}


def _shown(value: Any) -> str:
    text = {True: "true", False: "false", None: "nothing"}.get(value) if isinstance(value, bool | None) else repr(value)
    return str(text) if len(str(text)) <= 60 else str(text)[:57] + "..."


def _known(where: Where) -> list[str]:
    model: Any = Sections
    for step in where:
        annotation = model.model_fields[step].annotation if hasattr(model, "model_fields") and step in model.model_fields else None
        models = [part for part in _parts(annotation) if isinstance(part, type) and hasattr(part, "model_fields")]
        model = models[0] if models else model
    return [name for name in model.model_fields if name != "name"]


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _in_order(faults: list[str]) -> list[str]:
    def by_place(fault: str) -> tuple[str, int]:
        file, _, rest = fault.partition(":")
        line = rest.partition(":")[0]
        return file, int(line) if line.isdigit() else 0

    return sorted(dict.fromkeys(faults), key=by_place)


def _inconsistencies(baseline: Baseline) -> Iterator[str]:
    sections, place = baseline.sections, baseline.layer.place
    if not any(baseline.resources.values()):
        yield f"{baseline.file}:1: declares nothing, so nothing would be checked; declare something, or extend a baseline"
    for id_, control in sections.controls.items():
        where = ("controls", id_)
        if control.kind not in KINDS:
            near = difflib.get_close_matches(control.kind, KINDS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(KINDS)}"
            yield f"{place((*where, 'kind'))}: {dotted(where)}: there is no kind {control.kind!r}; {hint}"
            continue
        for name in set(control.fields) - set(KINDS[control.kind].resource.fields_compared()):
            yield f"{place((*where, 'fields'))}: {dotted(where)}: a {control.kind} has no field {name!r}"
    for kind in KINDS.values():
        yield from _without_control(baseline, kind)
    for key, waiver in sections.waivers.items():
        where = ("waivers", key)
        if waiver.control not in sections.controls:
            yield f"{place((*where, 'control'))}: {dotted(where)}: there is no control {waiver.control!r}"
        try:
            date.fromisoformat(waiver.until)
        except ValueError as error:
            yield f"{place((*where, 'until'))}: {dotted(where)}: {waiver.until} is no day ({error})"
    yield from _accounts(baseline)


def _without_control(baseline: Baseline, kind: Kind) -> Iterator[str]:
    controls = {id_: c for id_, c in baseline.sections.controls.items() if c.kind == kind.name}
    mine = baseline.resources[kind.name]
    general = [id_ for id_, c in controls.items() if not c.fields and not c.undeclared]
    for name, resource in mine.items():
        if resource.control and resource.control not in controls:
            yield f"{baseline.place(kind.name, name)}: {kind.section}.{name}: there is no control {resource.control!r} of kind {kind.name}"
    if not general and any(not resource.control for resource in mine.values()):
        first = next(name for name, resource in mine.items() if not resource.control)
        yield (
            f"{baseline.place(kind.name, first)}: {kind.section}: no control is about every {kind.name}; add one"
            f" with kind: {kind.name} under controls, or extend emr.yaml"
        )
    watched = [id_ for id_, c in controls.items() if c.undeclared]
    if baseline.policy(kind.name).policy != "ignore" and not watched:
        yield f"{baseline.place(kind.name, '*')}: undeclared.{kind.name}: no control of kind {kind.name} has undeclared: true"
    for what, ids in (("every", general), ("the undeclared", watched)):
        if len(ids) > 1:
            place = baseline.layer.place(("controls", ids[1]))
            yield f"{place}: controls.{ids[1]}: {ids[0]} is already about {what} {kind.name}; give one of them fields"


def _accounts(baseline: Baseline) -> Iterator[str]:
    users = baseline.resources["user"]
    uids: dict[int, str] = {}
    for name, user in users.items():
        uid = getattr(user, "uid", None)
        if uid is not None and user.ensure == "present" and uids.setdefault(uid, name) != name:
            yield f"{baseline.place('user', name)}: users.{name}: uid {uid} is already that of {uids[uid]}"
    if baseline.sections.accounts == "directory":
        return
    present: Mapping[str, Resource] = {name.lower(): user for name, user in users.items() if user.ensure == "present"}
    for name, hub_user in baseline.resources["hub_user"].items():
        if hub_user.ensure == "present" and name not in present:
            yield (
                f"{baseline.place('hub_user', name)}: hub_users.{name}: has no account in the container, so it could not"
                f" log in; declare it under users, or say accounts: directory where they come from LDAP"
            )
