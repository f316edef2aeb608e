"""Services of the hub: programs that it starts or trusts."""

from hubspec.verdict import Verdict

KIND = "service"


def test_declared(declared: Verdict) -> None:
    """Each declared service is what it was declared to be."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """There are no services that nobody declared."""
    assert undeclared.compliant, undeclared
