"""The steps of the cluster: whether they were run, when, and how they ended."""

from hubspec.verdict import Verdict

KIND = "step"


def test_declared(declared: Verdict) -> None:
    """Each declared step is what it was declared to be."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """No other step breaks the policy for undeclared steps."""
    assert undeclared.compliant, undeclared
