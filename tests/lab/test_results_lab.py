"""Results in the lab's S3: the nights of one cluster at one place, sealed with keys; and a bucket that everybody could read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hubspec.__main__ import main
from lab import breaks
from lab.breaks import aws
from lab.breaks.model import Scene
from tests.conftest import Audit

BUCKET, KEY, OTHER = "hubspec-lab-results", "alias/hubspec-results", "alias/hubspec-history"
PLACE = f"s3://{BUCKET}/nights/"
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
EVERYBODY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    ],
}
CHOSEN = ("--cluster", "lab", "-k", "test_users", "--report", "html")


@pytest.fixture
def s3(on: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a client of S3 and an empty bucket without ACLs, closed to others; afterwards it is gone."""
    client = aws.client(on, "s3")
    client.create_bucket(Bucket=BUCKET, ObjectOwnership="BucketOwnerEnforced")
    client.put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration=dict.fromkeys(BLOCKS, True))
    for name, value in on.lab.aws_env.items():
        monkeypatch.setenv(name, value)
    yield client
    for key in keys(client):
        client.delete_object(Bucket=BUCKET, Key=key)
    client.delete_bucket(Bucket=BUCKET)


def keys(client: Any, prefix: str = "") -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [one["Key"] for page in pages for one in page.get("Contents", [])]


def test_two_nights_at_one_place(
    s3: Any, on: Scene, audit: Audit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env = {**on.lab.aws_env, "HUBSPEC_RESULTS": PLACE, "HUBSPEC_RESULTS_KMS_KEY": KEY, "HUBSPEC_HISTORY_KEEP": "1"}
    first = audit(*CHOSEN, env=env)
    assert first.code == 0, first.text
    breaks.apply("user-shell")
    try:
        second = audit(*CHOSEN, env=env)
    finally:
        breaks.mend("user-shell")
    assert second.code == 1, second.text
    assert [one["change"] for one in second.records if one["outcome"] == "drifted"] == ["new"]

    there = keys(s3)
    names = sorted({one.split("/")[2] for one in there if "/runs/" in one})
    assert len(names) == 2
    pointer = json.loads(s3.get_object(Bucket=BUCKET, Key="nights/latest.json")["Body"].read())
    assert (pointer["report"], pointer["exit_code"]) == (f"runs/{names[1]}/", 1)
    assert f"results: {PLACE}runs/{names[1]}/" in second.text
    for key in there:
        told = s3.head_object(Bucket=BUCKET, Key=key)
        assert (told["ServerSideEncryption"], told["SSEKMSKeyId"]) == ("aws:kms", KEY)
    page = s3.head_object(Bucket=BUCKET, Key=f"nights/runs/{names[1]}/report.html")
    assert page["ContentType"] == "text/html; charset=utf-8"

    for key in keys(s3, f"nights/runs/{names[0]}/"):
        target = tmp_path / "copy" / key.removeprefix(f"nights/runs/{names[0]}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(BUCKET, key, str(target))
    assert main(["verify", str(tmp_path / "copy")]) == 0
    assert len(keys(s3, "nights/history/")) == 1, "--history-keep counts when the run is there"
    capsys.readouterr()
    assert main(["history", "list", "--history", f"{PLACE}history/"]) == 0
    assert pointer["run"][:8] in capsys.readouterr().out


def test_a_public_bucket_gets_nothing_and_the_run_comes_when_it_is_closed(s3: Any, on: Scene, audit: Audit) -> None:
    s3.delete_public_access_block(Bucket=BUCKET)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(EVERYBODY))
    history = ("--history", f"s3://{BUCKET}/own/", "--history-kms-key", OTHER)
    run = audit(*CHOSEN, "--results", PLACE, *history, env=dict(on.lab.aws_env))
    assert run.code == 20, run.text
    assert f"results: NOT in {PLACE}: the policy of the bucket {BUCKET} makes it public" in run.text
    (key,) = keys(s3)
    told = s3.head_object(Bucket=BUCKET, Key=key)
    assert key.startswith("own/")
    assert (told["ServerSideEncryption"], told["SSEKMSKeyId"]) == ("aws:kms", OTHER)

    s3.delete_bucket_policy(Bucket=BUCKET)
    (kept,) = (run.folder / "unsent").iterdir()
    assert main(["upload", str(kept), PLACE]) == 0
    assert f"nights/runs/{kept.name}/manifest.json" in keys(s3)
    assert s3.head_object(Bucket=BUCKET, Key="nights/latest.json")["ServerSideEncryption"] == "AES256"
