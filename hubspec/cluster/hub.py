"""The hub door: JupyterHub's REST API on 9443 (JupyterHub 0.8 and later, paged from 2.0 on)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from pydantic import SecretStr

from hubspec.cluster.hub_http import Question, Trust, session, shown
from hubspec.cluster.hub_link import REFUSED, Link
from hubspec.cluster.hub_pages import whole
from hubspec.cluster.tls import look
from hubspec.errors import AnsweredError, DoorError
from hubspec.hub_path import API

__all__ = ["HubDoor", "Trust"]

PAGE = 200
"""Entries asked for at a time: JupyterHub's own maximum (`api_page_max_limit`, 2.0 and later)."""
_REDIRECTS = {301, 302, 303, 307, 308}
_RIGHTS = {
    "/info": ("see what the hub runs with", "read:hub"),
    "/users": ("list the users", "list:users"),
    "/groups": ("list the groups", "list:groups"),
    "/services": ("list the services", "list:services"),
    "/proxy": ("see the proxy's routes", "proxy"),
}
"""Path -> what its answer tells, and the scope that it takes (2.0 and later)."""
_MAPPINGS = {"/info", "/services", "/proxy"}
"""The paths whose answer is a mapping, and not a list."""
_OTHER = ("do that", "admin:users")
_ALREADY = {("POST", 409), ("DELETE", 404)}
"""What the hub answers where a thing is as it was to be made (JupyterHub 0.8 and later)."""


