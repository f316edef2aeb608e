"""A certificate read: whose it is, until when, from whom, and how strong its key is. Pure; by the library `cryptography`."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from hubspec.duration import words

STRENGTH = ((15360, 256), (7680, 192), (3072, 128), (2048, 112), (1024, 80))
"""Bits of an RSA or DSA key from which on it has a security strength (NIST SP 800-57 part 1 rev. 5, table 2)."""
FIELDS: dict[str, Callable[[x509.Certificate, str, datetime], Any]] = {
    "certificate_state": lambda one, _host, now: state(one, now),
    "certificate_left": lambda one, _host, now: words((one.not_valid_after_utc - now).total_seconds()),
    "certificate_names": lambda one, _host, _now: names(one),
    "certificate_fits": lambda one, host, _now: any(_fits(name, host) for name in alternatives(one)),
    "certificate_issuer": lambda one, _host, _now: one.issuer.rfc4514_string(),
    "certificate_self_signed": lambda one, _host, _now: self_signed(one),
    "certificate_fingerprint": lambda one, _host, _now: one.fingerprint(hashes.SHA256()).hex(),
    "key": lambda one, _host, _now: key(one)[0],
    "key_strength": lambda one, _host, _now: key(one)[1],
}
"""Field -> how it is read from a certificate, the host it was asked of, and the time."""


_ODD = (
    *(ValueError, TypeError, LookupError, OverflowError, UnsupportedAlgorithm),
    *(x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType),
)
"""What `cryptography` raises about a certificate that says what none should."""


def read(pem: str, host: str, now: float) -> tuple[dict[str, Any], dict[str, str]]:
    """Return field -> value, and field -> reason of those that this certificate does not let be read.

    `host` is the name by which its server was reached, `now` an epoch. Raises ValueError where it is no certificate.
    """
    one = _loaded(pem)
    found, unread = dict[str, Any](), dict[str, str]()
    for field, get in FIELDS.items():
        try:
            found[field] = get(one, host, datetime.fromtimestamp(now, UTC))
        except _ODD as error:
            unread[field] = f"the certificate is not understood ({type(error).__name__}: {error})"
    return found, unread


def told(pem: str) -> str:
    """Return what a person would ask of a certificate, a line each. Raises ValueError."""
    one = _loaded(pem)
    try:
        begins, ends = (f"{at:%Y-%m-%d %H:%M} UTC" for at in (one.not_valid_before_utc, one.not_valid_after_utc))
        whose = f"subject {one.subject.rfc4514_string()}\nissuer {one.issuer.rfc4514_string()}"
    except _ODD as error:
        raise ValueError(str(error)) from None
    return f"{whose}\nvalid from {begins} to {ends}\nSHA-256 {one.fingerprint(hashes.SHA256()).hex()}"


def _loaded(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except _ODD as error:
        raise ValueError(str(error)) from None


def state(one: x509.Certificate, now: datetime) -> str:
    """Return valid, expired, or not yet valid."""
    if now < one.not_valid_before_utc:
        return "not yet valid"
    return "expired" if now > one.not_valid_after_utc else "valid"


def alternatives(one: x509.Certificate) -> list[str]:
    """Return the DNS names and addresses among its subject alternative names: what clients compare (RFC 6125)."""
    try:
        more = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = map(str, more.get_values_for_type(x509.IPAddress))
    return [*more.get_values_for_type(x509.DNSName), *addresses]


def names(one: x509.Certificate) -> list[str]:
    """Return its subject alternative names, its common name where it has none."""
    common = (str(name.value) for name in one.subject.get_attributes_for_oid(NameOID.COMMON_NAME))
    return sorted(alternatives(one) or common)


def _fits(name: str, host: str) -> bool:
    if _address(host):
        return _address(name) == _address(host)
    name, host = name.lower().rstrip("."), host.lower().rstrip(".")
    first, dot, rest = host.partition(".")  # a star stands for one whole label, the first
    return name == host or (bool(first and dot) and name == f"*.{rest}")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def self_signed(one: x509.Certificate) -> bool:
    """Say whether its own key signed it."""
    try:
        one.verify_directly_issued_by(one)
    except (InvalidSignature, ValueError, TypeError):  # another name, another key, another sort of key
        return False
    return True


def key(one: x509.Certificate) -> tuple[str, int]:
    """Return its key, such as RSA 2048, and the security strength in bits of that. Raises ValueError."""
    public = one.public_key()
    if isinstance(public, rsa.RSAPublicKey | dsa.DSAPublicKey):
        word = "RSA" if isinstance(public, rsa.RSAPublicKey) else "DSA"
        return f"{word} {public.key_size}", next(_strengths(public.key_size), 0)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return f"EC {public.curve.name}", min(public.key_size // 2, 256)
    if isinstance(public, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return ("Ed25519", 128) if isinstance(public, ed25519.Ed25519PublicKey) else ("Ed448", 224)
    message = f"a key of the sort {type(public).__name__} does not sign"
    raise ValueError(message)


def _strengths(size: int) -> Iterator[int]:
    return (strength for bits, strength in STRENGTH if size >= bits)
