"""One request to the hub, by requests: its certificate believed or not, its answer within a time and a size."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from hubspec.errors import DoorError

LARGEST = 32 * 2**20
"""Bytes of one answer that are still read: about 80,000 users in the one list of JupyterHub before 2.0."""
_LOGS = "sudo docker logs --tail 50 jupyterhub"


@dataclass(frozen=True)
class Trust:
    """Why the hub's certificate is believed: a pinned SHA-256 fingerprint, a CA file, nothing (insecure), or the system's CAs."""

    fingerprint: str | None = None
    ca_file: str | None = None
    insecure: bool = False


@dataclass(frozen=True)
class Answer:
    """What came back: `location` of a redirect, and `pause`, the seconds after which the hub wants to be asked again."""

    status: int
    body: bytes
    location: str = ""
    pause: float | None = None


@dataclass(frozen=True)
class Question:
    """What is asked of the hub: a method, a URL, and its query or the JSON that goes along."""

    method: str
    url: str
    query: Mapping[str, int] | None = None
    body: str | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


class UnreachedError(DoorError):
    """Nobody listens there, or the connection broke: a hub that restarts looks like this for a while."""


class SilentError(DoorError):
    """The answer did not come in time."""


class Pinned(HTTPAdapter):
    """Believes one certificate, by its SHA-256 fingerprint, and no other."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Have urllib3 compare the certificate's fingerprint, and nothing else of it."""
        super().init_poolmanager(*args, **kwargs, assert_fingerprint=self._fingerprint, assert_hostname=False)


def session(trust: Trust) -> requests.Session:
    """Return a session that believes what `trust` says, and reads no proxy, .netrc or CA out of the environment."""
    made = requests.Session()
    made.trust_env = False
    # What is packed small can be large, and the hub packs nothing unless it is asked to.
    made.headers.update({"Accept-Encoding": "identity"})
    made.verify = trust.ca_file or not (trust.insecure or trust.fingerprint)
    if trust.fingerprint:
        made.mount("https://", Pinned(trust.fingerprint))
    return made


def exchange(
    link: requests.Session, trust: Trust, asked: Question, headers: Mapping[str, str], seconds: float
) -> Answer:
    """Return the answer, whatever its status. No redirect is followed. Raises UnreachedError, SilentError, DoorError."""
    sent = dict(headers) | ({} if asked.body is None else {"Content-Type": "application/json"})
    body = None if asked.body is None else asked.body.encode()
    options: dict[str, Any] = {"params": asked.query, "data": body, "timeout": seconds}
    until = time.monotonic() + seconds
    try:
        with link.request(
            asked.method, asked.url, headers=sent, stream=True, allow_redirects=False, **options
        ) as answer:
            read = _read(answer, asked, until)
            pause = pause_of(answer.headers.get("Retry-After", ""), datetime.now(UTC))
            return Answer(answer.status_code, read, answer.headers.get("Location", ""), pause)
    except requests.exceptions.SSLError as error:
        if _doubted(error):
            raise DoorError(f"{asked}: {distrust(error, trust)}") from None
        raise UnreachedError(f"{asked}: no TLS connection comes about; is it up? {_LOGS} ({root(error)})") from None
    except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
        within = f"{round(seconds, 1):g} s"
        raise SilentError(f"{asked} did not answer within {within}; is the hub hanging? {_LOGS}") from None
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise UnreachedError(f"{asked}: the hub does not answer; is it up? {_LOGS} ({root(error)})") from None


def pause_of(value: str, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` asks to wait, of seconds or of a date (RFC 9110, 10.2.3); None where it has none."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds())


def _read(answer: requests.Response, asked: Question, until: float) -> bytes:
    body = bytearray()
    # read1 returns what has come, so a server that drips one byte a second meets the deadline too.
    while data := answer.raw.read1(2**16, decode_content=False):
        body += data
        if time.monotonic() > until:
            raise requests.exceptions.ReadTimeout
        if len(body) > LARGEST:
            raise DoorError(f"{asked} answered more than {LARGEST >> 20} MB; nothing of it was used")
    return bytes(body)


def _doubted(error: Exception) -> bool:
    """Say whether the certificate itself is what is wrong, and not the connection."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError) or "fingerprint" in str(cause).lower():
            return True
        cause = cause.__cause__ or cause.__context__
    return False


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
    return repr(text[:160])[:200] if text else "nothing"
