"""A guide without a run: what an audit with a baseline would look at, what it would demand, why, and what could put it right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubspec.baseline import Baseline
from hubspec.check import EVERYTHING_ELSE, Check, checks, smoke_check, undeclared_check
from hubspec.compare import compare
from hubspec.errors import HubspecError
from hubspec.kind import Kind
from hubspec.kinds import KINDS
from hubspec.masked import masked, masked_fields
from hubspec.model import Absent, Action, Control, Present, Resource, Waiver
from hubspec.record import shown, shown_value

_DOORS = {
    "container": "the container",
    "engine": "the Docker engine",
    "hub": "the hub's REST API",
    "aws": "the EMR API",
}


@dataclass(frozen=True)
class Demand:
    """What a control is held against: a declared resource, all that is undeclared, or a smoke test."""

    name: str
    place: str
    wanted: dict[str, str]


@dataclass
class Entry:
    """A control with its demands, and how safe what could put them right is; `without` says why it has no demand."""

    id: str
    control: Control
    demands: list[Demand] = field(default_factory=list)
    safety: list[str] = field(default_factory=list)
    without: str = ""


@dataclass(frozen=True)
class Section:
    """A kind with its controls: the door that it is seen through, what is read there, and the request itself."""

    kind: str
    title: str
    about: str
    door: str
    reads: str
    request: str
    entries: list[Entry]

    @property
    def count(self) -> int:
        """Return the number of checks."""
        return sum(len(entry.demands) for entry in self.entries)


def sections(baseline: Baseline) -> list[Section]:
    """Return every kind that the baseline has a control for, in the order of the kinds, with what would be checked."""
    controls = baseline.sections.controls
    return [
        Section(
            kind=name,
            title=kind.section.replace("_", " "),
            about=(kind.resource.__doc__ or "").strip().split("\n")[0],
            door=_DOORS[kind.door],
            reads=kind.reads,
            request=masked(kind.probe(baseline.resources[name].values(), baseline.policy(name)).strip()),
            entries=entries,
        )
        for name, kind in KINDS.items()
        if (entries := [_entry(baseline, kind, id_) for id_, one in controls.items() if one.kind == name])
    ]


def waivers(baseline: Baseline) -> list[tuple[str, Waiver, str]]:
    """Return the drift that the baseline accepts beforehand: each waiver with its key and where it stands."""
    mine = baseline.sections.waivers
    return [
        (key, waiver.model_copy(update=masked_fields(waiver.model_dump())), str(baseline.layer.place(("waivers", key))))
        for key, waiver in mine.items()
    ]


def _entry(baseline: Baseline, kind: Kind, id_: str) -> Entry:
    control = baseline.sections.controls[id_]
    mine = [check for check in _checks(baseline, kind) if check.control_id == id_]
    entry = Entry(id_, control, [_demand(baseline, check) for check in mine])
    entry.safety = sorted({action.safety for check in mine for action in _actions(baseline, kind, check)})
    if not mine:
        entry.without = (
            f"the baseline ignores undeclared {kind.section}"
            if control.undeclared
            else "nothing in the baseline states what it looks at"
        )
    return entry


def _checks(baseline: Baseline, kind: Kind) -> Iterator[Check]:
    yield from checks(baseline, kind.name)
    others = [undeclared_check(baseline, kind.name), *(smoke_check(baseline, kind.name, name) for name in kind.smoke)]
    yield from (check for check in others if check)


def _demand(baseline: Baseline, check: Check) -> Demand:
    if check.sort == "smoke":
        return Demand(f"smoke test {check.name}", str(check.place), {"asked for by": "--smoke"})
    if not check.resource:
        policy = baseline.policy(check.kind)
        return Demand("all that is not declared", str(check.place), _shown(policy.model_dump(exclude_defaults=True)))
    stated = {name: value for name, value in check.resource.stated().items() if name in (check.fields or ())}
    wanted = {"ensure": check.resource.ensure} if check.control.fields == [] else {}
    return Demand(check.name, str(check.place), _shown(wanted | stated))


def _shown(values: dict[str, Any]) -> dict[str, str]:
    told: dict[str, str] = {}
    for name, value in values.items():
        plain = shown_value(value, name)
        if isinstance(value, Mapping) and value:
            told |= {f"{name}.{key}": shown(one) for key, one in plain.items()}
        else:
            told[name] = shown(plain)
    return told


def _actions(baseline: Baseline, kind: Kind, check: Check) -> list[Action]:
    """Return what could be done where nothing is as it ought to be."""
    resource = check.resource
    if resource is None:
        policy = baseline.policy(check.kind).policy
        return kind.forget("NAME") if check.name == EVERYTHING_ELSE and policy == "remove" else []
    if resource.ensure == "absent":
        return kind.forget(resource.name)
    single = KINDS[check.kind].single is not None  # there always is one
    seen: list[Present | Absent] = (
        [_other(resource)] if check.control.fields or single else [Absent(), _other(resource)]
    )
    drifts = [compare(check.kind, resource, one, check.fields) for one in seen]
    return [action for drift in drifts if drift for action in kind.fix(drift)]


def _other(resource: Resource) -> Present:
    """Return the same resource with something else in each field that it states."""
    fields = {name: _else(value) for name, value in resource.stated().items()}
    return Present(type(resource).model_construct({"name", *fields}, name=resource.name, **fields))


def _else(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: "another" for key, one in value.items() if one is None} or (
            {} if value else {"another": "another"}
        )
    if isinstance(value, bool):
        return not value
    return (["another"] if value == [] else None) if value is not None else "another"


def write(path: Path, text: str) -> None:
    """Write the page. Raises HubspecError where that is not possible."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise HubspecError(f"{path}: cannot be written: {error.strerror}") from None
