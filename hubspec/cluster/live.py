"""Requests of a smoke test, to the hub and the notebook servers behind it, each with one token (JupyterHub 0.8 and later)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from pydantic import SecretStr

from hubspec.cluster.hub_http import LARGEST, Pinned, Trust, distrust, root, shown
from hubspec.errors import AnsweredError, BusyError, DoorError


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
        what = f"{method} {self.base}{path}"
        try:
            with self._session() as session:
                status, headers, answer = self._fetch(session, method, path, body)
        except requests.exceptions.SSLError as error:
            raise DoorError(f"{what}: {distrust(error, self.trust)}") from None
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
            raise DoorError(f"{what} did not answer within {self.deadline:g} s") from None
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise DoorError(f"{what} got no answer ({root(error)})") from None
        if status >= requests.codes.multiple_choices:
            raise _refused(what, status, headers, answer)
        try:
            return json.loads(answer) if answer else None
        except ValueError:
            raise AnsweredError(f"{what} answered no JSON: {shown(answer)}", status) from None

    def _session(self) -> requests.Session:
        session, token = requests.Session(), self._token()
        session.trust_env = False
        if token:
            session.headers["Authorization"] = f"token {token.get_secret_value()}"
        session.verify = self.trust.ca_file or not (self.trust.insecure or self.trust.fingerprint)
        if self.trust.fingerprint:
            session.mount("https://", Pinned(self.trust.fingerprint))
        return session

    def _fetch(
        self, session: requests.Session, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        until = time.monotonic() + self.deadline
        options: dict[str, Any] = {"stream": True, "allow_redirects": False, "timeout": self.deadline}
        if body is not None:
            options |= {"data": json.dumps(body).encode(), "headers": {"Content-Type": "application/json"}}
        with session.request(method, f"{self.base}{path}", **options) as answer:
            told = bytearray()
            while data := answer.raw.read1(2**16, decode_content=True):
                told += data
                if time.monotonic() > until:
                    raise requests.exceptions.ReadTimeout
                if len(told) > LARGEST:
                    raise DoorError(f"{method} {path} answered more than {LARGEST >> 20} MB; nothing of it was used")
            return answer.status_code, answer.headers, bytes(told)


def _refused(what: str, status: int, headers: Mapping[str, str], answer: bytes) -> AnsweredError:
    if status < requests.codes.bad_request:
        host = urlsplit(headers.get("Location", "")).netloc or "another path"
        return AnsweredError(f"{what} answered {status}, a redirect to {host}, which is not followed", status)
    try:
        told = json.loads(answer)
        words = str(told.get("message") or told.get("reason") or told)
    except (ValueError, AttributeError):
        words = shown(answer)
    after = headers.get("Retry-After", "")
    if status in {requests.codes.too_many_requests, requests.codes.service_unavailable} and after.isdigit():
        return BusyError(f"{what} answered {status}: {words[:400]}", status, float(after))
    return AnsweredError(f"{what} answered {status}: {words[:400]}", status)
