"""The proxy before the hub: its process, its own REST API, and its routes past the hub."""

from hubspec.verdict import Verdict

KIND = "proxy"


def test_declared(declared: Verdict) -> None:
    """The proxy runs as declared, and its API answers nobody but the hub."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """No route leads past the hub, but those that are declared."""
    assert undeclared.compliant, undeclared
