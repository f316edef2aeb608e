"""A report at a place of results is brought here whole, or not taken; what its manifest names cannot lead elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aws_server import Refusal, serving

from hubspec.__main__ import main
from hubspec.cluster.keep_folder import Folder
from hubspec.errors import DoorError
from hubspec.fleet.fetched import fetched
from hubspec.fleet.merge import Merged
from hubspec.fleet.part import PartError
from hubspec.results import bring, report
from hubspec.verify import verify
from tests.parts import leave, one_of

S3 = "s3://audits/nights/"


@contextmanager
def bucket(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Serve a folder as the prefix of a bucket, and yield what was asked for."""

    def got(given: dict[str, Any]) -> Any:
        path = folder / given["Key"].removeprefix("/audits/nights/")
        return path.read_text() if path.is_file() else Refusal("NoSuchKey", "The specified key does not exist.")

    with serving({"GetObject": [got]}) as (variables, asked):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        names: list[str] = []
        yield names
        names += [given["Key"].removeprefix("/audits/nights/") for _, given in asked]


def place(tmp_path: Path, of: Path) -> Path:
    bring(report(of), Folder(tmp_path / "place"), ended_now=True, deadline=60)
    return tmp_path / "place"


def test_the_newest_of_a_place_in_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = leave(tmp_path / "a", one_of("j-A", "drifted"))
    with bucket(place(tmp_path, part), monkeypatch):
        here = fetched(S3, tmp_path / "here")
    assert {path.name: path.read_bytes() for path in here.iterdir()} == {
        path.name: path.read_bytes() for path in part.iterdir()
    }


def test_one_run_of_a_place_in_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = place(tmp_path, leave(tmp_path / "a", one_of("j-A")))
    (run,) = (kept / "runs").iterdir()
    with bucket(kept, monkeypatch):
        here = fetched(f"{S3}runs/{run.name}/", tmp_path / "here")
    assert verify(here, None, None).faults == []


def test_of_a_merged_report_only_the_parts_are_brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    merged = Merged(tmp_path / "merged", shard="1/2")
    merged.add(leave(tmp_path / "a", one_of("j-A")))
    merged.add(leave(tmp_path / "b", one_of("j-B")))
    merged.finish(["html"])
    with bucket(place(tmp_path, merged.folder), monkeypatch) as asked:
        here = fetched(S3, tmp_path / "here")
    assert not [name for name in asked if name.count("/") == 2 and name.endswith(("records.jsonl", "report.html"))]
    again = Merged(tmp_path / "again")
    assert again.add(here) == ["j-A", "j-B"]


def test_the_newest_of_a_folder_and_a_report_itself(tmp_path: Path) -> None:
    part = leave(tmp_path / "a", one_of("j-A"))
    kept = place(tmp_path, part)
    (run,) = (kept / "runs").iterdir()
    assert fetched(str(kept), tmp_path / "here") == run
    assert fetched(str(part), tmp_path / "here") == part
    assert not (tmp_path / "here").exists()


def _named(name: str) -> Any:
    def change(run: Path) -> None:
        path = run / "manifest.json"
        told = json.loads(path.read_text())
        told["files"] = {name: told["files"]["run.json"]}
        path.write_text(json.dumps(told))
        (run / "run.json").rename(run / "elsewhere")

    return change


def _pointing(to: str) -> Any:
    return lambda run: (run.parents[1] / "latest.json").write_text(json.dumps({"report": to}))


FAULTS: dict[str, tuple[Any, type[Exception], str]] = {
    "altered": (lambda run: (run / "records.jsonl").write_text("{}\n"), PartError, "records.jsonl is not as its run left it"),
    "a file is gone": (lambda run: (run / "records.jsonl").unlink(), DoorError, "NoSuchKey"),
    "no manifest": (lambda run: (run / "manifest.json").unlink(), PartError, "holds no report: manifest.json is not there"),
    "half a manifest": (lambda run: (run / "manifest.json").write_text("{"), PartError, "manifest.json is no manifest"),
    "no pointer": (lambda run: (run.parents[1] / "latest.json").unlink(), PartError, "latest.json is not there"),
    "half a pointer": (lambda run: (run.parents[1] / "latest.json").write_text("["), PartError, "latest.json does not say which run"),
    "a pointer elsewhere": (_pointing("../../other"), PartError, "latest.json names no run of this place"),
    "a pointer above": (_pointing("runs/.."), PartError, "latest.json names no run of this place"),
    "a name elsewhere": (_named("../../run.json"), PartError, "manifest.json names ../../run.json, which is elsewhere"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_not_whole_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    damage, kind, said = FAULTS[name]
    kept = place(tmp_path, leave(tmp_path / "a", one_of("j-A")))
    (run,) = (kept / "runs").iterdir()
    damage(run)
    with bucket(kept, monkeypatch), pytest.raises(kind, match=said):
        fetched(S3, tmp_path / "new" / "here")
    outside = {path.name for path in tmp_path.iterdir()} - {"a", "place", "new"}
    assert outside == set()


def test_a_place_that_cannot_be_read_costs_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    part = leave(tmp_path / "a", one_of("j-A"))
    with serving({"GetObject": [Refusal("AccessDenied", "no")]}) as (variables, _):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        code = main(["merge", str(part), S3, "-o", str(tmp_path / "out"), "--report", "csv"])
    said = capsys.readouterr().out
    assert code == 11
    assert (
        f"notice: clusters may be missing here, for they could not be looked for: {S3}: AWS refuses GetObject" in said
    )
    assert verify(tmp_path / "out", None, None).records == 1
