"""What the configuration files of the hub, its servers and sparkmagic set."""

from hubspec.verdict import Verdict

KIND = "config"


def test_declared(declared: Verdict) -> None:
    """Each declared file sets what was declared."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """The declared files set nothing that is forbidden."""
    assert undeclared.compliant, undeclared
