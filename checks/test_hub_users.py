"""Users as JupyterHub knows them: who there is, and who may administer the hub."""

from hubspec.verdict import Verdict

KIND = "hub_user"


def test_declared(declared: Verdict) -> None:
    """Each declared hub user is what it was declared to be."""
    assert declared.compliant, declared


def test_nothing_undeclared(undeclared: Verdict) -> None:
    """There are no hub users that nobody declared."""
    assert undeclared.compliant, undeclared
