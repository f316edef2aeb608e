"""A fault of a baseline as a sentence: file, line, where in it, what was wanted and found, the nearest known word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, get_args

from pydantic import BaseModel

from hubspec.layers import Layer, Where, dotted


def sentence(layer: Layer, data: Any, fault: Any, top: type[BaseModel]) -> str:
    """Return one of pydantic's errors about `data`, read from `layer`, as a person would say it. `top` is its model."""
    where: Where = ()
    at = data
    for step in fault["loc"]:
        inside = (isinstance(at, dict) and step in at) or (isinstance(at, list) and isinstance(step, int))
        if inside:
            at, where = at[step], (*where, step)
    if where[-1:] == ("name",) and where not in layer.places:  # a resource's name is its key
        where = where[:-1]
    what, given = fault["type"], fault["input"]
    if what == "extra_forbidden":
        key = str(fault["loc"][-1])
        text = f"unknown key {key!r}; {nearest(key, _known(top, where[:-1]))}"
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


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the hint that helps with a word that is not known."""
    near = difflib.get_close_matches(word, known := list(known), 1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"


_WANTED = {
    "string_type": "wanted text (in quotes where it looks like a number or a date)",
    "int_type": "wanted a whole number",
    "bool_type": "wanted true or false",
    "list_type": "wanted a list",
    "dict_type": "wanted a mapping",
    "model_type": "wanted a mapping",
    "string_too_short": "wanted some text",
    "greater_than_equal": "wanted 0 or more",
    "model_attributes_type": "wanted a mapping",
}


def _shown(value: Any) -> str:
    if isinstance(value, bool | None):
        return {True: "true", False: "false", None: "nothing"}[value]
    try:
        text = value.isoformat() if isinstance(value, date) else repr(value)
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return "a very long number"
    return text if len(text) <= 60 else text[:57] + "..."


def _known(top: type[BaseModel], where: Where) -> list[str]:
    model: Any = top
    for step in where:
        annotation = (
            model.model_fields[step].annotation
            if hasattr(model, "model_fields") and step in model.model_fields
            else None
        )
        models = [part for part in _parts(annotation) if isinstance(part, type) and hasattr(part, "model_fields")]
        model = models[0] if models else model
    return [field.alias or name for name, field in model.model_fields.items() if name != "name"]


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def in_order(faults: Iterable[str]) -> list[str]:
    """Return each fault once, by file and line."""

    def by_place(fault: str) -> tuple[str, int]:
        file, _, rest = fault.partition(":")
        line = rest.partition(":")[0]
        return file, int(line) if line.isdigit() else 0

    return sorted(dict.fromkeys(faults), key=by_place)
