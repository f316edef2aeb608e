"""Reports of many runs as one: whole, in one order, sealed; what is damaged, double or missing costs itself and is said."""

from __future__ import annotations

import itertools
import json
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.errors import HubspecError
from hubspec.fleet import look, whole
from hubspec.fleet.merge import Merged
from hubspec.fleet.part import PartError, records
from hubspec.model import Run
from hubspec.verify import verify
from tests.parts import leave, one_of, seal
from tests.records import HOSTILE, WHEN, many, record, with_history


def joined(tmp_path: Path, *reports: Path, into: str = "merged", formats: tuple[str, ...] = ()) -> Merged:
    merged = Merged(tmp_path / into)
    for report in reports:
        merged.add(report)
    merged.finish(formats)
    assert verify(merged.folder, None, None).faults == []
    return merged


def run_of(merged: Merged) -> Run:
    assert merged.run is not None
    assert merged.run == Run.model_validate_json((merged.folder / "run.json").read_bytes())
    return merged.run


def lines(folder: Path) -> list[bytes]:
    return (folder / "records.jsonl").read_bytes().splitlines()


def test_the_records_are_those_of_the_parts_in_one_order_whatever_came_first(tmp_path: Path) -> None:
    parts = [
        leave(tmp_path / "c", one_of("j-C", "drifted", "compliant")),
        leave(tmp_path / "a", one_of("j-A")),
        leave(tmp_path / "b", [*one_of("j-D"), *one_of("j-B"), *one_of("j-D", "waived")]),
    ]
    found = [joined(tmp_path, *order, into=f"m{i}") for i, order in enumerate(itertools.permutations(parts))]

    texts = {(one.folder / "records.jsonl").read_bytes() for one in found}
    assert len(texts) == 1
    told = [json.loads(line) for line in texts.pop().splitlines()]
    assert [one["cluster"] for one in told] == ["j-A", "j-B", "j-C", "j-C", "j-D", "j-D"]
    assert {line for part in parts for line in lines(part)} == set(lines(found[0].folder))
    assert run_of(found[0]).clusters == ["j-A", "j-B", "j-C", "j-D"]
    assert run_of(found[0]).round_trips == {"docker": 36, "hub": 9}


def test_the_parts_stay_as_their_runs_left_them_and_the_manifest_has_their_heads(tmp_path: Path) -> None:
    part = leave(tmp_path / "a", one_of("j-A", "drifted"))
    merged = joined(tmp_path, part)

    kept = merged.folder / "clusters" / "j-A"
    assert verify(kept, None, None).faults == []
    told = json.loads((merged.folder / "manifest.json").read_text())["inputs"]["parts"]
    head = json.loads((part / "manifest.json").read_text())["head"]
    assert [(one["folder"], one["run"], one["head"]) for one in told] == [("clusters/j-A", "run-a", head)]
    (kept / "records.jsonl").write_bytes(b"")
    assert {fault.file for fault in verify(merged.folder, None, None).faults} == {"clusters/j-A/records.jsonl"}


