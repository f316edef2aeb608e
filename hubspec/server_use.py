"""What a person does with a notebook server, done by its API: look, write a notebook, run a cell in each kernel.

Source of fact: notebook 5.0 to 6.5 and jupyter-server 1 and 2, `services/*/handlers.py`.
"""

from __future__ import annotations

import contextlib
import secrets
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hubspec.cell import Heard, execute, message, product
from hubspec.door import Channel, LiveDoor
from hubspec.errors import AnsweredError, DoorError, SilentError
from hubspec.hub_path import hub_path
from hubspec.model import Difference
from hubspec.part import BrokenError, Part

Say = Callable[[str], None]
KERNEL = 60.0
"""Seconds that a kernel may take to start and run one cell, and to be sure between two asks whether it is there."""
AGAIN = 2.0
_NOT_FOUND = 404
Specs = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Visit:
    """Who uses whose server, until when (monotonic clock), and whom it tells."""

    server: LiveDoor
    name: str
    until: float
    say: Say


def look(visit: Visit, part: Part) -> Specs:
    """Return the kernelspecs that a user's server tells of, after its version and status were read. Raises DoorError."""
    server, path = visit.server, f"/user/{visit.name}/api"
    version = server.ask("GET", path)
    part.note(f"GET {path}: {version}")
    with contextlib.suppress(_Missing):
        part.note(f"GET {path}/status: {_unless_missing(server, f'{path}/status')}")
    told = server.ask("GET", f"{path}/kernelspecs")
    specs = {key: (one or {}).get("spec") or {} for key, one in (told.get("kernelspecs") or {}).items()}
    part.note(f"GET {path}/kernelspecs: {', '.join(sorted(specs)) or 'none'}")
    part.found = {"version": (version or {}).get("version"), "kernelspecs": sorted(specs)}
    return specs


class _Missing(Exception):  # noqa: N818 - no fault: what is asked for came with notebook 5.0
    pass


def _unless_missing(server: LiveDoor, path: str) -> Any:
    try:
        return server.ask("GET", path)
    except AnsweredError as error:
        if error.status == _NOT_FOUND:
            raise _Missing from None
        raise


def contents(visit: Visit, part: Part) -> str:
    """Write a notebook, read it back, compare and delete it. Raises BrokenError, DoorError."""
    server, file = visit.server, f"hubspec-{secrets.token_hex(4)}.ipynb"
    path, text = f"/user/{visit.name}/api/contents/{file}", f"hubspec {secrets.token_hex(16)}"
    cell = {"cell_type": "markdown", "metadata": {}, "source": text}
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}
    server.ask("PUT", path, {"type": "notebook", "format": "json", "content": notebook})
    part.note(f"PUT {path}")
    try:
        cells = ((server.ask("GET", path) or {}).get("content") or {}).get("cells") or []
        part.note(f"GET {path}: {len(cells)} cell")
        found = ["".join(one.get("source", "")) for one in cells]
    finally:
        server.ask("DELETE", path)
        part.note(f"DELETE {path}")
    if found != [text]:
        raise BrokenError(
            "the notebook that was written is another when it is read", Difference("notebook", [text], found)
        )
    try:
        server.ask("GET", f"{path}?content=0")
    except AnsweredError as error:
        if error.status == _NOT_FOUND:
            return "a notebook was written, read back the same, and deleted"
        raise
    raise BrokenError("the notebook is still there after it was deleted", Difference("notebook", None, file))


def kernels(visit: Visit, specs: Specs, declared: Collection[str], part: Part) -> str:
    """Run a cell in each declared kernel, or in each that there is where none is declared. Raises BrokenError, DoorError."""
    wanted = sorted(declared or specs)
    if not wanted:
        raise BrokenError("the server knows no kernel", Difference("kernels", "at least one", []))
    wrong = []
    for kernel in wanted:
        spec = specs.get(kernel)
        found = "not installed" if spec is None else _kernel(visit, kernel, spec, part)
        visit.say(f"{visit.name}: kernel {kernel}: {found or 'ran a cell'}")
        part.found[kernel] = found or "ran a cell"
        if found:
            wrong.append(Difference(kernel, "runs a cell", found))
    if wrong:
        told = "; ".join(f"{one.field}: {one.found}" for one in wrong)
        raise BrokenError(f"{len(wrong)} of {len(wanted)} kernels did not run a cell: {told}", *wrong)
    return f"a cell that prints the product of two random numbers ran in {', '.join(wanted)}"


def _kernel(visit: Visit, kernel: str, spec: Mapping[str, Any], part: Part) -> str:
    """Return what went wrong; nothing where it ran the cell."""
    server, base = visit.server, f"/user/{visit.name}/api/kernels"
    limit = min(visit.until, time.monotonic() + KERNEL)
    try:
        made = server.ask("POST", base, {"name": kernel})
        part.note(f"{kernel}: POST {base}")
        path = f"{base}{hub_path(str(made['id']))}"
    except AnsweredError as error:
        return str(error)
    try:
        session = uuid.uuid4().hex
        address = f"{path}/channels?session_id={session}"
        with contextlib.closing(server.channel(address, limit - time.monotonic())) as channel:
            found = _cell(channel, spec, session, limit, lambda text: part.note(f"{kernel}: {text}"))
    except AnsweredError as error:
        found = str(error)
    except SilentError as error:
        # A notebook server may keep a websocket waiting for as long as its kernel says nothing.
        found = f"it did not answer ({_why(server, error)})"
    except DoorError as error:
        found = _why(server, error)
    try:
        server.ask("DELETE", path)
        part.note(f"{kernel}: DELETE {path}")
    except AnsweredError as error:
        found = found or f"it could not be ended: {error}"
    return found


def _why(server: LiveDoor, error: DoorError) -> str:
    """Return why a websocket broke off, where the hub still answers. Raises the error where it does not."""
    try:
        server.ask("GET", "/hub/api")
    except DoorError:
        raise error from None
    return str(error)


def _cell(channel: Channel, spec: Mapping[str, Any], session: str, limit: float, note: Say) -> str:
    one, two = (secrets.randbelow(90_000) + 10_000 for _ in range(2))
    code = product(spec, one, two)
    # What a kernel says before anybody listens is lost, so it is asked until it is heard.
    heard = None
    while heard is None or not heard.done:
        id_, text = message("kernel_info_request", {}, session)
        channel.send(text)
        heard = _listen(channel, id_, min(limit, time.monotonic() + AGAIN))
        if heard.died:
            return "it died as it started"
        if not heard.done and time.monotonic() >= limit:
            return f"it did not answer within {KERNEL:g} s, or until its time was up"
    note("it is there")
    if code is None:
        note(f"no cell of ours is in {spec.get('language')!r}; it answers, and nothing was run")
        return ""
    id_, text = execute(code, session)
    channel.send(text)
    heard = _listen(channel, id_, limit)
    if not heard.done:
        return "it did not end a cell before its time was up"
    if heard.died or heard.replied != "ok" or heard.output.strip() != str(one * two):
        said = "; ".join(heard.errors) or f"it printed {heard.output.strip()!r}"
        return f"it ran {code!r} ({'died' if heard.died else heard.replied}): {said}"
    note(f"{code!r} printed {heard.output.strip()}")
    return ""


def _listen(channel: Channel, about: str, until: float) -> Heard:
    heard = Heard(about)
    while not heard.done and (left := until - time.monotonic()) > 0:
        text = channel.receive(left)
        if text is not None:
            heard.hear(text)
    return heard
