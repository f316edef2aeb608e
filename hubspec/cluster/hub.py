"""The hub door: JupyterHub's REST API on 9443, by requests (JupyterHub 0.8 and later, paged from 2.0 on)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from pydantic import SecretStr
from requests.adapters import HTTPAdapter

from hubspec.errors import AnsweredError, DoorError

PAGE = 200
"""Entries asked for at a time: JupyterHub's own maximum (`api_page_max_limit`, 2.0 and later)."""
LARGEST = 64 * 2**20
"""Bytes of one answer that are still read."""
_REDIRECTS = {301, 302, 303, 307, 308}
_LOGS = "sudo docker logs --tail 50 jupyterhub"
_PAGED = "application/jupyterhub-pagination+json"


@dataclass(frozen=True)
class Trust:
    """Why the hub's certificate is believed: a pinned SHA-256 fingerprint, a CA file, nothing (insecure), or the system's CAs."""

    fingerprint: str | None = None
    ca_file: str | None = None
    insecure: bool = False


class Pinned(HTTPAdapter):
    """Believes one certificate, by its SHA-256 fingerprint, and no other."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Have urllib3 compare the certificate's fingerprint, and nothing else of it."""
        super().init_poolmanager(*args, **kwargs, assert_fingerprint=self._fingerprint, assert_hostname=False)


_MAPPINGS = {"/proxy": ("see the proxy's routes", "proxy")}
_LISTS = ("list the users", "list:users")
"""What is asked for, and the scope that it takes (2.0 and later). Of some paths the answer is a mapping, not a list."""
_SHAPES: dict[type, str] = {list: "list", dict: "mapping"}
_ALREADY = {("POST", 409), ("DELETE", 404)}
"""What the hub answers where a thing is as it was to be made (JupyterHub 0.8 and later)."""


