"""The hub's container: image, restart policy, privileges, mounts, published ports, operating system."""

from hubspec.verdict import Verdict

KIND = "container"


def test_declared(declared: Verdict) -> None:
    """Each declared container is what it was declared to be."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """There are no Docker containers beside it that nobody declared."""
    assert undeclared.compliant, undeclared
