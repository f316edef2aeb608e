"""A notebook server starts, answers, keeps a notebook, runs a cell in each kernel, and stops. As a probe user, who is removed."""

from hubspec.verdict import Verdict

KIND = "server"
TESTS = ("start", "api", "contents", "kernels", "stop")


def test_works(smoke: Verdict) -> None:
    """What a person does first with a notebook server works, each part by itself."""
    assert smoke.compliant, smoke
