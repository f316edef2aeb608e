"""The smoke test of token authentication: whoever has no right is really refused, and an admin is let in, by both headers.

Source of fact for the statuses: JupyterHub 0.8.1, 1.5.0, 2.3.1, 5.4.6 and 6.1.1, `apihandlers/` and `scopes.py`; a hub answers 403 and never 401.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from hubspec.door import Doors, KnockDoor, LiveDoor
from hubspec.errors import DoorError
from hubspec.hub_path import API, hub_path
from hubspec.model import Action, Difference, Outcome
from hubspec.probe import probe_user

NO_TOKEN, WRONG, REVOKED, EXPIRED = "no-token", "wrong-token", "revoked-token", "expired-token"
NO_ADMIN, FEW, ADMIN = "token-of-no-admin", "token-of-too-few-scopes", "token-of-an-admin"
NAMES = (NO_TOKEN, WRONG, REVOKED, EXPIRED, NO_ADMIN, FEW, ADMIN)
SCHEMES = ("token", "Bearer")
LIFE, SHORT = 600, 3
"""Seconds that a token lives which is revoked at the end, and one that is waited for to end."""
_OK, _LOGIN, _FORBIDDEN, _NOT_FOUND = 200, 302, 403, 404
_OLD = (
    "JupyterHub before 0.9 (EMR before 5.19) cannot take a token back by its API, nor give one an end, so none is made"
)
_NO_SCOPES = "before JupyterHub 2.0 a token may do whatever its owner may: there are no scopes"
NEXT = Action(
    sentence="find who lets them in: a route of the proxy, a gateway before the hub, or the hub's own settings",
    door="hub",
    request="GET /hub/api/proxy",
    safety="manual",
)


@dataclass(frozen=True)
class Finding:
    """What one of the tests found."""

    outcome: Outcome
    reason: str
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class _Scene:
    knock: KnockDoor
    live: LiveDoor
    version: tuple[int, ...]
    me: str


def tried(
    doors: Doors,
    admins: Collection[str],
    say: Callable[[str], None],
    left: list[Action],
    let: Callable[[], AbstractContextManager[None]],
) -> dict[str, Finding]:
    """Return name -> finding of all the tests, with a probe user whose tokens end soon, and are taken back.

    `admins`: the declared admins of the hub. What could not be removed is put into `left`. An interrupt may come within
    `let` only. No request leads to anybody's server, and nothing is kept of an answer. Raises DoorError where the hub does
    not answer, or the token at hand does not open it.
    """
    assert doors.live is not None
    assert doors.knock is not None
    live = doors.live(None)
    version = _version(live.ask("GET", API))
    who = live.ask("GET", f"{API}/user")
    scene = _Scene(doors.knock, live, version, str(who.get("name")))
    wrong = SecretStr(secrets.token_hex(16))
    # 0.8 sends whom it does not know to its login page from here (`SelfAPIHandler`), and refuses from 0.9 on.
    nothing = {"/user": _LOGIN if version < (0, 9) else _FORBIDDEN, "/users": _FORBIDDEN}
    found = {
        NO_TOKEN: _refused("a request without a token", scene, nothing, None),
        WRONG: _refused("a token that does not exist", scene, nothing, wrong),
        ADMIN: _let_in(scene, who, admins),
    }
    if version < (0, 9):
        return (
            found | dict.fromkeys((REVOKED, EXPIRED, NO_ADMIN), Finding(Outcome.NOT_APPLICABLE, _OLD)) | _few_scopes()
        )
    try:
        with probe_user(doors, say, left) as probe, let():
            found |= _with(scene, probe.name, say)
    except DoorError as error:
        mine = {name: Finding(Outcome.UNREADABLE, str(error)) for name in NAMES if name not in found}
        return mine | found
    return found


def _with(scene: _Scene, name: str, say: Callable[[str], None]) -> dict[str, Finding]:
    """Return what the tests find that take a user who is no admin. Raises DoorError where one of them cannot be made."""
    short = _token(scene, name, {"expires_in": SHORT})
    until = time.monotonic() + SHORT + 1
    _proved(scene, short, "one that is about to end")
    plain = _token(scene, name, {"expires_in": LIFE})
    _proved(scene, plain, "one of a user who is no admin")
    # That of somebody else is there, and not told of: 404 since 2.0 (JupyterHub, `scopes.py`).
    hidden = _NOT_FOUND if scene.version >= (2,) else _FORBIDDEN
    others = hub_path("users", scene.me)
    found = {NO_ADMIN: _refused("a user who is no admin", scene, {"/users": _FORBIDDEN, others: hidden}, plain)}
    found |= _few_scopes() if scene.version < (2,) else {FEW: _too_few(scene, name)}
    gone, id_ = _made(scene, name, {"expires_in": LIFE})
    _proved(scene, gone, "one that is about to be revoked")
    scene.live.ask("DELETE", f"{API}{hub_path('users', name, 'tokens', id_)}")
    nothing = {"/user": _FORBIDDEN, "/users": _FORBIDDEN}
    found[REVOKED] = _refused("a token that was revoked", scene, nothing, gone)
    wait = max(0.0, until - time.monotonic())
    say(f"{name}: waiting {wait:.0f} s for a token to end")
    time.sleep(wait)
    found[EXPIRED] = _refused("a token that has ended", scene, nothing, short)
    return found


def _few_scopes() -> dict[str, Finding]:
    return {FEW: Finding(Outcome.NOT_APPLICABLE, _NO_SCOPES)}


def _too_few(scene: _Scene, name: str) -> Finding:
    """Have a token that may do less than its owner asked for what the owner may: the list of the owner's tokens."""
    few = {"scopes": ["users:activity!user"]} if scene.version >= (3,) else {"roles": ["server"]}
    token = _token(scene, name, {"expires_in": LIFE, **few})
    _proved(scene, token, "one of too few scopes")
    tokens = hub_path("users", name, "tokens")
    return _refused("a token of too few scopes", scene, {"/users": _FORBIDDEN, tokens: _FORBIDDEN}, token)


