"""The lab's breaks: each injects exactly one named drift or fault, and takes it back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager

from lab import engine, house, state
from lab.breaks import (
    access,
    cluster,
    container,
    content,
    face,
    gateway,
    kernel,
    proxy,
    server,
    service,
    setting,
    step,
    use,
)
from lab.breaks.model import Break, RefusedError, Scene
from lab.model import LabError

__all__ = ["BREAKS", "Break", "RefusedError", "apply", "listing", "mend"]

BREAKS: dict[str, Break] = {
    entry.name: entry
    for table in (
        *(container.TABLE, content.TABLE, kernel.TABLE, setting.TABLE, face.TABLE, service.TABLE, use.TABLE),
        *(access.TABLE, proxy.TABLE, gateway.TABLE, cluster.TABLE, step.TABLE, server.TABLE),
    )
    for entry in table
}


def apply(name: str) -> None:
    """Break one thing; twice is as once. Raises: LabError for an unknown name, or where the lab is down; RefusedError."""
    entry = _known(name)
    with _scene() as scene:
        if entry.lacked_by(scene.lab):
            raise RefusedError(
                f"what this breaks is there from JupyterHub {entry.since} on",
                found=f"JupyterHub {scene.lab.version}",
                then="python -m lab up --hub VERSION",
            )
        entry.apply(scene)
    state.note_broken(sorted({*state.broken(), name}))


def mend(name: str) -> None:
    """Take one break back; twice is as once. Raises: LabError for an unknown name, or where the lab is down."""
    entry = _known(name)
    with _scene() as scene:
        if not entry.lacked_by(scene.lab):
            entry.mend(scene)
    state.note_broken([other for other in state.broken() if other != name])


def listing(*, as_json: bool) -> str:
    """Answer all breaks, for a person or as JSON."""
    if as_json:
        keys = ("name", "sentence", "kind", "resource", "field", "exit_code", "smoke")
        return json.dumps([{key: getattr(entry, key) for key in keys} for entry in BREAKS.values()], indent=2)
    rows = [
        f"{entry.name:<28} {entry.kind:<10} exit {entry.exit_code:<3} {entry.sentence}{_by(entry)}"
        for entry in BREAKS.values()
    ]
    return "\n".join(rows)


def _by(entry: Break) -> str:
    return f" (--smoke={entry.smoke})" if entry.smoke else ""


def _known(name: str) -> Break:
    if name not in BREAKS:
        raise LabError(f"no break is called {name}", then="python -m lab breaks")
    return BREAKS[name]


@contextmanager
def _scene() -> Iterator[Scene]:
    client = engine.connect()
    if client is None:
        raise LabError("no Docker engine answers", then="python -m lab up")
    with closing(client), engine.told():
        lab = house.look(client)
        if lab is None:
            raise LabError("the lab is not up", then="python -m lab up")
        yield Scene(client, lab)
