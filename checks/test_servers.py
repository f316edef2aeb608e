"""Notebook servers that are active: how long unused, how long started."""

from hubspec.verdict import Verdict

KIND = "server"


def test_declared(declared: Verdict) -> None:
    """Each declared server is what it was declared to be."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """There are no servers that nobody declared and that the policy does not allow."""
    assert undeclared.compliant, undeclared
