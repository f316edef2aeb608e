"""Routes of the proxy before the hub: which path leads where."""

from hubspec.verdict import Verdict

KIND = "route"


def test_declared(declared: Verdict) -> None:
    """Each declared route leads where it was declared to."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """Every other route leads to the running server of a user, and each of those has one."""
    assert undeclared.compliant, undeclared
