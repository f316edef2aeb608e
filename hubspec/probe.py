"""A probe user: an account and a hub user of a smoke test's own, and all that becomes of them taken back."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pydantic import SecretStr

from hubspec import probe_account as account
from hubspec import probe_name
from hubspec.door import ContainerWorker, Doors, LiveDoor
from hubspec.errors import AnsweredError, DoorError
from hubspec.model import Action

Say = Callable[[str], None]
SILENCE, PATIENCE = 30.0, 120.0
"""Seconds after which a hub that does not answer is given up, and one that still starts or stops a server: by its own
limits that is over within `Spawner.start_timeout` and `http_timeout`, 60 and 30 seconds."""
POLL = 0.2
_NOT_FOUND, _FORBIDDEN = 404, 403


@dataclass(frozen=True)
class Probe:
    """A probe user: its name in the container and in the hub, and its password, which is nowhere else."""

    name: str
    password: SecretStr


@contextlib.contextmanager
def probe_user(doors: Doors, say: Say, left: list[Action]) -> Iterator[Probe]:
    """Yield a probe user that nobody else has; at the end its servers are stopped and all of it is removed.

    That is so whatever ends it: the body, its failure, an interrupt, or a making that failed half-way. What could not be
    removed is said, and put into `left` as actions for a person. Probe users that a killed run left behind an hour ago
    or more are removed first. An interrupt belongs into the body: whoever calls lets it come there only
    (`fixtures/interrupts.py`), so that nothing is between making and knowing it.

    Raises DoorError where a probe user cannot be made here.
    """
    worker, hub = _ways(doors)
    say = partial(_said, say)
    for name in _forgotten(doors, worker):
        say(f"{name}: left behind by a smoke test that was killed; removing it")
        _take_back(name, worker, hub, say, left)
    probe = Probe(probe_name.new(datetime.now(UTC)), SecretStr(secrets.token_urlsafe(24)))
    try:
        account.make(worker, probe.name, probe.password)
        hub.ask("POST", f"/hub/api/users/{probe.name}", {})
        say(f"{probe.name}: made, in the container and in the hub")
        yield probe
    finally:
        _take_back(probe.name, worker, hub, say, left)


def _said(say: Say, text: str) -> None:
    """Say it; where nobody hears any more (`| head`), what is under way goes on, and so does the taking back."""
    with contextlib.suppress(OSError):
        say(text)


def _ways(doors: Doors) -> tuple[ContainerWorker, LiveDoor]:
    assert doors.work is not None
    assert doors.live is not None
    workers = doors.work(lambda: False)
    if workers.bundle:
        raise DoorError(
            "a probe user is made by docker or ssh only: EMR keeps what a step is told; leave out --via, and --door step or ssm"
        )
    return workers.container, doors.live(None)


def _forgotten(doors: Doors, worker: ContainerWorker) -> list[str]:
    known = {str(user.get("name")) for user in doors.hub.pages("/users") if isinstance(user, dict)}
    now = datetime.now(UTC)
    return sorted(name for name in {*known, *account.names(worker)} if probe_name.left_behind(name, now))


def _take_back(name: str, worker: ContainerWorker, hub: LiveDoor, say: Say, left: list[Action]) -> None:
    say(f"{name}: stopping its server, and removing it from the hub and the container")
    actions = []
    if why := _out_of_the_hub(name, hub, say):
        sentence = f"delete the hub user {name} and its tokens, which a smoke test left behind: {why}"
        actions.append(Action(sentence=sentence, door="hub", request=f"DELETE /hub/api/users/{name}", safety="manual"))
    if why := account.remove(worker, name):
        sentence = f"remove the account {name} and its home, which a smoke test left behind: {why}"
        actions.append(Action(sentence=sentence, door="container", request=account.by_hand(name), safety="manual"))
    for action in actions:
        say(f"{name}: {action.sentence}: {action.request}")
    left += actions


def _out_of_the_hub(name: str, hub: LiveDoor, say: Say) -> str:
    """Stop the servers of a hub user, wait until they are gone, and delete the user; return why that could not be."""
    begun = told = time.monotonic()
    while True:
        limit = PATIENCE
        try:
            if _gone(name, hub):
                return ""
            why = "its server is still starting or stopping"
        except AnsweredError as error:
            if error.status == _FORBIDDEN:
                return str(error)
            why = str(error)
        except DoorError as error:
            why, limit = str(error), SILENCE
        now = time.monotonic()
        if now - begun > limit:
            return why
        if now - told > 5:
            told = now
            say(f"{name}: not removed yet, {now - begun:.0f} s so far: {why}")
        time.sleep(POLL)


def _gone(name: str, hub: LiveDoor) -> bool:
    path = f"/hub/api/users/{name}"
    try:
        hub.ask("GET", "/hub/api")
    except AnsweredError as error:  # its proxy answers 404 to all, and 503, while the hub itself restarts
        raise DoorError(f"the hub does not answer: {error}") from None
    try:
        user = hub.ask("GET", path)
        if not isinstance(user, dict):
            raise DoorError(f"GET {path} answered no user")
        if active(user):
            hub.ask("DELETE", f"{path}/server")
            return False
        hub.ask("DELETE", path)
    except AnsweredError as error:
        if error.status == _NOT_FOUND:
            return _gone_indeed(hub)
        raise
    return True


def _gone_indeed(hub: LiveDoor) -> bool:
    """Say whether it was the hub that knows of no such user, and not its proxy that knows of no hub."""
    with contextlib.suppress(DoorError):
        return bool((hub.ask("GET", "/hub/api") or {}).get("version"))
    return False


def active(user: dict[str, Any]) -> bool:
    """Say whether a user object of the hub (JupyterHub 0.8 and later) has a server that runs, starts or stops."""
    servers = user.get("servers") or {}
    return bool(user.get("server") or user.get("pending") or any(not one.get("stopped") for one in servers.values()))
