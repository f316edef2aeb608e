"""Groups of the hub: who is in which."""

from hubspec.verdict import Verdict

KIND = "hub_group"


def test_declared(declared: Verdict) -> None:
    """Each declared hub group is what it was declared to be."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """There are no hub groups that nobody declared."""
    assert undeclared.compliant, undeclared
