"""Kernels that notebooks can be run with, by their kernelspecs."""

from hubspec.verdict import Verdict

KIND = "kernel"


def test_declared(declared: Verdict) -> None:
    """Each declared kernel is registered as declared, and what it runs is there."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """No kernel is registered that was not declared."""
    assert undeclared.compliant, undeclared
