"""What was customised survives a restart of the container. With --smoke=restart only: everybody's servers end."""

from hubspec.verdict import Verdict

KIND = "container"


def test_works(smoke: Verdict) -> None:
    """Whatever was as declared before the restart is so after it, or was put back."""
    assert smoke.compliant, smoke
