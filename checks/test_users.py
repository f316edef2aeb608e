"""Operating system accounts in the container: what PAM logs people in with."""

from hubspec.verdict import Verdict

KIND = "user"


def test_declared(declared: Verdict) -> None:
    """Each declared account is what it was declared to be."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """There are no accounts of people that nobody declared."""
    assert undeclared.compliant, undeclared
