"""Requests of a smoke test, to the hub and the notebook servers behind it, each with one token (JupyterHub 0.8 and later)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from pydantic import SecretStr

from hubspec.cluster.browser import Person, login
from hubspec.cluster.channel import Channel
from hubspec.cluster.hub_http import LARGEST, Answer, Question, Trust, exchange, root, session, shown
from hubspec.door import Seen
from hubspec.errors import AnsweredError, BusyError, DoorError

PAUSE = 10.0
"""Seconds without a word after which a stream is over: the hub keeps its own alive every 8 (JupyterHub 1.0 and later)."""


class Begun(threading.Thread):
    """A request that is under way."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        """Begin it."""
        super().__init__(daemon=True)
        self._ask = ask
        self.error: DoorError | None = None
        self.start()

    def run(self) -> None:
        """Ask, and keep why it was refused."""
        try:
            self._ask()
        except DoorError as error:
            self.error = error

    def wait(self, seconds: float) -> bool:
        """Wait at most so long, and say whether it has ended."""
        self.join(seconds)
        return not self.is_alive()


class Live:
    """What one token may do at one hub. `url` and `token` are asked for when first needed.

    A redirect is never followed, and no proxy or .netrc is read: the token goes to the hub's address only.
    """

    def __init__(
        self, url: Callable[[], str], token: Callable[[], SecretStr | None], trust: Trust, deadline: float = 30
    ) -> None:
        """Nothing is asked of the hub yet."""
        self._url, self._token, self.trust, self.deadline = url, token, trust, deadline

    @property
    def base(self) -> str:
        """Return the hub's address. Raises DoorError where there is none."""
        return self._url().rstrip("/")

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the JSON that a request answers, None where it answers nothing.

        `path` is below the hub's base URL: /hub/api/users, /user/NAME/api. Raises AnsweredError with the server's own
        words where it refuses (BusyError where it says when to come again), DoorError where there is no answer.
        """
        asked = Question(method, f"{self.base}{path}", None, None if body is None else json.dumps(body))
        with session(self.trust) as link:
            answer = exchange(link, self.trust, asked, self._headers(), self.deadline)
        if answer.status >= requests.codes.multiple_choices:
            raise _refused(asked, answer)
        try:
            return json.loads(answer.body) if answer.body else None
        except ValueError:
            raise AnsweredError(f"{asked} answered no JSON: {shown(answer.body)}", answer.status) from None

    def begin(self, method: str, path: str) -> Begun:
        """Begin a request whose answer may take long."""
        return Begun(partial(self.ask, method, path))

    def events(self, path: str, seconds: float) -> Iterator[dict[str, Any]]:
        """Yield the events of a stream (server-sent events, JSON each) as they come, until its end or so many seconds.

        Raises AnsweredError where it is refused, DoorError where there is no answer or it breaks off.
        """
        asked, until = Question("GET", f"{self.base}{path}"), time.monotonic() + seconds
        options: dict[str, Any] = {"stream": True, "allow_redirects": False, "timeout": min(seconds, PAUSE)}
        try:
            with session(self.trust) as link, link.get(asked.url, headers=self._headers(), **options) as answer:
                if answer.status_code != requests.codes.ok:
                    raise _refused(asked, Answer(answer.status_code, answer.raw.read(2**16)))
                rest = b""
                while (data := answer.raw.read1(2**16)) and time.monotonic() < until:
                    *lines, rest = (rest + data)[-LARGEST:].split(b"\n")
                    yield from (event for line in lines if (event := _event(line)) is not None)
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise DoorError(f"{asked} broke off ({root(error)})") from None

    def channel(self, path: str, seconds: float) -> Channel:
        """Return a websocket that was opened in so long. Raises AnsweredError, SilentError, DoorError."""
        return Channel(f"{self.base}{path}", self._token(), self.trust, max(min(seconds, self.deadline), 0.01))

    def login(self, name: str, password: SecretStr, seconds: float, say: Callable[[str], None]) -> Seen:
        """Return what a browser sees that logs in through the hub's form, without any token. Raises DoorError."""
        return login(self.base, self.trust, Person(name, password), seconds, say)

    def _headers(self) -> dict[str, str]:
        token = self._token()
        return {"Authorization": f"token {token.get_secret_value()}"} if token else {}


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line.removeprefix(b"data:")) if line.startswith(b"data:") else None
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _refused(asked: Question, answer: Answer) -> AnsweredError:
    status = answer.status
    if status < requests.codes.bad_request:
        host = urlsplit(answer.location).netloc or "another path"
        return AnsweredError(f"{asked} answered {status}, a redirect to {host}, which is not followed", status)
    try:
        told = json.loads(answer.body)
        words = str(told.get("message") or told.get("reason") or told)
    except (ValueError, AttributeError):
        words = shown(answer.body)
    if status in {requests.codes.too_many_requests, requests.codes.service_unavailable} and answer.pause is not None:
        return BusyError(f"{asked} answered {status}: {words[:400]}", status, answer.pause)
    return AnsweredError(f"{asked} answered {status}: {words[:400]}", status)
