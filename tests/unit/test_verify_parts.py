"""A merged report lists its parts' manifests, and what is not as it was is found and named through them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hubspec import manifest
from hubspec.cluster.keep_folder import Folder
from hubspec.fleet.merge import Merged
from hubspec.results import UnfitError, bring, report
from hubspec.verify import verify
from tests.parts import leave, one_of, seal

AT = "clusters/j-A"


def part(folder: Path, cluster: str) -> Path:
    """Leave a report with results of Allure, as an audit does that was asked for them."""
    records = one_of(cluster, "drifted", "compliant")
    leave(folder, records)
    (folder / "allure-results").mkdir()
    for number in range(3):
        (folder / "allure-results" / f"{number}-result.json").write_text("{}")
    seal(folder, records, f"run-{folder.name}", 1)
    return folder


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    made = Merged(tmp_path / "merged")
    made.add(part(tmp_path / "a", "j-A"))
    made.add(part(tmp_path / "b", "j-B"))
    made.finish(["csv"])
    return made.folder


def test_of_each_part_the_manifest_alone_is_listed(merged: Path) -> None:
    told = json.loads((merged / "manifest.json").read_text())
    assert told["parts"] == ["clusters/j-A", "clusters/j-B"]
    below = [name for name in told["files"] if name.startswith("clusters/")]
    assert below == ["clusters/j-A/manifest.json", "clusters/j-B/manifest.json"]
    found = verify(merged, None, None)
    assert (found.code, found.records) == (0, 4)
    there = [path for path in merged.rglob("*") if path.is_file() and path != merged / "manifest.json"]
    assert len(told["files"]) + found.below == len(there)


def test_a_part_that_nothing_vouches_for_is_listed_file_by_file(tmp_path: Path) -> None:
    bare = part(tmp_path / "a", "j-A")
    (bare / "manifest.json").unlink()
    made = Merged(tmp_path / "merged")
    made.add(bare)
    made.finish([])
    told = json.loads((made.folder / "manifest.json").read_text())
    assert (told["parts"], f"{AT}/allure-results/0-result.json" in told["files"]) == ([], True)
    (made.folder / AT / "allure-results" / "0-result.json").write_text("[]")
    assert [one.file for one in verify(made.folder, None, None).faults] == [f"{AT}/allure-results/0-result.json"]


def _manifest(at: Path, change: Callable[[dict[str, Any]], object]) -> None:
    told = json.loads((at / "manifest.json").read_text())
    change(told)
    (at / "manifest.json").write_text(json.dumps(told))


def _linked(at: Path) -> None:
    at.rename(at.parents[1].with_name("elsewhere"))
    at.symlink_to(at.parents[1].with_name("elsewhere"))


HARM: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "a record": (
        lambda at: (at / "records.jsonl").write_text(
            (at / "records.jsonl").read_text().replace("drifted", "compliant")
        ),
        [f"{AT}/records.jsonl: line 1: the record "],
    ),
    "a record gone": (
        lambda at: (at / "records.jsonl").write_text((at / "records.jsonl").read_text().splitlines(keepends=True)[0]),
        [f"{AT}/records.jsonl: the record "],
    ),
    "a file": (
        lambda at: (at / "run.json").write_text("{}"),
        [f"{AT}/run.json was changed: its SHA-256 is not the one in manifest.json"],
    ),
    "a file gone": (
        lambda at: (at / "allure-results" / "1-result.json").unlink(),
        [f"{AT}/allure-results/1-result.json is missing"],
    ),
    "a file more": (
        lambda at: (at / "allure-results" / "9-result.json").write_text("{}"),
        [f"{AT}/allure-results/9-result.json was added: the run wrote no such file"],
    ),
    "no manifest": (lambda at: (at / "manifest.json").unlink(), [f"{AT}/manifest.json is missing"]),
    "half a manifest": (
        lambda at: (at / "manifest.json").write_text("{"),
        [f"{AT}/manifest.json was changed: its SHA-256"],
    ),
    "a part made anew": (
        lambda at: seal(at, one_of("j-A", "compliant"), "run-a", 0),
        [f"{AT}/manifest.json was changed: its SHA-256", f"{AT}/records.jsonl: "],
    ),
    "a manifest that leads elsewhere": (
        lambda at: _manifest(at, lambda told: told.update(parts=[".."])),
        [f"{AT}/manifest.json was changed: its SHA-256"],
    ),
    "a manifest of itself": (
        lambda at: _manifest(at, lambda told: told.update(parts=["."])),
        [f"{AT}/manifest.json was changed: its SHA-256"],
    ),
    "no part": (shutil.rmtree, [f"{AT}/manifest.json is missing"]),
    "a link to a part": (_linked, [f"{AT} is a link to elsewhere", f"{AT}/manifest.json is missing"]),
    "a part more": (
        lambda at: shutil.copytree(at, at.with_name("j-C")),
        ["clusters/j-C/manifest.json was added: the run wrote no such file"],
    ),
}


@pytest.mark.parametrize("name", HARM)
def test_what_is_not_as_it_was_is_named_with_its_part(merged: Path, name: str) -> None:
    harm, sentences = HARM[name]
    harm(merged / AT)
    found = verify(merged, None, None)
    said = [fault.sentence for fault in found.faults]
    assert found.code == 1
    for sentence in sentences:
        assert any(one.startswith(sentence) for one in said), said
    assert not any("j-B" in one for one in said)


def test_a_record_of_a_part_is_named_by_its_line_control_and_test(merged: Path) -> None:
    HARM["a record"][0](merged / AT)
    (fault,) = (one for one in verify(merged, None, None).faults if one.line)
    assert (fault.file, fault.line) == (f"{AT}/records.jsonl", 1)
    assert fault.record
    assert fault.test


@pytest.mark.parametrize("parts", [["../b"], ["/etc"], ["."], ["clusters"], ["clusters//j-A"], ["clusters/./j-A"], [7]])
def test_a_part_that_is_elsewhere_or_none_makes_no_manifest(merged: Path, parts: list[str]) -> None:
    _manifest(merged, lambda told: told.update(parts=parts))
    with pytest.raises(ValueError, match="is no whole manifest"):
        manifest.read((merged / "manifest.json").read_bytes())


def test_all_of_a_merged_report_is_brought_to_its_place(merged: Path, tmp_path: Path) -> None:
    where = Path(bring(report(merged), Folder(tmp_path / "place"), ended_now=True, deadline=60).where)
    there, here = ({path.relative_to(of) for path in of.rglob("*")} for of in (where, merged))
    assert there == here
    assert verify(where, None, None).code == 0


def test_a_part_that_is_not_whole_is_brought_nowhere(merged: Path) -> None:
    (merged / AT / "allure-results" / "1-result.json").write_text("more")
    with pytest.raises(UnfitError, match=f"is not as its run left it: {AT}/allure-results/1-result.json"):
        report(merged)
    (merged / AT / "manifest.json").unlink()
    with pytest.raises(UnfitError, match="is not as its run left it"):
        report(merged)
