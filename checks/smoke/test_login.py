"""The hub's own login form lets a user in, in a real browser, to the notebook page. As a probe user, who is removed."""

from hubspec.verdict import Verdict

KIND = "server"
TESTS = ("login",)


def test_works(smoke: Verdict) -> None:
    """A name and a password that are right lead to the notebook page."""
    assert smoke.compliant, smoke
