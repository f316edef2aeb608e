"""Certificates for the tests: made here, of real keys, with what a test says of them."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID


def certificate(
    key: Any,
    *,
    signer: Any = None,
    issuer: str | None = None,
    names: Sequence[str] = (),
    days: tuple[int, int] = (-1, 1),
) -> x509.Certificate:
    """Return a certificate for localhost, valid between two days from now, self-signed without a signer."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    by = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]) if issuer else subject
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=days[0]))
        .not_valid_after(now + dt.timedelta(days=days[1]))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
    return builder.sign(signer or key, _digest(signer or key))


def _digest(key: Any) -> hashes.SHA256 | None:
    return None if type(key).__name__.startswith(("Ed25519", "Ed448")) else hashes.SHA256()


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def pem(one: x509.Certificate) -> str:
    """Return the certificate as text."""
    return one.public_bytes(serialization.Encoding.PEM).decode()


def pair(folder: Path, key: Any, one: x509.Certificate) -> Path:
    """Write key and certificate into one file, and return its path."""
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "pair.pem"
    path.write_bytes(private + pem(one).encode())
    return path
