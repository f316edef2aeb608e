"""One request to the hub, by requests: its certificate believed or not, its answer within a time and a size."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from urllib3.util.ssl_ import create_urllib3_context

from hubspec.cluster.apart import apart
from hubspec.cluster.doorstep import doorstep
from hubspec.cluster.proxies import unused
from hubspec.cluster.route import Adapter, Route
from hubspec.errors import DoorError, SilentError
from hubspec.masked import masked

LARGEST = 32 * 2**20
"""Bytes of one answer that are still read: about 80,000 users in the one list of JupyterHub before 2.0."""
_VERSION = "X-JupyterHub-Version"
"""In each answer of a hub (JupyterHub 0.7 and later, `handlers/base.py`); its proxy hands on none of the headers of an
error page (configurable-http-proxy, `handleProxyError`)."""
PATIENCE = 30.0
"""Seconds that a connection of a browser may take to be made."""
LOGS = "sudo docker logs --tail 50 jupyterhub"
"""Shows why a hub does not answer."""


@dataclass(frozen=True)
class Trust:
    """Why the hub's certificate is believed: a pinned SHA-256 fingerprint, a CA file, nothing (insecure), or the system's CAs.

    `route` is how the hub is reached, None for the usual way; it changes nothing of what is believed.
    """

    fingerprint: str | None = None
    ca_file: str | None = None
    insecure: bool = False
    route: Route | None = None

    def settle(self, link: requests.Session) -> None:
        """Have a session take the route, and believe this certificate."""
        # urllib3 compares a fingerprint, and then nothing else of the certificate.
        pinned: dict[str, Any] = (
            {"assert_fingerprint": self.fingerprint, "assert_hostname": False} if self.fingerprint else {}
        )
        link.verify = self.ca_file or not (self.insecure or self.fingerprint)
        if not link.verify:
            # Else urllib3 reads all CAs of the system first (20 ms), of which it asks none.
            pinned["ssl_context"] = create_urllib3_context(cert_reqs=ssl.CERT_NONE)
        if self.insecure:  # the report says so, once
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        link.mount("https://", Adapter(self.route, **pinned))
        link.mount("http://", Adapter(self.route))

    def connect(self, host: str, port: int, seconds: float) -> socket.socket:
        """Return a connection by the route, on which nothing is believed yet. Raises OSError, DoorError."""
        if self.route:
            return self.route.connect(host, port, seconds)
        return socket.create_connection((host, port), seconds)

    @contextlib.contextmanager
    def port_here(self, url: str) -> Iterator[int | None]:
        """Yield a port of this machine that leads to an address, None where the address itself does, once it was reached."""
        if not self.told(url)[0]:
            yield None
            return
        where = urlsplit(url)
        host, port = where.hostname or "", where.port or (443 if where.scheme == "https" else 80)
        with doorstep(lambda: self.connect(host, port, PATIENCE)) as made:
            yield made

    def told(self, url: str) -> tuple[str, str]:
        """Return for an address which way was taken, and what is known of why it leads nowhere; empty for nothing."""
        return self.route.told(url) if self.route else ("", "")


@dataclass(frozen=True)
class Answer:
    """What came back: `location` of a redirect, and `pause`, the seconds after which the hub wants to be asked again.

    `apart`: by how many seconds the hub's clock is before ours, None where it tells no time.
    `ours`: it bears the hub's own header, and is not what a proxy says in its place.
    """

    status: int
    body: bytes
    location: str = ""
    pause: float | None = None
    ours: bool = False
    apart: float | None = None


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


def session(trust: Trust) -> requests.Session:
    """Return a session that believes what `trust` says, and reads no proxy, .netrc or CA out of the environment."""
    made = requests.Session()
    made.trust_env = False
    # What is packed small can be large, and the hub packs nothing unless it is asked to.
    made.headers.update({"Accept-Encoding": "identity"})
    trust.settle(made)
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
            ours = _VERSION in answer.headers
            clock = apart(answer.headers.get("Date"))
            return Answer(answer.status_code, read, answer.headers.get("Location", ""), pause, ours, clock)
    except requests.exceptions.SSLError as error:
        if _doubted(error):
            raise DoorError(f"{asked}: {distrust(error, trust)}") from None
        why = trust.told(asked.url)[1] or root(error)
        raise UnreachedError(f"{asked}: no TLS connection comes about; is it up? {LOGS} ({why})") from None
    except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
        within = f"{round(seconds, 1):g} s"
        raise SilentError(
            f"{asked} did not answer within {within}; is the hub hanging? {LOGS}{unused(asked.url)}"
        ) from None
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        why = trust.told(asked.url)[1] or root(error)
        proxy = unused(asked.url)
        raise UnreachedError(f"{asked}: the hub does not answer; is it up? {LOGS} ({why}){proxy}") from None


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
    text = masked(" ".join(body[:2000].decode("utf-8", "replace").split()))
    return repr(text[:160])[:200] if text else "nothing"
