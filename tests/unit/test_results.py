"""How a report gets to its place: whole or not at all, encrypted, the pointer last; and what S3 or a folder may do instead."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from aws_server import LOST, Refusal, serving, session

from hubspec import manifest
from hubspec.cluster.calls import CALLS
from hubspec.cluster.keep_bucket import Bucket
from hubspec.cluster.keep_folder import Folder
from hubspec.errors import DoorError
from hubspec.iam import policy
from hubspec.manifest import MANIFEST
from hubspec.results import LATEST, Brought, Report, UnfitError, bring, report

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
INPUTS = {"run": "1f0c9a2b-1", "started": WHEN.isoformat(), "clusters": {"j-1": "emr.yaml"}}
FILES = {"records.jsonl": "{}\n", "allure-results/a.json": "{}", "history/20260102T030405000000Z-1.json.gz": "past"}
CLOSED = {
    "GetPublicAccessBlock": ["<PublicAccessBlockConfiguration>" + "".join(f"<{name}>true</{name}>" for name in (
        "BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")) + "</PublicAccessBlockConfiguration>"],
    "GetBucketPolicyStatus": [Refusal("NoSuchBucketPolicy")],
}  # fmt: skip
"""A bucket that nobody else can see into."""


def made(folder: Path, run: str = "1f0c9a2b-1", minutes: int = 0, **files: str) -> Report:
    """Leave a report of a run that began so many minutes after three."""
    for name, text in {**FILES, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    started = WHEN + timedelta(minutes=minutes)
    inputs = INPUTS | {"run": run, "started": started.isoformat()}
    end = {"finished": (started + timedelta(seconds=9)).isoformat(), "exit_code": 1, "outcomes": {"drifted": 1}}
    manifest.written(folder, inputs, end, "head")
    return report(folder)


def left(folder: Path) -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if not one.is_dir())


def brought(of: Report, place: Any, *, ended_now: bool = True, deadline: float = 60) -> Brought:
    return bring(of, place, ended_now=ended_now, deadline=deadline)


def test_a_folder_has_the_run_its_history_and_the_pointer(tmp_path: Path) -> None:
    of = made(tmp_path / "latest")
    where = brought(of, Folder(tmp_path / "place")).where

    name = "runs/20260102T030405Z-1f0c9a2b"
    assert where == f"{tmp_path}/place/{name}/"
    below = [f"{name}/{one}" for one in (*FILES, MANIFEST)]
    assert left(tmp_path / "place") == sorted([*below, LATEST, "history/20260102T030405000000Z-1.json.gz"])
    pointer = json.loads((tmp_path / "place" / LATEST).read_text())
    assert pointer["report"] == f"{name}/"
    assert (pointer["exit_code"], pointer["clusters"], pointer["outcomes"]) == (1, ["j-1"], {"drifted": 1})
    assert report(Path(where)).vouches == of.vouches


@contextmanager
def bucket(put: list[Any], **answers: list[Any]) -> Iterator[tuple[Bucket, list[tuple[str, dict[str, Any]]]]]:
    with serving({**CLOSED, "PutObject": put, **answers}) as (variables, asked):
        yield Bucket("s3://audits/nights/", session=session(variables)), asked


def puts(asked: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [given["Key"].removeprefix("/audits/nights/") for call, given in asked if call == "PutObject"]


def test_in_s3_the_manifest_comes_behind_the_files_and_the_pointer_last(tmp_path: Path) -> None:
    of = made(tmp_path)
    with bucket([""]) as (place, asked):
        told = brought(of, place)

    name = "runs/20260102T030405Z-1f0c9a2b"
    assert told == Brought(f"s3://audits/nights/{name}/", [])
    keys = puts(asked)
    assert sorted(keys[:3]) == sorted(f"{name}/{one}" for one in FILES)
    assert keys[3:] == [f"{name}/{MANIFEST}", "history/20260102T030405000000Z-1.json.gz", LATEST]
    sent = [given for call, given in asked if call == "PutObject"]
    assert {one["x-amz-server-side-encryption"] for one in sent} == {"AES256"}
    assert not any("acl" in header.lower() for one in sent for header in one)


def test_a_kms_key_seals_each_object(tmp_path: Path) -> None:
    with serving({**CLOSED, "PutObject": [""]}) as (variables, asked):
        brought(made(tmp_path), Bucket("s3://audits", kms_key="alias/audits", session=session(variables)))
    sent = [given for call, given in asked if call == "PutObject"]
    assert len(sent) == len(FILES) + 3
    assert {one["x-amz-server-side-encryption"] for one in sent} == {"aws:kms"}
    assert {one["x-amz-server-side-encryption-aws-kms-key-id"] for one in sent} == {"alias/audits"}


def refused_for(name: str, answer: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda given: answer if name in given["Key"] else ""


REFUSALS = [
    # which object is refused, how, and what is said
    ("records.jsonl", Refusal("AccessDenied", "no"), r"AWS refuses PutObject: allow s3:PutObject \(no\)"),
    (MANIFEST, Refusal("NoSuchBucket", "none"), "AWS refused PutObject: NoSuchBucket: none"),
    ("history", Refusal("KMS.DisabledException", "off"), "KMS.DisabledException"),
    ("allure", LOST, "the S3 API does not answer"),
]


@pytest.mark.parametrize(("which", "answer", "said"), REFUSALS)
def test_whatever_s3_refuses_the_pointer_is_never_written(tmp_path: Path, which: str, answer: Any, said: str) -> None:
    with bucket([refused_for(which, answer)]) as (place, asked), pytest.raises(DoorError, match=said):
        brought(made(tmp_path), place)
    assert LATEST not in puts(asked)
    assert which in {"history", MANIFEST} or not any(one.endswith(MANIFEST) for one in puts(asked))


def test_what_is_throttled_is_sent_again_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubspec.cluster.session.PAUSE", 0.01)
    busy = [Refusal("SlowDown")] * 5  # more than botocore's own attempts for one object
    with bucket([""], PutObject=[*busy, ""]) as (place, asked):
        brought(made(tmp_path / "one", **{"records.jsonl": "x" * 5000}), place)
    bodies = [given["Body"] for call, given in asked if call == "PutObject" and given["Key"].endswith("records.jsonl")]
    assert set(bodies) == {b"x" * 5000}
    assert puts(asked)[-1] == LATEST


def test_a_bound_ends_what_s3_makes_slow(tmp_path: Path) -> None:
    def slowly(_given: dict[str, Any]) -> str:
        time.sleep(0.3)
        return ""

    of = made(tmp_path, **{f"allure-results/{number}": "" for number in range(200)})
    with (
        bucket([slowly]) as (place, asked),
        pytest.raises(DoorError, match=r"did not take all of it within 0\.5 s"),
    ):
        brought(of, place, deadline=0.5)
    assert len(puts(asked)) < 150


PUBLIC = [
    # block of the bucket, status of its policy, what is said
    (Refusal("NoSuchPublicAccessBlockConfiguration"), Refusal("NoSuchBucketPolicy"), "is off: BlockPublicAcls, Ign"),
    ("<P><BlockPublicAcls>true</BlockPublicAcls></P>", "<P><IsPublic>false</IsPublic></P>", "is off: IgnorePublicAcls"),
    (Refusal("AccessDenied"), Refusal("AccessDenied"), ""),  # who may not ask is told nothing
    (CLOSED["GetPublicAccessBlock"][0], "<P><IsPublic>true</IsPublic></P>", ""),  # the block holds it back
]


@pytest.mark.parametrize(("block", "status", "said"), PUBLIC)
def test_how_open_a_bucket_is(tmp_path: Path, block: Any, status: Any, said: str) -> None:
    answers = {"GetPublicAccessBlock": [block], "GetBucketPolicyStatus": [status]}
    with bucket([""], **answers) as (place, _asked):
        told = brought(made(tmp_path), place).notices
    assert len(told) == bool(said)
    assert said in "".join(told)


@pytest.mark.parametrize("block", [Refusal("NoSuchPublicAccessBlockConfiguration"), Refusal("AccessDenied")])
def test_nothing_is_put_into_a_public_bucket(tmp_path: Path, block: Refusal) -> None:
    answers = {"GetPublicAccessBlock": [block], "GetBucketPolicyStatus": ["<P><IsPublic>true</IsPublic></P>"]}
    with bucket([""], **answers) as (place, asked), pytest.raises(DoorError, match="makes it public"):
        brought(made(tmp_path), place)
    assert puts(asked) == []


def test_an_older_run_that_comes_later_is_not_the_newest(tmp_path: Path) -> None:
    place = Folder(tmp_path / "place")
    old, new = made(tmp_path / "old", "aaaaaaaa"), made(tmp_path / "new", "bbbbbbbb", minutes=5)

    def newest() -> str:
        return str(json.loads((tmp_path / "place" / LATEST).read_text())["run"])

    for of, ended_now, run in (
        (new, False, "bbbbbbbb"),
        (old, False, "bbbbbbbb"),
        (old, False, "bbbbbbbb"),  # twice
        (new, False, "bbbbbbbb"),
    ):
        brought(of, place, ended_now=ended_now)
        assert newest() == run
    (tmp_path / "place" / LATEST).write_text("{")
    brought(old, place, ended_now=False)
    assert newest() == "aaaaaaaa"
    assert len(list((tmp_path / "place" / "runs").iterdir())) == 2


def test_whose_clock_was_set_back_is_the_newest_when_it_ends(tmp_path: Path) -> None:
    place = Folder(tmp_path / "place")
    brought(made(tmp_path / "a", "aaaaaaaa", minutes=60), place)
    brought(made(tmp_path / "b", "bbbbbbbb"), place)
    assert json.loads((tmp_path / "place" / LATEST).read_text())["run"] == "bbbbbbbb"


def test_another_report_of_the_same_name_is_left_as_it_is(tmp_path: Path) -> None:
    place = Folder(tmp_path / "place")
    brought(made(tmp_path / "a"), place)
    before = left(tmp_path / "place")
    other = made(tmp_path / "b", **{"records.jsonl": "other"})
    with pytest.raises(DoorError, match="has another report of the name 20260102T030405Z-1f0c9a2b"):
        brought(other, place, ended_now=False)
    with pytest.raises(DoorError, match="cannot be written"):
        brought(other, place)
    assert left(tmp_path / "place") == before


@pytest.mark.parametrize("what", ["a file is in the way", "a file vanishes", "time is up"])
def test_what_fails_in_a_folder_leaves_nothing_of_the_run(tmp_path: Path, what: str) -> None:
    of, place = made(tmp_path / "latest"), tmp_path / "place"
    deadline = 60.0
    if what == "a file is in the way":
        place.write_text("")
    elif what == "a file vanishes":
        (tmp_path / "latest" / "records.jsonl").unlink()
    else:
        deadline = 0.0
    with pytest.raises(DoorError):
        brought(of, Folder(place), deadline=deadline)
    assert not place.is_dir() or left(place) == []


def _many(at: tuple[Path, int]) -> str:
    folder, number = at
    return brought(made(folder / str(number), f"{number:08}"), Folder(folder / "place")).where


def test_jobs_at_once_on_one_place(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        where = list(pool.map(_many, [(tmp_path, number) for number in range(12)]))
    assert len(set(where)) == 12
    assert all(report(Path(one)) for one in where)
    assert json.loads((tmp_path / "place" / LATEST).read_text())["run"] in {f"{number:08}" for number in range(12)}
    assert not [one for one in left(tmp_path / "place") if one.endswith(".part")]


def altered(folder: Path, before: str, after: str) -> None:
    (folder / MANIFEST).write_text((folder / MANIFEST).read_text().replace(before, after))


HARM: dict[str, tuple[Callable[[Path], object], str]] = {
    "no manifest": (lambda folder: (folder / MANIFEST).unlink(), "holds no report of a run"),
    "half a manifest": (lambda folder: (folder / MANIFEST).write_text("{"), "is no manifest of a report"),
    "another document": (lambda folder: (folder / MANIFEST).write_text("[]"), "is no manifest"),
    "changed": (lambda folder: (folder / "records.jsonl").write_text("more"), "not as its run left it: records.jsonl"),
    "gone": (lambda folder: (folder / "records.jsonl").unlink(), "not as its run left it: records.jsonl"),
    "no time": (lambda folder: manifest.written(folder, {"run": "x"}, {}, "h"), "manifest.json"),
    "no id": (lambda folder: manifest.written(folder, {"run": 7, "started": "x"}, {}, "h"), "manifest.json"),
    "without records": (
        lambda folder: (
            (folder / "records.jsonl").unlink(),
            manifest.written(folder, INPUTS, {"records": 4}, "h"),
        ),
        "could not write records.jsonl",
    ),
    "a way out": (lambda folder: altered(folder, "1f0c9a2b-1", "../../x/"), "does not say which run"),
    "a file outside": (lambda folder: altered(folder, "records.jsonl", "../outside"), "not as its run left it"),
}


@pytest.mark.parametrize("harm", HARM)
def test_what_is_no_whole_report_goes_nowhere(tmp_path: Path, harm: str) -> None:
    (tmp_path / "outside").write_text("{}\n")
    made(tmp_path / "latest")
    do, said = HARM[harm]
    do(tmp_path / "latest")
    with pytest.raises(UnfitError, match=said):
        report(tmp_path / "latest")


def test_a_link_in_a_report_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}\n")
    made(tmp_path / "latest")
    (tmp_path / "latest" / "records.jsonl").unlink()
    (tmp_path / "latest" / "records.jsonl").symlink_to(tmp_path / "secret")
    with pytest.raises(UnfitError, match=r"records\.jsonl"):
        report(tmp_path / "latest")


def test_the_policy_allows_what_is_asked_for_and_no_more(tmp_path: Path) -> None:
    """What a run with a history asks, and what `upload` does: each by a statement, and each statement is needed."""
    gone = Refusal("NoSuchKey")
    listing = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
    with bucket([""], GetObject=[gone], ListObjectsV2=[listing]) as (place, asked):
        place.below("history").names()
        list(place.below("history").read(["20260102T030405000000Z-1.json.gz"]))
        brought(made(tmp_path), place)
        brought(made(tmp_path), place, ended_now=False)

    statements = policy("results")["Statement"]
    used = set()
    for call, given in asked:
        action = CALLS[call].action
        path = given["Key"].strip("/").replace("audits/nights/", "RESULTS-BUCKET/RESULTS-PREFIX")
        arn = "arn:aws:s3:::" + (path if "RESULTS" in path else "RESULTS-BUCKET")
        allow = [
            (one["Sid"], resource)
            for one in statements
            for resource in (one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]])
            if action in one["Action"] and fnmatchcase(arn, resource)
        ]
        assert allow, f"{action} on {arn}"
        used |= set(allow)
    every = {
        (one["Sid"], resource)
        for one in statements
        for resource in (one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]])
    }
    assert used == every


def test_what_a_killed_job_left_is_in_nobodys_way(tmp_path: Path) -> None:
    """In containers every job is the process of the same number, night after night."""
    of, place = made(tmp_path / "latest"), tmp_path / "place"
    for name in (f"runs/.{of.name}.{os.getpid()}.part/records.jsonl", f".{LATEST}.{os.getpid()}.part"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("half")
    where = Path(brought(of, Folder(place)).where)
    assert report(where).vouches == of.vouches
    assert json.loads((place / LATEST).read_text())["run"] == "1f0c9a2b-1"
