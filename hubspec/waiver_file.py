"""Waivers in a file of their own: YAML to waivers with the place of each, every fault told at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field, ValidationError

from hubspec.errors import BaselineError
from hubspec.faults import in_order, sentence
from hubspec.layers import Layer, dotted, read
from hubspec.model import Value, Waiver
from hubspec.waiver_time import odd


class WaiverFile(Value):
    """A file of waivers as it is written. Like a baseline it may extend others."""

    waivers: dict[str, Waiver] = Field(default_factory=dict)


def load(path: Path) -> tuple[dict[str, Waiver], Layer]:
    """Return the waivers of a file by their keys, and where each was written.

    A control that is in no baseline is no fault here: a file may serve several baselines, and checks of one's own.
    Raises BaselineError with every fault found, each with its file and line.
    """
    try:
        empty = not path.read_bytes().strip()
    except FileNotFoundError:
        raise BaselineError([f"{path}: there is no such file; give one with --waivers"]) from None
    except OSError as error:
        raise BaselineError([f"{path}: cannot be read: {error}"]) from None
    if empty:
        raise BaselineError([f"{path}:1: is empty; write 'waivers: {{}}' where there are none"])
    layer = read(path)
    try:
        waivers = WaiverFile.model_validate(layer.data).waivers
    except ValidationError as error:
        told = [sentence(layer, layer.data, fault, WaiverFile) for fault in error.errors()]
        raise BaselineError(in_order([*layer.faults, *told])) from None
    if faults := [*layer.faults, *untimely(waivers, layer)]:
        raise BaselineError(in_order(faults))
    return waivers, layer


def untimely(waivers: dict[str, Waiver], layer: Layer) -> Iterator[str]:
    """Yield a sentence, with file and line, for each time of a waiver that cannot be meant."""
    for key, waiver in waivers.items():
        where = ("waivers", key)
        for field, text in odd(waiver):
            yield f"{layer.place((*where, field))}: {dotted(where)}: {text}"
