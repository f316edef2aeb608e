"""Configuration, keys and certificates in the container."""

from hubspec.verdict import Verdict

KIND = "file"


def test_declared(declared: Verdict) -> None:
    """Each declared file is what it was declared to be."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """There are no files in the watched directories that nobody declared."""
    assert undeclared.compliant, undeclared
