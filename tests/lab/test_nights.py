"""What a report is for: three breaks, one waived, one put right and one left; and the nights after, over a history in S3."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import emr
import pytest

from hubspec.__main__ import main
from lab import breaks
from lab.breaks import aws
from lab.breaks.model import Scene
from tests.conftest import Audit, Run

WAIVED, FIXED, LEFT, LATER = "config-mode", "user-shell", "user-stray", "user-locked"
WAIVERS = """\
waivers:
  mode: {control: FIL-02, resource: "*jupyterhub_config.py", reason: moved soon, owner: ada, ticket: OPS-1, until: "2099-12-31"}
"""
PLACE = f"s3://{emr.LOGS}/history/"


@pytest.fixture
def broken(on: Scene) -> Iterator[Scene]:
    """Break three things; at the end everything is mended, and no history is left."""
    client = aws.client(on, "s3")
    try:
        for name in (WAIVED, FIXED, LEFT):
            breaks.apply(name)
        yield on
    finally:
        for name in (WAIVED, FIXED, LEFT, LATER):
            breaks.mend(name)
        for one in client.list_objects_v2(Bucket=emr.LOGS, Prefix="history/").get("Contents", []):
            client.delete_object(Bucket=emr.LOGS, Key=one["Key"])


def told(run: Run) -> list[tuple[str, str, str | None]]:
    """Return the kind, the outcome and the change of what is not simply compliant, or changed."""
    quiet = {"compliant", "not applicable"}
    return sorted(
        (one["kind"], one["outcome"], one["change"])
        for one in run.records
        if one["outcome"] not in quiet or one["change"]
    )


def test_three_breaks_and_the_nights_after(
    broken: Scene, audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "waivers.yaml").write_text(WAIVERS)
    env = {**broken.lab.aws_env, "HUBSPEC_HISTORY": PLACE, "HUBSPEC_WAIVERS": str(tmp_path / "waivers.yaml")}
    chosen = ("--cluster", "lab", "-k", "test_users or test_files")

    first = audit(*chosen, "--remediate=safe", env=env)
    assert first.code == 1, first.text
    assert told(first) == [("file", "waived", "new"), ("user", "drifted", "new"), ("user", "fixed", "fixed")]
    page = (first.folder / "latest" / "report.html").read_text()
    for said in ("Not compliant", "2 new", "1 fixed", "OPS-1"):
        assert said in re.sub(r"<[^>]*>", "", page)

    breaks.apply(LATER)
    second = audit(*chosen, "--fail-on", "new", env=env)
    assert second.code == 1
    assert told(second) == [("file", "waived", "still"), ("user", "drifted", "new"), ("user", "drifted", "still")]

    breaks.mend(LATER)  # mends every account
    third = audit(*chosen, "--fail-on", "new", env=env)
    assert third.code == 0, third.text
    assert told(third) == [("file", "waived", "still"), *[("user", "compliant", "fixed")] * 2]

    client = aws.client(broken, "s3")
    kept = client.list_objects_v2(Bucket=emr.LOGS, Prefix="history/")["Contents"]
    heads = [client.head_object(Bucket=emr.LOGS, Key=one["Key"]) for one in kept]
    assert [one["ServerSideEncryption"] for one in heads] == ["AES256"] * 3

    for name, value in broken.lab.aws_env.items():
        monkeypatch.setenv(name, value)
    assert main(["history", "list", "--history", PLACE]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert main(["history", "diff", "latest~1", "latest", "--history", PLACE]) == 1
    assert "0 new, 1 still, 2 fixed" in capsys.readouterr().out
