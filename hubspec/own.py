"""Users' own checks: the control that a marker states, and what such a check is called. Pure: no pytest, no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hubspec.baseline import Baseline, ControlId
from hubspec.check import Check
from hubspec.faults import nearest
from hubspec.kind import OWN
from hubspec.layers import Place
from hubspec.model import Control, Severity

_WORDS = ("title", "severity", "why", "fix", "tags")
_NEEDED = ("title", "severity", "why")


@dataclass(frozen=True)
class Stated:
    """What a marker states: the id of a control, the control, and the command that puts it right, where there is one."""

    id: str
    control: Control
    fix: str = ""


def stated(args: Sequence[Any], words: Mapping[str, Any]) -> Stated:
    """Return what a marker states. Raises ValueError with every fault of it, a line each."""
    faults = list(_faults(args, words))
    if faults:
        raise ValueError("\n".join(faults))
    own = {name: words[name] for name in ("title", "severity", "why", "tags") if name in words}
    return Stated(args[0], Control(kind=OWN, **own), words.get("fix", ""))


def _faults(args: Sequence[Any], words: Mapping[str, Any]) -> Iterator[str]:
    if len(args) != 1 or not isinstance(args[0], str):
        yield f'wanted the id of the control, such as control("ORG-01", ...); found {", ".join(map(repr, args)) or "none"}'
    else:
        try:
            TypeAdapter(ControlId).validate_python(args[0])
        except ValidationError:
            yield f'{args[0]!r} is no id of a control; wanted capitals, digits and hyphens, such as "ORG-01"'
    yield from (f"there is no {word!r}; {nearest(word, _WORDS)}" for word in words if word not in _WORDS)
    missing = [word for word in _NEEDED if word not in words]
    if missing:
        yield f"has no {' and no '.join(missing)}"
    for word in ("title", "why", "fix"):
        if word in words and not (isinstance(words[word], str) and words[word].strip()):
            yield f"{word}: wanted some text; found {words[word]!r}"
    if "severity" in words and words["severity"] not in list(Severity):
        yield f"severity: wanted {', '.join(list(Severity)[:-1])} or {list(Severity)[-1]}; found {words['severity']!r}"
    tags = words.get("tags", {})
    if not isinstance(tags, Mapping) or not all(
        isinstance(name, str) and isinstance(ids, list) and all(isinstance(one, str) for one in ids)
        for name, ids in tags.items()
    ):
        yield f'tags: wanted framework -> its requirements, such as {{"nist-800-53": ["AC-2"]}}; found {tags!r}'


def check(said: Stated, baseline: Baseline, name: str, place: Place) -> Check:
    """Return the check of an own control on one thing, by `name`. Raises ValueError where the baseline has a control of its id."""
    known = baseline.sections.controls.get(said.id)
    if known:
        where = baseline.layer.place(("controls", said.id))
        raise ValueError(f"{said.id} is already a control of kind {known.kind}, in {where}; take another id")
    return Check(OWN, name, said.id, said.control, None, None, place, name)


def named(function: str, parameters: str, *, alone: bool) -> str:
    """Return what a check is about: its parameters, or else its function; both where the control is not its alone."""
    name = re.sub(r"^test_?", "", function) or function
    return (parameters or name) if alone else f"{name}[{parameters}]" if parameters else name
