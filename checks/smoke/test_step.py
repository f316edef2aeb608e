"""A step that is submitted now runs, and its output reaches S3. It multiplies two numbers, and is cleaned up after."""

from hubspec.verdict import Verdict

KIND = "step"


def test_works(smoke: Verdict) -> None:
    """A step through each of EMR's own jars completes, and its output is in S3."""
    assert smoke.compliant, smoke