def test_moved_reports_are_gone_from_where_they_were(tmp_path: Path) -> None:
    part = leave(tmp_path / "a", one_of("j-A"))
    merged = Merged(tmp_path / "merged")

    assert merged.add(part, move=True) == ["j-A"]
    assert not part.exists()
    assert merged.finish([]) == 0


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(HubspecError, match="is not empty"):
        Merged(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


CODES = [
    # outcomes and, where it is not what they ask for, the exit code of each part; the merged one
    ([["compliant"], ["compliant", "waived", "fixed", "not applicable"]], [None, None], 0),
    ([["compliant"], ["drifted"]], [None, None], 1),
    ([["compliant"], ["unreadable"]], [None, None], 11),
    ([["drifted"], ["unreadable"]], [None, None], 1),
    ([["fixed"], ["compliant"]], [1, None], 1),  # --fail-on-fixed
    ([["compliant"], ["compliant"]], [11, None], 11),  # a region that was not seen
    ([["drifted"], ["compliant"]], [None, 2], 2),  # Ctrl-C
    ([["compliant"], ["compliant"]], [3, None], 11),  # a fault of the suite
]


@pytest.mark.parametrize(("outcomes", "codes", "code"), CODES)
def test_one_exit_code(tmp_path: Path, outcomes: list[list[str]], codes: list[int | None], code: int) -> None:
    parts = [
        leave(tmp_path / f"p{i}", one_of(f"j-{i}", *each), **({} if own is None else {"exit_code": own}))
        for i, (each, own) in enumerate(zip(outcomes, codes, strict=True))
    ]
    run = run_of(joined(tmp_path, *parts))
    assert run.exit_code == code
    odd = [own for own in codes if own in {2, 3}]
    assert sum("it may not have seen everything" in one for one in run.notices) == len(odd)


def test_drift_that_the_gate_of_its_run_lets_pass_lets_the_merged_run_pass(tmp_path: Path) -> None:
    still = one_of("j-A", "drifted", change="still")
    quiet = leave(tmp_path / "a", still, gate="new", exit_code=0)
    assert run_of(joined(tmp_path, quiet, into="m1")).exit_code == 0
    loud = leave(tmp_path / "b", one_of("j-B", "drifted", change="new"), gate="new")
    assert run_of(joined(tmp_path, quiet, loud, into="m2")).exit_code == 1


def _records(change: Callable[[bytes], bytes], *, sealed: bool = False) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "records.jsonl"
        path.write_bytes(change(path.read_bytes()))
        if sealed:
            (folder / "manifest.json").unlink()

    return damage


def _run(**changes: Any) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "run.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
        (folder / "manifest.json").unlink()

    return damage


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "altered": (_records(lambda text: text.replace(b"drifted", b"compliant")), "records.jsonl is not as its run left it: `python -m hubspec verify` says what was changed"),
    "cut": (_records(lambda text: text[:-40], sealed=True), "records.jsonl: line 2 is cut short"),
    "no JSON": (_records(lambda text: text + b"{\n", sealed=True), "records.jsonl: line 3 is no record: Invalid JSON"),
    "another form": (_records(lambda text: text.replace(b'"schema_version":1', b'"schema_version":7'), sealed=True), "records.jsonl: line 1 is of schema 7, and this hubspec reads 1"),
    "a word that is none": (_records(lambda text: text.replace(b"drifted", b"perhaps"), sealed=True), "records.jsonl: line 1 is no record: outcome: Input should be"),
    "zeros": (_records(lambda text: bytes(len(text)), sealed=True), "records.jsonl: line 1 is cut short"),
    "not text": (_records(lambda text: b"\xff\xfe\n" + text, sealed=True), "records.jsonl: line 1 is no record"),
    "no records": (lambda at: (at / "records.jsonl").unlink(), "records.jsonl is not as its run left it"),
    "no run": (lambda at: (at / "run.json").unlink(), "run.json is missing: a run of this version leaves it when it ends"),
    "half a run": (lambda at: (at / "run.json").write_text('{"id": "x"'), "run.json is no run: Invalid JSON"),
    "a run of another form": (_run(exit_code="none"), "run.json is no run: exit_code: Input should be a valid integer"),
    "a waiver that is none": (_run(waivers=[{"key": "w1"}]), "run.json is no run: a waiver in it is none"),
    "half a manifest": (lambda at: (at / "manifest.json").write_text("{"), "manifest.json is no manifest of a report"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_damaged_costs_itself(tmp_path: Path, name: str) -> None:
    damage, sentence = DAMAGES[name]
    bad = leave(tmp_path / "bad", one_of("j-B", "drifted", "compliant"))
    damage(bad)
    merged = joined(tmp_path, leave(tmp_path / "a", one_of("j-A")), bad, leave(tmp_path / "c", one_of("j-C")))

    run = run_of(merged)
    assert (run.clusters, run.exit_code, len(lines(merged.folder))) == (["j-A", "j-C"], 11, 2)
    assert run.notices[0].startswith(f"bad is left out: {sentence}")
    assert sorted(path.name for path in (merged.folder / "clusters").iterdir()) == ["j-A", "j-C"]
    assert bad.exists()


def test_a_folder_that_is_not_there_is_damaged_too(tmp_path: Path) -> None:
    run = run_of(joined(tmp_path, tmp_path / "nowhere"))
    assert (run.exit_code, run.clusters) == (11, [])
    assert run.notices == [
        "nowhere is left out: run.json is not there, for there is no such folder: a run of this version leaves it when it ends"
    ]


def test_a_report_that_nothing_vouches_for_counts_and_is_told(tmp_path: Path) -> None:
    part = leave(tmp_path / "a", one_of("j-A"))
    (part / "manifest.json").unlink()
    run = run_of(joined(tmp_path, part))
    assert run.exit_code == 0
    assert run.notices == ["nothing vouches for the report of j-A: it has no manifest.json"]


def test_the_newest_look_at_a_cluster_counts(tmp_path: Path) -> None:
    old = leave(tmp_path / "old", [*one_of("j-A", "drifted"), *one_of("j-B", "drifted")])
    new = leave(tmp_path / "new", one_of("j-A", started=WHEN + timedelta(hours=1)))
    for name, order in {"m1": (old, new), "m2": (new, old)}.items():
        merged = joined(tmp_path, *order, into=name)
        told = [json.loads(line) for line in lines(merged.folder)]
        assert [(one["cluster"], one["outcome"]) for one in told] == [("j-A", "compliant"), ("j-B", "drifted")]
        assert run_of(merged).notices == [
            "j-A is there twice: the look of 2026-03-04 06:06:07 UTC counts, and that of 2026-03-04 05:06:07 UTC is left out"
        ]
        assert run_of(merged).exit_code == 1
    alone = leave(tmp_path / "alone", one_of("j-B", started=WHEN + timedelta(hours=2)))
    merged = joined(tmp_path, old, new, alone, into="m3")
    assert run_of(merged).exit_code == 0, "what the older looks found is nobody's drift any more"
    assert sorted(path.name for path in (merged.folder / "clusters").iterdir()) == ["j-A", "j-B"]


def test_what_is_lost_is_said_unless_a_report_has_it(tmp_path: Path) -> None:
    merged = Merged(tmp_path / "merged")
    merged.lost("j-A", "its worker died three times")
    merged.lost("j-B", "it did not end within 600 s")
    merged.add(leave(tmp_path / "a", one_of("j-A")))
    merged.add(leave(tmp_path / "c", one_of("j-C"), clusters=["j-C", "j-D"]))

    assert merged.finish(["html", "markdown"]) == 11
    run = run_of(merged)
    assert run.missing == {"j-B": "it did not end within 600 s", "j-D": "its run (in c) left no record of it"}
    assert run.clusters == ["j-A", "j-B", "j-C", "j-D"]
    assert "j-B could not be looked at: it did not end within 600 s" in run.notices
    assert "of 2 clusters nothing is known" in (merged.folder / "report.html").read_text()
    assert "of 2 clusters nothing is known" in (merged.folder / "summary.md").read_text()


def test_an_interrupted_run_ends_with_what_is_there(tmp_path: Path) -> None:
    merged = Merged(tmp_path / "merged")
    merged.add(leave(tmp_path / "a", one_of("j-A", "drifted")))
    assert merged.finish(["csv"], interrupted=True) == 2
    assert run_of(merged).notices == ["the run was interrupted: what is told here is what was there by then"]
    assert verify(merged.folder, None, None).faults == []


def test_merged_reports_are_joined_as_their_parts_would_be(tmp_path: Path) -> None:
    parts = [leave(tmp_path / name, one_of(f"j-{name}", outcome)) for name, outcome in (("a", "drifted"), ("b", "compliant"), ("c", "unreadable"))]  # fmt: skip
    shards = []
    for number, of in ((1, parts[:2]), (2, parts[2:])):
        shard = Merged(tmp_path / f"shard{number}", shard=f"{number}/2")
        for part in of:
            shard.add(part)
        shard.lost(f"j-lost{number}", "gone")
        shard.finish([])
        shards.append(shard.folder)
    flat, two = joined(tmp_path, *parts, into="flat"), joined(tmp_path, *shards, into="two")

    assert lines(flat.folder) == lines(two.folder)
    assert run_of(two).missing == {"j-lost1": "gone", "j-lost2": "gone"}
    assert run_of(two).unseen == []
    assert run_of(two).exit_code == 1
    one = run_of(joined(tmp_path, shards[0], into="one"))
    assert "shard 2 of 2 is missing here: nothing is said of its clusters" in one.notices
    found = Merged(tmp_path / "found")
    found.add(shards[0])
    found.add(leave(tmp_path / "late", one_of("j-lost1")))
    found.finish([])
    assert not any("j-lost1" in notice for notice in run_of(found).notices), "somebody looked after all"


def test_a_report_that_is_gone_from_a_merged_one_is_missed(tmp_path: Path) -> None:
    merged = joined(tmp_path, leave(tmp_path / "a", one_of("j-A")), leave(tmp_path / "b", one_of("j-B")))
    for path in (merged.folder / "clusters" / "j-B").iterdir():
        path.unlink()
    again = run_of(joined(tmp_path, merged.folder, into="again"))
    assert again.exit_code == 11
    assert again.missing == {"j-B": "its report is not in merged"}


SPLITTINGS = [
    (["1/3", "2/3", "3/3"], []),
    (["1/3"], ["shard 2, 3 of 3 is missing here: nothing is said of its clusters"]),
    (["1/1", "1/2", "2/2"], ["these are shards of several splittings (into 1, 2): clusters may be missing or double"]),
]


@pytest.mark.parametrize(("shards", "said"), SPLITTINGS)
def test_missing_shards(tmp_path: Path, shards: list[str], said: list[str]) -> None:
    parts = [leave(tmp_path / f"p{i}", one_of(f"j-{i}"), shard=shard) for i, shard in enumerate(shards)]
    run = run_of(joined(tmp_path, *parts))
    assert run.notices == said
    assert run.exit_code == (11 if said else 0)


def test_an_empty_shard_that_came_from_s3_is_there(tmp_path: Path) -> None:
    empty = Merged(tmp_path / "empty", shard="2/2")
    empty.finish([])
    (empty.folder / "clusters").rmdir()  # S3 has files alone
    found = joined(tmp_path, leave(tmp_path / "one", one_of("j-A"), shard="1/2"), empty.folder)

    assert run_of(found).exit_code == 0
    assert run_of(found).notices == []


def test_an_empty_shard_is_compliant_and_no_report_at_all_is_not(tmp_path: Path) -> None:
    assert Merged(tmp_path / "shard", shard="3/8").finish([]) == 0
    assert Merged(tmp_path / "none").finish([]) == 11


def test_above_some_thousands_of_records_the_page_has_counts_and_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "MOST", 50)
    for i in range(5):
        part = leave(tmp_path / f"p{i}", one_of(f"j-{i}", *["drifted"] * 11, "unreadable"))
        (part / "report.html").write_text("page")
        seal(part, one_of(f"j-{i}", *["drifted"] * 11, "unreadable"), f"run-p{i}", 1)
    merged = Merged(tmp_path / "merged")
    for i in range(5):
        merged.add(tmp_path / f"p{i}")
    merged.lost("j-9", "its <worker> died")
    assert merged.finish(["html", "junit", "csv", "ocsf", "markdown"]) == 1

    page = (merged.folder / "report.html").read_text()
    assert all(f'<a href="clusters/j-{i}/report.html">j-{i}</a>' in page for i in range(5))
    assert "55 checks of 5 clusters" in page
    assert "10 checks, and 45 left out here" in page
    assert "its &lt;worker&gt; died" in page
    assert (merged.folder / "records.csv").read_bytes().count(b"\r\n") == 61
    assert len(json.loads((merged.folder / "ocsf.json").read_text())) == 60
    assert "55 of 60 checks found drift" in (merged.folder / "summary.md").read_text()
    assert len((merged.folder / "summary.md").read_text()) <= 3500
    assert "### Drifted (55)" in (merged.folder / "summary.md").read_text()
    assert not (merged.folder / "junit.xml").exists()
    assert merged.unwritten == [
        "junit.xml: not written of 60 records at once (at most 50); a cluster's own is in its report, where it was asked for"
    ]


def test_what_the_run_before_did_not_know_is_named_before_what_it_did(tmp_path: Path) -> None:
    still = [one.model_copy(update={"change": "still"}) for one in one_of("j-A", *["drifted"] * 20)]
    new = [one.model_copy(update={"change": "new"}) for one in one_of("j-B", *["drifted"] * 3)]
    merged = joined(tmp_path, leave(tmp_path / "a", still), leave(tmp_path / "b", new))
    (one,) = merged.tally.worst()
    assert (one.checks, one.clusters) == (23, {"j-A", "j-B"})
    assert [record.change for record in one.samples] == ["new"] * 3 + ["still"] * 7


def test_how_many_controls_are_left_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "MOST", 5)
    several = [
        one.model_copy(update={"control": f"C-{i:03}"}) for i, one in enumerate(one_of("j-A", *["drifted"] * 107))
    ]
    merged = joined(tmp_path, leave(tmp_path / "a", several), formats=("html",))
    assert "7 less severe controls that do not hold" in (merged.folder / "report.html").read_text()