class HubDoor:
    """The API of one hub.

    `url` gives its address when first asked (https://host:9443, with its base URL where it has one). `token` gives
    the API token, and raises DoorError where there is none. `deadline` is in seconds, for each answer with the waiting
    for it. `why` says what else is known where nobody answers. The token goes to this address only: a redirect is never
    followed, and no proxy or .netrc is read.
    """

    name = "hub"

    def __init__(  # noqa: PLR0913 - what one hub is reached by
        self,
        url: Callable[[], str],
        token: Callable[[], SecretStr],
        trust: Trust,
        deadline: float = 30,
        *,
        progress: Callable[[str], None] = lambda _line: None,
        why: Callable[[], str] = lambda: "",
    ) -> None:
        """Nothing is asked of the hub yet."""
        self._url, self._token, self._trust = url, token, trust
        self._progress, self._why = progress, why
        self._link = Link(trust, deadline, progress, why)
        self._api = "JupyterHub REST API"

    @property
    def command(self) -> str:
        """Return the address that is asked, and by which way where that is not the direct one."""
        way = self._trust.told(self._api)[0]
        return f"{self._api} ({way})" if way else self._api

    @property
    def trips(self) -> dict[str, int]:
        """Return the number of requests by method."""
        return self._link.trips

    @property
    def apart(self) -> float | None:
        """Return by how many seconds the hub's clock was before ours at the last answer, None where it told no time."""
        return self._link.apart

    @property
    def trust(self) -> Trust:
        """Return why its certificate is believed."""
        return self._trust

    def address(self) -> str:
        """Return the address that is asked. Raises DoorError where nobody says it."""
        return self._address()

    def pages(self, path: str) -> list[Any] | dict[str, Any]:
        """Return all entries of a list, or of a mapping for /proxy. Raises DoorError, also where the answer is neither."""
        base, token = self._address(), self._token()
        with session(self._trust) as link:

            def page(offset: int) -> Any:
                query = {"limit": PAGE, "offset": offset}
                return self._ask(link, token, Question("GET", f"{base}{API}{path}", query))

            return whole(page, f"GET {base}{API}{path}", dict if path in _MAPPINGS else list)

    def get(self, path: str) -> Any:
        """Return one answer. Raises DoorError."""
        base, token = self._address(), self._token()
        with session(self._trust) as link:
            return self._ask(link, token, Question("GET", f"{base}{API}{path}"))

    def version(self) -> dict[str, Any]:
        """Return what the hub tells everybody, its `version`. No token is sent. Raises DoorError."""
        base = self._address()
        with session(self._trust) as link:
            answer = self._ask(link, None, Question("GET", f"{base}{API}"))
        if not isinstance(answer, dict):
            raise DoorError(f"GET {base}{API} answered no version; is --hub-url that of a JupyterHub?")
        return answer

    def certificate(self) -> dict[str, Any]:
        """Return what handshakes with the hub's address show, whether or not it is to be trusted. Raises DoorError."""
        return look(
            self._address(),
            fingerprint=self._trust.fingerprint,
            ca_file=self._trust.ca_file,
            deadline=self._link.deadline,
            count=self._link.shook,
            connect=self._trust.connect,
        )

    def knock(self, path: str, scheme: str, token: SecretStr | None) -> int:
        """Return the status of a GET with `Authorization: SCHEME TOKEN`, or without that header. Raises DoorError.

        Nothing of the answer is kept, and nothing is learnt for other requests.
        """
        base = self._address()
        way = Link(self._trust, self._link.deadline, self._progress, self._why)
        way.scheme = scheme
        with session(self._trust) as link:
            return way.ask(link, token, Question("GET", f"{base}{API}{path}")).status

    def own(self) -> SecretStr:
        """Return the token at hand. Raises DoorError where there is none."""
        return self._token()

    def delete(self, path: str) -> None:
        """Delete one thing. Raises DoorError."""
        self.act("DELETE", path, None)

    def act(self, method: str, path: str, body: str | None) -> str:
        """Make one request that changes something, with a body of JSON, and return what to say of it.

        What is there already (409), and what to delete is not there (404), is as wanted. Raises DoorError.
        """
        base, token = self._address(), self._token()
        with session(self._trust) as link:
            try:
                self._ask(link, token, Question(method, f"{base}{API}{path}", body=body))
            except AnsweredError as error:
                if (method, error.status) in _ALREADY:
                    return "it was so already"
                raise
        return ""

    def _address(self) -> str:
        base = self._url().rstrip("/")
        self._api = f"{base}{API}"
        return base

    def _ask(self, link: requests.Session, token: SecretStr | None, asked: Question) -> Any:
        answer = self._link.ask(link, token, asked)
        if answer.status in REFUSED and token is not None:
            used = self._link.scheme
            who = self._link.whose(link, token, f"{self._api}/user")
            if self._link.scheme != used:
                answer = self._link.ask(link, token, asked)
            if answer.status in REFUSED:
                message = f"{asked} was refused ({answer.status}): {self._why_refused(who, asked)}"
                raise AnsweredError(message, answer.status)
        if answer.status in _REDIRECTS:
            host = urlsplit(answer.location).netloc or "another path"
            base = self._api.removesuffix(API)
            raise DoorError(
                f"{asked} answered {answer.status}, a redirect to {host}: not followed, the token is for {base} only;"
                " is --hub-url right?"
            )
        if answer.status >= requests.codes.bad_request:
            raise AnsweredError(
                f"{asked} answered {answer.status}: {shown(answer.body)}{self._link.instead(answer)}", answer.status
            )
        self._link.accepted = self._link.accepted or token is not None
        if answer.status == requests.codes.no_content or (asked.method != "GET" and not answer.body):
            return None
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            raise DoorError(
                f"{asked} answered no JSON: {shown(answer.body)}; is --hub-url that of a JupyterHub?"
            ) from None

    def _why_refused(self, who: str | None, asked: Question) -> str:
        if who is None and self._link.accepted:
            return "the token was good until now: it has ended, or somebody revoked it; look again with another"
        if who is None:
            return "the token is wrong, expired or revoked; give a valid one with HUBSPEC_HUB_TOKEN or --hub-token-file"
        deed, scope = _RIGHTS.get(asked.url.removeprefix(self._api), _OTHER)
        admin = f"give the token of an admin of the hub (2.0 and later: one with the scope {scope})"
        return f"the token is good, but {who} may not {deed}; {admin}"
