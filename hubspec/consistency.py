"""What a baseline may not say about itself, known before any look at a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hubspec.faults import nearest
from hubspec.kind import Kind
from hubspec.kinds import KINDS
from hubspec.layers import dotted
from hubspec.waiver_file import untimely

if TYPE_CHECKING:
    from hubspec.baseline import Baseline
    from hubspec.model import Control


def inconsistencies(baseline: Baseline) -> Iterator[str]:
    """Yield a sentence, with file and line, for each thing that cannot be meant."""
    sections, place = baseline.sections, baseline.layer.place
    if not any(baseline.resources.values()) and not baseline.layer.faults:
        yield f"{baseline.file}:1: declares nothing, so nothing would be checked; declare something, or extend a baseline"
    for id_, control in sections.controls.items():
        where = ("controls", id_)
        if control.kind not in KINDS:
            hint = nearest(control.kind, KINDS)
            yield f"{place((*where, 'kind'))}: {dotted(where)}: there is no kind {control.kind!r}; {hint}"
            continue
        known = KINDS[control.kind].resource.fields_compared()
        for name in control.fields:
            if name not in known:
                hint = nearest(name, known)
                yield f"{place((*where, 'fields'))}: {dotted(where)}: a {control.kind} has no field {name!r}; {hint}"
    for kind in KINDS.values():
        yield from _without_control(baseline, kind)
    for key, waiver in sections.waivers.items():
        where = ("waivers", key)
        if waiver.control not in sections.controls:
            yield f"{place((*where, 'control'))}: {dotted(where)}: there is no control {waiver.control!r}"
    yield from untimely(sections.waivers, baseline.layer)
    yield from _accounts(baseline)
    yield from _members(baseline)


def _without_control(baseline: Baseline, kind: Kind) -> Iterator[str]:
    controls = {id_: c for id_, c in baseline.sections.controls.items() if c.kind == kind.name}
    mine = baseline.resources[kind.name]
    general = [id_ for id_, c in controls.items() if not c.fields and not c.undeclared and not c.smoke]
    for name, resource in mine.items():
        if resource.control and (resource.control not in controls or controls[resource.control].undeclared):
            yield (
                f"{baseline.place(kind.name, name)}: {kind.section}.{name}: there is no control {resource.control!r}"
                f" about declared resources of kind {kind.name}"
            )
    if not general and any(not resource.control for resource in mine.values()):
        first = next(name for name, resource in mine.items() if not resource.control)
        yield (
            f"{baseline.place(kind.name, first)}: {kind.section}: no control is about every {kind.name}; add one"
            f" with kind: {kind.name} under controls, or extend emr.yaml"
        )
    yield from _smoke(baseline, kind, controls)
    watched = [id_ for id_, c in controls.items() if c.undeclared]
    if baseline.policy(kind.name).policy != "ignore" and not watched:
        yield f"{baseline.place(kind.name, '*')}: undeclared.{kind.name}: no control of kind {kind.name} has undeclared: true"
    for what, ids in (("every", general), ("the undeclared", watched)):
        if len(ids) > 1:
            place = baseline.layer.place(("controls", ids[1]))
            yield f"{place}: controls.{ids[1]}: {ids[0]} is already about {what} {kind.name}; give one of them fields"


def _smoke(baseline: Baseline, kind: Kind, controls: Mapping[str, Control]) -> Iterator[str]:
    taken: dict[str, str] = {}
    for id_, control in controls.items():
        place = baseline.layer.place(("controls", id_))
        for name in kind.smoke if control.smoke is True else control.smoke or ():
            if name not in kind.smoke:
                known = ", ".join(kind.smoke) or "none"
                yield f"{place}: controls.{id_}: there is no smoke test {name} of kind {kind.name}; known are: {known}"
            elif name in taken:
                yield f"{place}: controls.{id_}: {taken[name]} is already about the smoke test {name} of kind {kind.name}"
            taken.setdefault(name, id_)


def _accounts(baseline: Baseline) -> Iterator[str]:
    users = baseline.resources["user"]
    uids: dict[int, str] = {}
    for name, user in users.items():
        uid = getattr(user, "uid", None)
        if uid is not None and user.ensure == "present" and uids.setdefault(uid, name) != name:
            yield f"{baseline.place('user', name)}: users.{name}: uid {uid} is already that of {uids[uid]}"
    if baseline.sections.accounts == "directory":
        return
    present = {name.lower() for name, user in users.items() if user.ensure == "present"}
    for name, hub_user in baseline.resources["hub_user"].items():
        if hub_user.ensure == "present" and name not in present:
            yield (
                f"{baseline.place('hub_user', name)}: hub_users.{name}: has no account in the container, so it could not"
                f" log in; declare it under users, or say accounts: directory where they come from LDAP"
            )


def _members(baseline: Baseline) -> Iterator[str]:
    """Yield where a user's groups and a group's users say different things: each would undo what the other puts right."""
    users, groups = (
        {name: one for name, one in baseline.resources[kind].items() if one.ensure == "present"}
        for kind in ("hub_user", "hub_group")
    )
    for group, resource in groups.items():
        members = getattr(resource, "users", None)
        at = f"{baseline.place('hub_group', group)}: hub_groups.{group}"
        for name in members or ():
            if name in baseline.resources["hub_user"] and name not in users:
                yield f"{at}: {name} must not be there, says hub_users.{name}"
        for name, user in users.items():
            said = getattr(user, "groups", None)
            if members is None or said is None or (group in said) == (name in members):
                continue
            more = f"{name} is in it, says" if group in said else f"{name} is not in it, says"
            yield f"{at}: {more} hub_users.{name}.groups; say the same in both, or groups in one of them only"
    for name, user in users.items():
        for group in getattr(user, "groups", None) or ():
            if group in baseline.resources["hub_group"] and group not in groups:
                place = baseline.place("hub_user", name)
                yield f"{place}: hub_users.{name}: the group {group} must not be there, says hub_groups.{group}"
