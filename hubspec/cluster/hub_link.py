"""Questions to one hub: its answer is waited for where it asks for that, or restarts; both headers of a token are known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import requests
from pydantic import SecretStr

from hubspec.cluster.hub_http import LOGS, Answer, Question, Trust, UnreachedError, exchange
from hubspec.errors import DoorError, SilentError

PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between two attempts while the hub restarts, the last one again and again."""
LEAST, TOLD = 0.1, 2.0
"""Seconds that are waited at least before asking again, and those from which on it is told."""
SCHEMES = ("token", "Bearer")
"""The words before a token in `Authorization`: every hub takes both, but a gateway before it may keep one for itself."""
PAGED = "application/jupyterhub-pagination+json"
REFUSED = {401, 403}
"""A hub refuses with 403 alone; 401 is a gateway's."""
_TOO_MANY = 429
_HUB_GONE = {502, 503, 504}
"""What a proxy answers for a hub that does not (configurable-http-proxy: 503)."""


class Link:
    """The way to one hub, with what was learnt of it on the way.

    `deadline` is in seconds, for each answer with the waiting for it. `why` says what else is known where nobody
    answers. `accepted` says whether the token was good before in this run, `scheme` which word stands before it,
    `apart` by how many seconds the hub's clock was before ours at the last answer.
    """

    def __init__(self, trust: Trust, deadline: float, progress: Callable[[str], None], why: Callable[[], str]) -> None:
        """Nothing is asked yet."""
        self.trust, self.deadline, self._progress, self._why = trust, deadline, progress, why
        self.scheme = SCHEMES[0]
        self._met = False
        self.accepted = False
        self.apart: float | None = None
        self.trips: dict[str, int] = {}

    def shook(self) -> None:
        """Count a handshake after which nothing was asked."""
        self.trips["hub handshake"] = self.trips.get("hub handshake", 0) + 1

    def ask(self, link: requests.Session, token: SecretStr | None, asked: Question) -> Answer:
        """Return the hub's answer, whatever its status; waited for, where the hub asks to, or answered before and restarts.

        What changes something is asked again only where the hub says that it did nothing (429). Raises DoorError.
        """
        began, told = time.monotonic(), False
        for pause in _pauses():
            left = began + self.deadline - time.monotonic()
            try:
                answer = self._once(link, token, asked, max(left, LEAST))
                wait, why = self._wait(asked, answer, pause)
            except SilentError as error:
                raise DoorError(f"{error}{self._known()}") from None
            except UnreachedError as error:
                if asked.method != "GET" or not self._met:
                    raise DoorError(f"{error}{self._known()}") from None
                wait, why = pause, str(error)
            else:
                if wait is None:
                    return answer
            spent = time.monotonic() - began
            if spent + wait > self.deadline:
                raise DoorError(f"{why}; that is more than the {self.deadline:g} s of --deadline{self._known()}")
            if not told and max(wait, spent) >= TOLD:
                self._progress(f"{why}; it is asked again, for {self.deadline - spent:.0f} s at most")
                told = True
            time.sleep(wait)
        raise AssertionError  # the pauses never end

    def whose(self, link: requests.Session, token: SecretStr, user: str) -> str | None:
        """Return whose a token is that was refused, asked at the URL `user`; None where it opens nothing. Raises DoorError.

        Where the other header opens the hub, that is the one to use from now on. Source: `GET /user`, JupyterHub 0.8
        and later.
        """
        who = self._named(link, token, user)
        if who is None and not self.accepted:
            used = self.scheme
            self.scheme = next(one for one in SCHEMES if one != used)
            who = self._named(link, token, user)
            if who is None:
                self.scheme = used
        return who

    def _named(self, link: requests.Session, token: SecretStr, user: str) -> str | None:
        answer = self.ask(link, token, Question("GET", user))
        if answer.status != requests.codes.ok:
            return None
        try:
            who = json.loads(answer.body)
        except (ValueError, RecursionError):
            return None
        return str(who.get("name", "?")) if isinstance(who, dict) else "?"

    def _wait(self, asked: Question, answer: Answer, pause: float) -> tuple[float | None, str]:
        """Return how long to wait before asking again, None where this is the answer; and why, for a person."""
        wanted = None if answer.pause is None else max(answer.pause, LEAST)
        if answer.status == _TOO_MANY and wanted is not None:
            return wanted, f"{asked} answered 429: the hub is asked too much, and wants {wanted:g} s of rest"
        if asked.method == "GET" and self._met and _unrouted(answer):
            return (
                pause,
                f"{asked} answered 404 and not as a hub does: its proxy has just started, and knows no way to it yet",
            )
        if asked.method != "GET" or answer.status not in _HUB_GONE:
            return None, ""
        if wanted is not None:
            return wanted, f"{asked} answered {answer.status}: the hub is not ready, and wants {wanted:g} s of rest"
        gone = f"{asked} answered {answer.status}: the proxy before the hub answers, and the hub does not"
        return (pause, gone) if self._met else (None, "")

    def _once(self, link: requests.Session, token: SecretStr | None, asked: Question, seconds: float) -> Answer:
        self.trips[f"hub {asked.method}"] = self.trips.get(f"hub {asked.method}", 0) + 1
        headers = {"Accept": f"{PAGED}, application/json"}
        if token:
            headers["Authorization"] = f"{self.scheme} {token.get_secret_value()}"
        answer = exchange(link, self.trust, asked, headers, seconds)
        self.apart = answer.apart
        self._met = self._met or (answer.status < requests.codes.internal_server_error and not _unrouted(answer))
        return answer

    def instead(self, answer: Answer) -> str:
        """Return in words what it means that a proxy answered in the hub's place; empty where the hub did."""
        if _unrouted(answer):
            return f"; that is no hub's answer: either it is still starting, or --hub-url is that of something else{self._known()}"
        if answer.status in _HUB_GONE and not answer.ours:
            return f"; what stands before the hub answers, and the hub does not: {LOGS}{self._known()}"
        return ""

    def _known(self) -> str:
        try:
            known = self._why()
        except DoorError:
            known = ""
        return f"; {known}" if known else ""


def _unrouted(answer: Answer) -> bool:
    """Say whether a proxy answers that does not know the hub yet, and not the hub itself."""
    return answer.status == requests.codes.not_found and not answer.ours and not answer.body.lstrip().startswith(b"{")


def _pauses() -> Iterator[float]:
    yield from PAUSES
    while True:
        yield PAUSES[-1]
