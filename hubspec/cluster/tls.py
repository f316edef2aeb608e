"""What a server shows of itself before anything is said: its certificate, and the oldest TLS that it accepts.

Seen by handshakes of our own, after which nothing is sent; so no trust is needed, and what nobody should trust is seen too.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import SSLError
from urllib3.util.ssl_ import assert_fingerprint

from hubspec.errors import DoorError
from hubspec.model import Unreadable

VERSIONS = {
    "1.0": (ssl.TLSVersion.TLSv1, "HAS_TLSv1"),
    "1.1": (ssl.TLSVersion.TLSv1_1, "HAS_TLSv1_1"),
    "1.2": (ssl.TLSVersion.TLSv1_2, "HAS_TLSv1_2"),
    "1.3": (ssl.TLSVersion.TLSv1_3, "HAS_TLSv1_3"),
}
"""TLS version -> Python's word for it, and for whether its OpenSSL has it. RFC 8996 forbids the first two."""
# What OpenSSL offers with the oldest versions, and keys that it would not take by itself; never without a certificate.
_ANY = "ALL:!aNULL:!eNULL:@SECLEVEL=0"
_LEGACY = getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)  # Python 3.12 gave it its name
_REFUSED = ("PROTOCOL_VERSION", "HANDSHAKE_FAILURE", "UNSUPPORTED_PROTOCOL", "WRONG_VERSION_NUMBER", "WRONG_SSL_VERSION",
            "INSUFFICIENT_SECURITY", "UNEXPECTED_EOF", "INTERNAL_ERROR")  # fmt: skip
"""Ends of OpenSSL's reasons by which a server says no to a version; some just hang up."""


class _UntriedError(Exception):
    """Whether a version is accepted could not be tried; the text says why."""


Connect = Callable[[str, int, float], socket.socket]


def look(  # noqa: PLR0913 - what a handshake is made from
    url: str,
    *,
    fingerprint: str | None,
    ca_file: str | None,
    deadline: float,
    count: Callable[[], None],
    connect: Connect = lambda host, port, seconds: socket.create_connection((host, port), seconds),
) -> dict[str, Any]:
    """Return `pem` (None without TLS), `host`, `now` (epoch), and `trusted` and `oldest_tls`, Unreadable where not tried.

    `trusted`: it is the one of the fingerprint, or without one, a CA of the file or the system's signed it for this
    host and it is valid. `deadline` is in seconds, for each handshake; `count` is called for each, `connect`
    makes its connection. Raises DoorError
    where there is no certificate to be had.
    """
    where = urlsplit(url)
    host, port = where.hostname or "", where.port or 443
    if where.scheme != "https":
        return {"pem": None, "host": host, "now": time.time(), "trusted": None, "oldest_tls": None}

    def shake(context: ssl.SSLContext) -> bytes:
        count()
        with (
            connect(host, port, deadline) as plain,
            context.wrap_socket(plain, server_hostname=host) as link,
        ):
            return link.getpeercert(binary_form=True) or b""

    try:
        der = shake(_offering(ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion.MAXIMUM_SUPPORTED))
    except (OSError, ValueError) as error:
        raise DoorError(f"{url}: no certificate is shown there; is it the hub's address? ({_said(error)})") from None
    return {
        "pem": ssl.DER_cert_to_PEM_cert(der),
        "host": host,
        "now": time.time(),
        "trusted": _trusted(der, shake, fingerprint, ca_file),
        "oldest_tls": _oldest(shake),
    }


def _trusted(
    der: bytes, shake: Callable[[ssl.SSLContext], bytes], fingerprint: str | None, ca_file: str | None
) -> bool | Unreadable:
    try:
        if fingerprint:
            assert_fingerprint(der, fingerprint)
        else:
            context = ssl.create_default_context(cafile=ca_file or DEFAULT_CA_BUNDLE_PATH)
            context.hostname_checks_common_name = False  # as browsers and requests have it
            shake(context)
    except (SSLError, ssl.SSLCertVerificationError):
        return False
    except OSError as error:
        return Unreadable(f"whether it is trusted could not be tried ({_said(error)})")
    return True


def _oldest(shake: Callable[[ssl.SSLContext], bytes]) -> str | Unreadable:
    try:
        for name, (version, has) in VERSIONS.items():
            if _accepts(shake, name, version, has=has):
                return name
    except _UntriedError as reason:
        return Unreadable(str(reason))
    return Unreadable("of TLS 1.0 to 1.3 it accepts none alone")


def _accepts(shake: Callable[[ssl.SSLContext], bytes], name: str, version: ssl.TLSVersion, *, has: str) -> bool:
    if not getattr(ssl, has):
        raise _UntriedError(
            f"the OpenSSL of this machine cannot offer TLS {name}, so whether it is accepted is not known"
        )
    try:
        shake(_offering(version, version))
    except (ConnectionError, ssl.SSLEOFError):
        return False
    except ssl.SSLError as error:
        if (error.reason or "").endswith(_REFUSED):
            return False
        raise _UntriedError(f"whether TLS {name} is accepted could not be tried ({_said(error)})") from None
    except (OSError, ValueError) as error:
        raise _UntriedError(f"whether TLS {name} is accepted could not be tried ({_said(error)})") from None
    return True


def _offering(oldest: ssl.TLSVersion, newest: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent, so nobody is believed
    context.set_ciphers(_ANY)
    context.options |= _LEGACY
    context.minimum_version, context.maximum_version = oldest, newest
    return context


def _said(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error)[-200:] or type(error).__name__
