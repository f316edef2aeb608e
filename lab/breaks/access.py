"""Breaks of the ways past the login: API tokens of the hub, and routes of its proxy."""

from __future__ import annotations

import time

from lab import hub, inside, proxy, state
from lab.breaks.model import Break, Scene, Step
from lab.model import HUB

OWN = f"{hub.ADMIN}/{hub.NOTE}"
STRAY, OTHER = "my script", "somebody else's"
OF_A_SERVER = "Server at "
GHOST = {"target": "http://127.0.0.1:9", "jupyterhub": True, "user": "ghost", "server_name": ""}
# The hub listens on every address of this machine, so it is still reached, by another way than declared.
ELSEWHERE = {"target": "http://127.0.0.2:8081", "jupyterhub": True, "hub": True}
EVERY, BEFORE, AFTER = 300, 60, 15
"""Seconds between two times that the hub puts its routes right by itself, and how long around them nothing is broken."""


def make(scene: Scene, user: str, note: str, life: int | None = None) -> str:
    """Make a token, and return it."""
    return str(hub.must(scene.lab, "POST", f"/users/{user}/tokens", {"note": note, "expires_in": life})["token"])


def own(scene: Scene) -> list[hub.Token]:
    """Answer the tokens that the lab's baseline declares."""
    return [token for token in hub.tokens(scene.client) if f"{token.user}/{token.note}" == OWN]


def use(scene: Scene, token: str) -> None:
    """Make a token the one at hand."""
    state.keep(scene.client, "token", f"{token}\n".encode())


def mend_tokens(scene: Scene) -> None:
    """Leave the lab's own token, which ends, and no other."""
    hub.ensure_token(scene.client, scene.lab)
    old = [token for token in hub.tokens(scene.client) if not token.note.startswith(OF_A_SERVER)]
    good = [token for token in own(scene) if token.ends]
    if not good:
        use(scene, make(scene, hub.ADMIN, hub.NOTE, hub.LIFE))
    for token in old:
        if token not in good:
            hub.drop(scene.lab, token)
    hub.ensure_token(scene.client, scene.lab)


def stray(scene: Scene) -> None:
    """Give diego a token that never ends."""
    if not any(token.note == STRAY for token in hub.tokens(scene.client)):
        make(scene, "diego", STRAY)


def missing(scene: Scene) -> None:
    """Put a token of another name in place of the declared one."""
    _replace(scene, OTHER, hub.LIFE)


def eternal(scene: Scene) -> None:
    """Put a token that never ends in place of the declared one."""
    _replace(scene, hub.NOTE, None)


def _replace(scene: Scene, note: str, life: int | None) -> None:
    old = [token for token in own(scene) if life or token.ends]
    if old:
        use(scene, make(scene, hub.ADMIN, note, life))
    for token in old:
        hub.drop(scene.lab, token)


def mend_routes(scene: Scene) -> None:
    """Have the hub put its proxy's routes right."""
    hub.must(scene.lab, "POST", "/proxy")


def orphan(scene: Scene) -> None:
    """Leave a route to the server of a user whom there is not."""
    _route(scene, "/user/ghost", GHOST)


def repoint(scene: Scene) -> None:
    """Let the default route lead to the hub by another address."""
    _route(scene, "/", ELSEWHERE)


def _route(scene: Scene, path: str, data: dict[str, object]) -> None:
    since = int(inside.must(scene.client, HUB, "ps -o etimes= -p $(cat /run/jupyterhub.pid)")) % EVERY
    if since > EVERY - BEFORE or since < AFTER:
        time.sleep((EVERY - since) % EVERY + AFTER if since >= AFTER else AFTER - since)
    proxy.route(scene.client, path, data)


def _token(name: str, sentence: str, apply: Step, resource: str = OWN, field: str = "") -> Break:
    return Break(name, sentence, "hub_token", resource, apply, mend_tokens, field, since=hub.TOKENS_SINCE)


def _way(name: str, sentence: str, apply: Step, resource: str, field: str = "") -> Break:
    return Break(name, sentence, "route", resource, apply, mend_routes, field)


TABLE = (
    _token("token-stray", "diego has a token that never ends", stray, "*"),
    _token("token-missing", "the declared token is not there", missing),
    _token("token-eternal", "the declared token never ends", eternal, field="expires"),
    _way("route-orphan", "a route leads to a server of nobody", orphan, "*"),
    _way("route-repointed", "the default route leads to another address", repoint, "/", "target"),
)