def test_hostile_names_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        *(one.encode("utf-8", "replace").decode() for one in HOSTILE),
        "../../etc",
        "/etc/passwd",
        "..",
        ".hidden",
        "j-A",
        "J-a",
    ]
    parts = [leave(tmp_path / f"p{i}", one_of(name, "drifted", message=name)) for i, name in enumerate(names)]
    few = joined(tmp_path, *parts, into="few", formats=("html",))
    assert run_of(few).clusters == sorted(names)
    monkeypatch.setattr(whole, "MOST", 3)
    merged = joined(tmp_path, *parts, into="many", formats=("html",))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["few", "many", *(part.name for part in parts)])
    folders = [path.name for path in (merged.folder / "clusters").iterdir()]
    assert len(folders) == len(names)
    assert all(name == look.safe(name) for name in folders)
    page = (merged.folder / "report.html").read_text()
    assert not [name for name in HOSTILE if "<" in name and name in page]


def test_links_in_a_report_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("of somebody")
    part = leave(tmp_path / "a", one_of("j-A"))
    (part / "to").symlink_to(tmp_path / "secret")
    (part / "key").symlink_to(tmp_path / "secret" / "key")
    merged = joined(tmp_path, part)
    assert not (merged.folder / "clusters" / "j-A" / "to").exists()
    assert not (merged.folder / "clusters" / "j-A" / "key").exists()
    assert (tmp_path / "secret" / "key").exists()


