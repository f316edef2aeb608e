"""conda and pip packages, in every environment of the container."""

from hubspec.verdict import Verdict

KIND = "package"


def test_declared(declared: Verdict) -> None:
    """Each declared package is what it was declared to be."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """There are no packages that a person asked for that nobody declared."""
    assert undeclared.compliant, undeclared
