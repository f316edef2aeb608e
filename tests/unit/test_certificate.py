"""A certificate read: keys of every sort, names of every form, and bytes that are none."""

from __future__ import annotations

import contextlib
import ssl
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from hubspec.certificate import FIELDS, read, told
from tests.certificates import certificate, pem

EC = ec.generate_private_key(ec.SECP256R1())
DER = ssl.PEM_cert_to_DER_cert(pem(certificate(EC, names=["hub.example.org", "10.0.0.7"])))

KEYS = [
    (rsa.generate_private_key(65537, 1024), "RSA 1024", 80),
    (rsa.generate_private_key(65537, 2047), "RSA 2047", 80),
    (rsa.generate_private_key(65537, 2048), "RSA 2048", 112),
    (rsa.generate_private_key(65537, 3072), "RSA 3072", 128),
    (dsa.generate_private_key(1024), "DSA 1024", 80),
    (ec.generate_private_key(ec.SECP192R1()), "EC secp192r1", 96),
    (EC, "EC secp256r1", 128),
    (ec.generate_private_key(ec.SECP384R1()), "EC secp384r1", 192),
    (ec.generate_private_key(ec.SECP521R1()), "EC secp521r1", 256),
    (ed25519.Ed25519PrivateKey.generate(), "Ed25519", 128),
    (ed448.Ed448PrivateKey.generate(), "Ed448", 224),
]


@pytest.mark.parametrize(("key", "name", "strength"), KEYS, ids=[case[1] for case in KEYS])
def test_keys(key: Any, name: str, strength: int) -> None:
    found, unread = read(pem(certificate(key)), "localhost", time.time())

    assert (found["key"], found["key_strength"], unread) == (name, strength, {})
    assert found["certificate_self_signed"] is True


FITS = [
    # names, host, whether one of them is the host's
    (["hub.example.org"], "hub.example.org", True),
    (["HUB.example.org"], "hub.Example.org.", True),
    (["*.example.org"], "hub.example.org", True),
    (["*.example.org"], "a.hub.example.org", False),
    (["*.example.org"], "example.org", False),
    (["*.example.org"], ".example.org", False),
    (["h*.example.org"], "hub.example.org", False),
    (["10.0.0.7"], "10.0.0.7", True),
    (["::1"], "0:0:0:0:0:0:0:1", True),
    (["10.0.0.8"], "10.0.0.7", False),
    (["*.0.0.7"], "10.0.0.7", False),
    ([], "localhost", False),
]


@pytest.mark.parametrize(("names", "host", "fits"), FITS)
def test_which_host_it_is_for(names: list[str], host: str, *, fits: bool) -> None:
    found, _ = read(pem(certificate(EC, names=names)), host, time.time())

    assert found["certificate_fits"] is fits
    assert found["certificate_names"] == (names or ["localhost"])


def test_signed_by_another_of_the_same_name_is_not_self_signed() -> None:
    other = ec.generate_private_key(ec.SECP256R1())

    assert read(pem(certificate(EC, signer=other)), "x", 0)[0]["certificate_self_signed"] is False
    assert read(pem(certificate(EC, signer=other, issuer="Some CA")), "x", 0)[0]["certificate_issuer"] == "CN=Some CA"


TIMES = [(-1, "not yet valid"), (0, "valid"), (1, "valid"), (2 * 86400 + 1, "expired")]


@pytest.mark.parametrize(("after", "state"), TIMES)
def test_states(after: int, state: str) -> None:
    one = certificate(EC)
    found, _ = read(pem(one), "x", one.not_valid_before_utc.timestamp() + after)

    assert found["certificate_state"] == state


def understood(der: bytes, host: str, now: float) -> None:
    """Assert that it is read or refused, and nothing else."""
    text = ssl.DER_cert_to_PEM_cert(der)
    try:
        found, unread = read(text, host, now)
    except ValueError:
        return
    assert found.keys() | unread.keys() == FIELDS.keys()
    assert not found.keys() & unread.keys()
    with contextlib.suppress(ValueError):
        assert told(text).startswith("subject ")


@given(
    st.lists(st.tuples(st.integers(0, len(DER) - 1), st.integers(0, 255)), min_size=1, max_size=4), st.text(max_size=9)
)
def test_changed_bytes_are_read_or_refused(changes: list[tuple[int, int]], host: str) -> None:
    der = bytearray(DER)
    for at, byte in changes:
        der[at] = byte
    understood(bytes(der), host, 1e9)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(der: bytes) -> None:
    understood(der, "x", 1e9)


@given(st.text(max_size=40))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its words are the library's
        read(text, "x", 0)