def test_waivers_are_told_once_and_one_that_a_cluster_needs_is_needed(tmp_path: Path) -> None:
    waivers = with_history()[1].waivers
    active, expired = ({**one, "shared": False} for one in waivers)
    state = {"state": "unneeded", "sentence": "waiver w1 of Ada (OPS-7) is not needed on j-A"}
    here = f"{active['declared_at']}: {state['sentence']}"
    idle = leave(tmp_path / "a", one_of("j-A"), waivers=[active | state, expired], notices=[here])
    busy = leave(tmp_path / "b", one_of("j-B"), waivers=[active, expired])

    run = run_of(joined(tmp_path, idle, busy, into="m1"))
    assert [(one["key"], one["state"], one["checks"]) for one in run.waivers] == [
        ("w1", "active", 2),
        ("w2", "expired", 2),
    ]
    assert run.notices == ["waivers.yaml:3: waiver w2 of Ada (OPS-7) expired on 2026-01-31"]
    other = leave(tmp_path / "c", one_of("j-C"), waivers=[active | state])
    run = run_of(joined(tmp_path, idle, other, into="m2"))
    assert (
        "waivers.yaml:3: waiver w1 of Ada (OPS-7) is needed on none of the 2 clusters whose baseline has it"
        in run.notices
    )


