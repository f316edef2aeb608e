"""The EMR cluster: state, release, applications, logs, tags."""

from hubspec.verdict import Verdict

KIND = "cluster"


def test_declared(declared: Verdict) -> None:
    """Each declared cluster is what it was declared to be."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """There are no applications or tags that nobody declared."""
    assert undeclared.compliant, undeclared
