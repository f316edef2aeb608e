"""Frameworks from their files: which requirement is spoken about by which controls, apart from checks and baselines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import ValidationError

from hubspec.errors import BaselineError
from hubspec.faults import sentence
from hubspec.layers import Layer, dotted, read
from hubspec.model import Control, Framework


def frameworks(layer: Layer, names: Sequence[str], faults: list[str]) -> list[Framework]:
    """Return the framework in each file that a baseline names, relative to the file that names it; its file is one of the layer's.

    Adds a fault for each that is no framework, and for one that stands twice.
    """
    found: dict[str, Framework] = {}
    for number, name in enumerate(names):
        where = ("frameworks", number)
        place = layer.place(where)
        try:
            there = read(place.file.parent / name)
            layer.files |= there.files
            one = _framework(there, faults)
        except BaselineError as error:
            faults += [f"{place}: {dotted(where)}: {fault}" for fault in error.faults]
            continue
        if one and one.id in found:
            faults.append(f"{place}: {dotted(where)}: the framework {one.id} is there already; take one of them out")
        elif one:
            found[one.id] = one
    return list(found.values())


def _framework(layer: Layer, faults: list[str]) -> Framework | None:
    faults += layer.faults
    try:
        return Framework.model_validate(layer.data)
    except ValidationError as error:
        faults += [sentence(layer, layer.data, fault, Framework) for fault in error.errors()]
        return None


def tagged(controls: Mapping[str, Control], maps: Sequence[Framework]) -> dict[str, Control]:
    """Return each control with the requirements that the frameworks name it for, beside those of its own tags."""
    named: dict[str, dict[str, list[str]]] = {}
    for one in maps:
        for requirement, about in one.requirements.items():
            for control in about.controls:
                named.setdefault(control, {}).setdefault(one.id, []).append(requirement)
    return {
        id_: control.model_copy(update={"tags": _joined(control.tags, named[id_])})
        for id_, control in controls.items()
        if id_ in named
    }


def _joined(own: Mapping[str, list[str]], more: Mapping[str, list[str]]) -> dict[str, list[str]]:
    names = dict.fromkeys((*own, *more))
    return {name: list(dict.fromkeys((*own.get(name, ()), *more.get(name, ())))) for name in names}


def lines(controls: Mapping[str, Control], maps: Sequence[Framework]) -> Iterator[str]:
    """Yield what is mapped and what is not, for a person: each requirement, and the controls that no framework names."""
    for one in maps:
        covered = sum(any(id_ in controls for id_ in about.controls) for about in one.requirements.values())
        yield f"{one.id}: {one.title} {one.version}".rstrip()
        yield f"  {covered} of {len(one.requirements)} requirements are spoken about by controls"
        for requirement, about in one.requirements.items():
            known = [id_ for id_ in about.controls if id_ in controls]
            gone = [id_ for id_ in about.controls if id_ not in controls]
            told = ", ".join(known) or "not covered"
            yield f"  {requirement}  {about.title}: {told}" + (
                f" (not in this baseline: {', '.join(gone)})" if gone else ""
            )
    bare = [id_ for id_, control in controls.items() if not any(control.tags.values())]
    yield f"controls without a requirement: {', '.join(bare) or 'none'}"