def test_what_every_part_says_is_said_once(tmp_path: Path) -> None:
    parts = [leave(tmp_path / f"p{i}", one_of(f"j-{i}"), notices=["the same", f"own {i}"]) for i in range(250)]
    run = run_of(joined(tmp_path, *parts))
    assert run.notices.count("the same") == 1
    assert run.notices[-1] == "51 more notices stand in the reports of the clusters"


def test_memory_grows_with_the_clusters_and_not_with_their_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "MOST", 300)
    held, sizes = [], []
    for count in (1600, 400, 1600):  # the first time fills caches that are bounded, such as pydantic's of short strings
        several = [one.model_copy(update={"cluster": "j-A"}) for one in many(count)]
        part = leave(tmp_path / f"p{len(held)}", several)
        merged = Merged(tmp_path / f"m{len(held)}")
        tracemalloc.start()
        merged.add(part)
        assert merged.finish(["html", "csv"]) == 1
        held.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        sizes.append((merged.folder / "records.jsonl").stat().st_size)
    assert sizes[2] - sizes[1] > 1_000_000
    assert held[2] - held[1] < (sizes[2] - sizes[1]) / 3, f"{held} of {sizes} bytes were held"


@given(st.binary(max_size=400))
def test_lines_of_anything_are_records_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("hostile") / "records.jsonl"
    path.write_bytes(content + record().model_dump_json().encode() + b"\n")
    found, said = None, "records.jsonl: line "
    try:
        found = [one for _, one in records(path)]
    except PartError as error:
        said = str(error)
    assert said.startswith("records.jsonl: line ")
    assert found is None or (found == [record()] and not content)


def test_of_a_waiver_that_is_over_what_a_cluster_needs_is_said_before_what_others_do_not(tmp_path: Path) -> None:
    (expired,) = (one | {"shared": False} for one in with_history()[1].waivers if one["state"] == "expired")
    idle = expired | {"sentence": "nothing that it covered drifts: take it out", "drifting": 0}
    parts = [leave(tmp_path / name, one_of(f"j-{name}"), waivers=[w]) for name, w in (("A", idle), ("B", expired))]
    assert [one["sentence"] for one in run_of(joined(tmp_path, *parts)).waivers] == [expired["sentence"]]
