"""The hub itself: version, authenticator, spawner, and what it shows on the wire: certificate, key, TLS."""

from hubspec.verdict import Verdict

KIND = "hub"


def test_declared(declared: Verdict) -> None:
    """The hub is what it was declared to be."""
    assert declared.compliant, declared
