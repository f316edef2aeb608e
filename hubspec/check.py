"""From a baseline to checks: which control is held against which resource. Pure: no pytest, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hubspec.baseline import Baseline
from hubspec.kind import OWN
from hubspec.kinds import KINDS
from hubspec.layers import Place
from hubspec.model import Control, Resource

EVERYTHING_ELSE = "*"


@dataclass(frozen=True)
class Check:
    """One control, and what it is applied to: a declared resource, all that is undeclared ('*'), or a smoke test or a user's own check, by `name`."""

    kind: str
    name: str
    control_id: str
    control: Control
    fields: frozenset[str] | None
    resource: Resource | None
    place: Place
    label: str

    @property
    def about(self) -> str:
        """Return 'user diego', or 'undeclared users'."""
        if self.sort == "own":
            return f"own check {self.name}"
        if self.sort == "smoke":
            return f"{self.kind} smoke test {self.name}"
        return f"{self.kind} {self.name}" if self.resource else f"undeclared {KINDS[self.kind].section}"

    @property
    def sort(self) -> Literal["declared", "undeclared", "smoke", "own"]:
        """Return what it is about."""
        if self.kind == OWN:
            return "own"
        return "declared" if self.resource else "smoke" if self.control.smoke else "undeclared"


def checks(baseline: Baseline, kind: str) -> list[Check]:
    """Return the checks of the declared resources of one kind, in the baseline's order.

    A resource has one check under its own or its kind's control, and one more for each control that names some of
    its stated fields: that one is labelled NAME:CONTROL.
    """
    controls = {id_: c for id_, c in baseline.sections.controls.items() if _about_declared(c, kind)}
    return [check for name in baseline.resources[kind] for check in _of(baseline, controls, kind, name)]


def _of(baseline: Baseline, controls: dict[str, Control], kind: str, name: str) -> Iterator[Check]:
    resource, place = baseline.resources[kind][name], baseline.place(kind, name)
    stated = resource.stated().keys()
    rest = set(stated)
    narrow = []
    if not resource.control and resource.ensure == "present":
        for id_, control in controls.items():
            mine = stated & control.fields
            if mine:
                rest -= mine
                narrow.append(Check(kind, name, id_, control, frozenset(mine), resource, place, f"{name}:{id_}"))
    general = resource.control or next(id_ for id_, control in controls.items() if not control.fields)
    yield Check(kind, name, general, controls[general], frozenset(rest), resource, place, name)
    yield from narrow


def _about_declared(control: Control, kind: str) -> bool:
    return control.kind == kind and not control.undeclared and not control.smoke


def smoke_check(baseline: Baseline, kind: str, name: str) -> Check | None:
    """Return the check of one smoke test of a kind; None where the baseline has no control for it."""
    for id_, control in baseline.sections.controls.items():
        if control.kind == kind and (control.smoke is True or (control.smoke and name in control.smoke)):
            place = baseline.layer.place(("controls", id_))
            return Check(kind, name, id_, control, None, None, place, name)
    return None


def undeclared_check(baseline: Baseline, kind: str) -> Check | None:
    """Return the check of what exists of a kind without being declared; None where the policy is to ignore it."""
    if baseline.policy(kind).policy == "ignore":
        return None
    controls = baseline.sections.controls.items()
    id_, control = next((id_, c) for id_, c in controls if c.kind == kind and c.undeclared)
    return Check(kind, EVERYTHING_ELSE, id_, control, None, None, baseline.place(kind, "*"), EVERYTHING_ELSE)