class HubDoor:
    """The API of one hub.

    `url` gives its address when first asked (https://host:9443, with its base URL where it has one). `token` gives
    the API token, and raises DoorError where there is none. `deadline` is in seconds, for each answer as a whole.
    The token goes to this address only: a redirect is never followed, and no proxy or .netrc is read.
    """

    name = "hub"

    def __init__(
        self, url: Callable[[], str], token: Callable[[], SecretStr], trust: Trust, deadline: float = 30
    ) -> None:
        """Nothing is asked of the hub yet."""
        self._url, self._token, self._trust, self.deadline = url, token, trust, deadline
        self.trips: dict[str, int] = {}
        self.command = "JupyterHub REST API"

    def pages(self, path: str) -> list[Any] | dict[str, Any]:
        """Return all entries of a list, or of a mapping for /proxy. Raises DoorError, also where the answer is neither."""
        base, token = self._address(), self._token()
        with self._session(token) as session:
            entries: dict[str, Any] = {}
            offset = 0
            shape = dict if path in _MAPPINGS else list
            while True:
                page = self._ask(session, "GET", base, path, query={"limit": PAGE, "offset": offset})
                if isinstance(page, shape) and "_pagination" not in page:
                    return page
                if not isinstance(page, dict) or not isinstance(page.get("items"), shape):
                    raise DoorError(f"GET {base}/hub/api{path} answered neither a {_SHAPES[shape]} nor a page of one")
                # By name: a user made between two pages moves the others, and would be there twice.
                entries |= page["items"] if shape is dict else {_name(entry): entry for entry in page["items"]}
                following = (page.get("_pagination") or {}).get("next")
                if not following or not page["items"]:
                    return entries if shape is dict else list(entries.values())
                offset = following["offset"]

    def get(self, path: str) -> Any:
        """Return one answer. Raises DoorError."""
        base, token = self._address(), self._token()
        with self._session(token) as session:
            return self._ask(session, "GET", base, path)

    def delete(self, path: str) -> None:
        """Delete one thing. Raises DoorError."""
        self.act("DELETE", path, None)

    def act(self, method: str, path: str, body: str | None) -> str:
        """Make one request that changes something, with a body of JSON, and return what to say of it.

        What is there already (409), and what to delete is not there (404), is as wanted. Raises DoorError.
        """
        base, token = self._address(), self._token()
        with self._session(token) as session:
            try:
                self._ask(session, method, base, path, body=body)
            except AnsweredError as error:
                if (method, error.status) in _ALREADY:
                    return "it was so already"
                raise
        return ""

    def _address(self) -> str:
        base = self._url().rstrip("/")
        self.command = f"{base}/hub/api"
        return base

    def _session(self, token: SecretStr) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers.update(
            {"Authorization": f"token {token.get_secret_value()}", "Accept": f"{_PAGED}, application/json"}
        )
        session.verify = self._trust.ca_file or not (self._trust.insecure or self._trust.fingerprint)
        if self._trust.fingerprint:
            session.mount("https://", Pinned(self._trust.fingerprint))
        return session

    def _ask(  # noqa: PLR0913 - one HTTP request
        self,
        session: requests.Session,
        method: str,
        base: str,
        path: str,
        *,
        query: dict[str, int] | None = None,
        body: str | None = None,
    ) -> Any:
        what = f"{method} {base}/hub/api{path}"
        self.trips[f"hub {method}"] = self.trips.get(f"hub {method}", 0) + 1
        try:
            status, reason, answer = self._fetch(session, method, f"{base}/hub/api{path}", query, body)
        except requests.exceptions.SSLError as error:
            raise DoorError(f"{what}: {distrust(error, self._trust)}") from None
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
            raise DoorError(f"{what} did not answer within {self.deadline:g} s; is the hub hanging? {_LOGS}") from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise DoorError(f"{what}: the hub does not answer; is it up? {_LOGS} ({root(error)})") from None
        if status == requests.codes.forbidden and path != "/user":
            raise AnsweredError(f"{what} was refused (403): {self._why_refused(session, base, path)}", status)
        if status in _REDIRECTS:
            host = urlsplit(reason).netloc or "another path"
            raise DoorError(
                f"{what} answered {status}, a redirect to {host}: not followed, the token is for {base} only; is --hub-url right?"
            )
        if status >= requests.codes.bad_request:
            raise AnsweredError(f"{what} answered {status}: {shown(answer)}", status)
        if status == requests.codes.no_content or (method != "GET" and not answer):
            return None
        try:
            return json.loads(answer)
        except ValueError:
            raise DoorError(f"{what} answered no JSON: {shown(answer)}; is --hub-url that of a JupyterHub?") from None

    def _fetch(
        self, session: requests.Session, method: str, url: str, query: dict[str, int] | None, sent: str | None
    ) -> tuple[int, str, bytes]:
        until = time.monotonic() + self.deadline
        options: dict[str, Any] = {"params": query, "stream": True, "allow_redirects": False, "timeout": self.deadline}
        if sent is not None:
            options |= {"data": sent.encode(), "headers": {"Content-Type": "application/json"}}
        with session.request(method, url, **options) as answer:
            body = bytearray()
            # read1 returns what has come, so a server that drips one byte a second meets the deadline too.
            while data := answer.raw.read1(2**16, decode_content=True):
                body += data
                if time.monotonic() > until:
                    raise requests.exceptions.ReadTimeout
                if len(body) > LARGEST:
                    raise DoorError(f"{method} {url} answered more than {LARGEST >> 20} MB; nothing of it was used")
            return answer.status_code, answer.headers.get("Location", answer.reason or ""), bytes(body)

    def _why_refused(self, session: requests.Session, base: str, path: str) -> str:
        try:
            who = self._ask(session, "GET", base, "/user")
        except DoorError:
            return "the token is wrong, expired or revoked; give a valid one with HUBSPEC_HUB_TOKEN or --hub-token-file"
        name = who.get("name", "?") if isinstance(who, dict) else "?"
        deed, scope = _MAPPINGS.get(path, _LISTS)
        return f"the token is good, but {name} may not {deed}; give the token of an admin of the hub (2.0 and later: one with the scope {scope})"


def _name(entry: Any) -> str:
    return str(entry.get("name") if isinstance(entry, dict) else entry)


def distrust(error: Exception, trust: Trust) -> str:
    """Return why a certificate was not believed, and what to do next."""
    text = root(error)
    if trust.fingerprint:
        return f"its certificate is not the pinned one; find out who changed it before you pin the new one ({text})"
    return (
        "its certificate is not trusted; pin it with --hub-fingerprint SHA256, name its CA with --hub-ca FILE,"
        f" or accept any with --insecure ({text})"
    )


def root(error: BaseException) -> str:
    """Return the words of the error behind an error."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error)[-200:] or type(error).__name__


def shown(body: bytes) -> str:
    """Return the beginning of an answer, in one line."""
    text = " ".join(body[:2000].decode("utf-8", "replace").split())
    return repr(text[:160]) if text else "nothing"
