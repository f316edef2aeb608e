"""Who has no right is refused by the hub's API, and an admin is let in. A probe user of its own, removed at the end."""

from hubspec.verdict import Verdict

KIND = "hub_token"


def test_works(smoke: Verdict) -> None:
    """No token, a wrong, revoked or expired one, that of no admin and one of too few scopes are refused; an admin's is accepted."""
    assert smoke.compliant, smoke
