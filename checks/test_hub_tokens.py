"""API tokens of the hub: who has one, and until when it opens what."""

from hubspec.verdict import Verdict

KIND = "hub_token"


def test_declared(declared: Verdict) -> None:
    """Each declared token is what it was declared to be."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """There are no tokens beyond those declared that the policy does not allow."""
    assert undeclared.compliant, undeclared