def _token(scene: _Scene, name: str, asked: dict[str, Any]) -> SecretStr:
    return _made(scene, name, asked)[0]


def _made(scene: _Scene, name: str, asked: dict[str, Any]) -> tuple[SecretStr, str]:
    """Return a token of the probe user, and its id. It goes with the user, at the latest."""
    body = {"note": "hubspec smoke test", **asked}
    made = scene.live.ask("POST", f"{API}{hub_path('users', name, 'tokens')}", body)
    return SecretStr(made["token"]), str(made["id"])


def _proved(scene: _Scene, token: SecretStr, what: str) -> None:
    """Raise DoorError where a fresh token opens nothing: then its refusal would say nothing either."""
    if not any(scene.knock.knock("/user", scheme, token) == _OK for scheme in SCHEMES):
        raise DoorError(
            f"a token made for this test, {what}, opens nothing; so it cannot be said what refuses it later"
        )


def _refused(who: str, scene: _Scene, wanted: dict[str, int], token: SecretStr | None) -> Finding:
    differences = tuple(_unlike(scene, wanted, token))
    if differences:
        return Finding(Outcome.DRIFTED, f"{who} is not refused as the hub should", differences)
    answers = ", ".join(f"{path.partition('/users/')[0] or '/users/NAME'} {status}" for path, status in wanted.items())
    return Finding(Outcome.COMPLIANT, f"{who} is refused: {answers}")


def _let_in(scene: _Scene, who: dict[str, Any], admins: Collection[str]) -> Finding:
    if scene.me.lower() not in admins or who.get("kind") == "service":
        declared = ", ".join(sorted(admins)) or "nobody"
        reason = f"the token at hand is {scene.me}'s, and the baseline declares as admins of the hub: {declared}"
        return Finding(Outcome.NOT_APPLICABLE, reason)
    differences = tuple(_unlike(scene, {"/user": _OK, "/users": _OK}, scene.knock.own()))
    if differences:
        return Finding(
            Outcome.DRIFTED, f"the token of the admin {scene.me} is not accepted by both headers", differences
        )
    return Finding(Outcome.COMPLIANT, f"the token of the admin {scene.me} is accepted by both headers")


def _unlike(scene: _Scene, wanted: dict[str, int], token: SecretStr | None) -> Iterator[Difference]:
    for path, status in wanted.items():
        for scheme in SCHEMES if token else SCHEMES[:1]:
            found = scene.knock.knock(path, scheme, token)
            if found != status:
                how = f"Authorization: {scheme}" if token else "no Authorization"
                yield Difference(f"GET {API}{path}, {how}", status, found)


def _version(told: Any) -> tuple[int, ...]:
    """Return the first two numbers of the hub's version. Raises DoorError where it tells none."""
    text = str(told.get("version", "")) if isinstance(told, dict) else ""
    numbers = text.split(".")[:2]
    if not all(number.isdigit() for number in numbers):
        raise DoorError(f"GET {API} tells no version of the hub: {text[:40]!r}")
    return tuple(int(number) for number in numbers)
