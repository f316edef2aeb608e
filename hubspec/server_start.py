"""Starting a notebook server through the hub's API, its progress shown, and stopping it until it is gone (JupyterHub 0.8 and later)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from hubspec.door import LiveDoor
from hubspec.errors import AnsweredError, BusyError, DoorError
from hubspec.model import Difference
from hubspec.part import BrokenError, Part
from hubspec.probe import active

Say = Callable[[str], None]
POLL = 0.1
LIMIT = 30.0
"""Seconds that a stop may take at least: a LocalProcessSpawner interrupts, terminates and kills within 20."""
_TOO_MANY = 429


def start(hub: LiveDoor, name: str, until: float, say: Say, part: Part) -> str:
    """Start the server of a user, and return how long that took once it is ready.

    Raises BrokenError with the hub's own words where it does not start in time, DoorError where it could not be tried.
    """
    path, begun = f"/hub/api/users/{name}", time.monotonic()
    words = ""
    while True:
        request = hub.begin("POST", f"{path}/server")
        part.note(f"POST {path}/server")
        while not request.wait(POLL) and time.monotonic() < until:
            words = _progress(hub, path, until, say, part) or words
        error = request.error
        if not isinstance(error, BusyError):
            break
        if time.monotonic() + error.after > until:
            raise DoorError(f"the hub has no room for another server: {error}")
        part.note(f"{error}; again in {error.after:g} s")
        say(f"{name}: the hub asks to come again in {error.after:g} s")
        time.sleep(error.after)
    if isinstance(error, AnsweredError):
        if error.status == _TOO_MANY:
            raise DoorError(f"the hub has no room for another server: {error}")
        raise BrokenError(
            f"its server did not start: {words or error}", Difference("server", "ready", words or str(error))
        )
    _ready(hub, path, until, part, words)
    return f"its server was ready after {time.monotonic() - begun:.1f} s"


def _progress(hub: LiveDoor, path: str, until: float, say: Say, part: Part) -> str:
    """Tell the hub's progress events; return its words where the start failed. Before 0.9 there are none."""
    told = ""
    with contextlib.suppress(DoorError):
        for event in hub.events(f"{path}/server/progress", max(until - time.monotonic(), POLL)):
            text = f"{event.get('progress', '?')} %: {event.get('message', '')}"
            if text != told:
                told = text
                part.note(text)
                say(f"{path.rpartition('/')[2]}: {text}")
            if event.get("failed"):
                return str(event.get("message", ""))
            if event.get("ready"):
                break
    return ""


def _ready(hub: LiveDoor, path: str, until: float, part: Part, words: str) -> None:
    told = ""
    while True:
        try:
            state = _state(hub.ask("GET", path))
        except AnsweredError:
            raise
        except DoorError as error:
            state = f"no answer: {error}"  # a hub that restarts may come back with the server
        if state == "ready":
            return
        if state != told:
            told = state
            part.note(f"the hub says of it: {state}")
        if state == "stopped":
            sentence = words or _progress(hub, path, until, lambda _line: None, part) or "the hub gave it up"
            raise BrokenError(f"its server did not start: {sentence}", Difference("server", "ready", sentence))
        if time.monotonic() > until:
            sentence = f"its server was not ready when its time was up ({state}); give it more with --smoke-deadline"
            raise BrokenError(sentence, Difference("server", "ready", state))
        time.sleep(POLL)


def _state(user: Mapping[str, Any]) -> str:
    one = (user.get("servers") or {}).get("")
    pending = (one or user).get("pending")
    if pending:
        return f"pending: {pending}"
    return "ready" if (one or {}).get("ready", bool(user.get("server"))) else "stopped"


def stop(hub: LiveDoor, name: str, until: float, part: Part) -> None:
    """Stop the server, and wait until the hub and its proxy do not know it any more. Raises BrokenError, DoorError."""
    path, until = f"/hub/api/users/{name}", max(until, time.monotonic() + LIMIT)
    hub.ask("DELETE", f"{path}/server")
    part.note(f"DELETE {path}/server")
    while active(user := hub.ask("GET", path)):
        if time.monotonic() > until:
            state = _state(user)
            raise BrokenError(
                f"its server was still there when its time was up ({state})", Difference("server", "stopped", state)
            )
        time.sleep(POLL)
    part.note("the hub knows no server of it any more")
    try:
        hub.ask("GET", f"/user/{name}/api")
    except AnsweredError as error:
        part.note(f"GET /user/{name}/api: {error.status}")
    else:
        found = "it still answers"
        raise BrokenError(
            f"its server was stopped, and {found} at /user/{name}/api", Difference("server", "stopped", found)
        )
