"""The history without a server: its files, what changed since, the gate, and what two runs at once or damage do to it."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec import gate
from hubspec.__main__ import main
from hubspec.change import compared
from hubspec.cluster.keep_folder import Folder
from hubspec.errors import DoorError
from hubspec.history import DamagedError, Past, key, look, name, of, pack, unpack
from hubspec.model import Record
from hubspec.remembered import RUNS, History, valid
from tests.records import WHEN, many, record, run

DAY = timedelta(days=1)


def seen(outcome: str, day: int = 0, fields: str = "uid", **about: str) -> Record:
    differences = [{"field": one, "wanted": 1, "found": 2} for one in fields.split()]
    drifts = outcome in {"drifted", "waived", "fixed"}
    return record(outcome=outcome, started=WHEN + day * DAY, differences=differences if drifts else [], **about)


def past(day: int, *records: Record) -> Past:
    return of(records, run(id=f"run-{day}", started=WHEN + day * DAY))


STORIES = [
    # what one check said run after run, and the change that the last one is
    ("drifted", "new"),
    ("compliant drifted", "new"),
    ("drifted drifted", "still"),
    ("drifted waived", "still"),
    ("waived waived", "still"),
    ("waived drifted", "new"),  # the waiver ended: it counts for the first time
    ("drifted compliant", "fixed"),
    ("waived compliant", "fixed"),
    ("drifted fixed", "fixed"),
    ("fixed", "fixed"),
    ("compliant fixed", "fixed"),  # it drifted and was put right in one run
    ("fixed compliant", None),
    ("drifted compliant compliant", None),
    ("drifted compliant drifted", "regressed"),
    ("fixed drifted", "regressed"),
    ("fixed compliant drifted", "regressed"),
    ("compliant", None),
    ("drifted unreadable", None),  # nobody knows: neither fixed nor still
    ("drifted unreadable drifted", "still"),
    ("drifted - drifted", "still"),  # the run between did not look at it
    ("drifted - compliant", "fixed"),
    ("compliant not_applicable drifted", "new"),
    ("drifted not_applicable", None),
    ("unreadable drifted", "new"),
]


@pytest.mark.parametrize(("story", "change"), STORIES)
def test_change(story: str, change: str | None) -> None:
    words = [word.replace("_", " ") for word in story.split()]
    other = record(resource="other")
    before = [past(day, *([seen(word, day)] if word != "-" else []), other) for day, word in enumerate(words[:-1])]
    now = [seen(words[-1], len(words)), other]
    told = compared(now, before, "run-now", now[0].started)

    assert told.records[0].change == change
    assert told.records[1].change is None
    assert (told.last is None) == (not before)


def test_a_drift_in_something_else_is_new_too() -> None:
    """Or an account that somebody adds hides behind one that was there before."""
    for fields, change in (("uid", "still"), ("uid shell", "new"), ("shell", "new"), ("", "still")):
        now = [seen("drifted", 1, fields)]
        assert compared(now, [past(0, seen("drifted", 0, "uid"))], "r", now[0].started).records[0].change == change


def test_since_when_it_drifts() -> None:
    before = [
        past(0, seen("drifted", 0)),
        past(1, seen("compliant", 1)),
        past(2, seen("drifted", 2)),
        past(3, seen("unreadable", 3)),
    ]
    (told,) = compared([seen("waived", 4)], before, "r", WHEN + 4 * DAY).records
    assert told.since == WHEN + 2 * DAY
    (fixed,) = compared([seen("compliant", 4)], before, "r", WHEN + 4 * DAY).records
    assert (fixed.change, fixed.since) == ("fixed", None)


def test_the_last_run_is_one_of_the_same_cluster_and_the_same_checks() -> None:
    mine = [seen("drifted", 3)]
    others = [past(1, seen("compliant", 1, cluster="other")), past(2, seen("drifted", 2, resource="other"))]
    told = compared(mine, [past(0, seen("drifted", 0)), *others], "r", WHEN + 3 * DAY)
    assert told.last is not None
    assert told.last.run == "run-0"
    assert told.records[0].change == "still"


def test_trend_counts_what_was_known_to_drift() -> None:
    names = ("a", "b", "c")
    runs = ["drifted compliant waived", "drifted - compliant", "unreadable drifted compliant"]
    before = [
        past(
            day, *(seen(word, day, resource=one) for one, word in zip(names, words.split(), strict=True) if word != "-")
        )
        for day, words in enumerate(runs)
    ]
    now = [seen("compliant", 3, resource=one) for one in names]
    told = compared(now, before, "r", WHEN + 3 * DAY)
    assert [point["high"] for point in told.trend] == [1, 1, 2, 0]
    assert {point["critical"] for point in told.trend} == {0}


GATES = [
    # gate, outcome, severity, change, counts
    ("any", "drifted", "low", "still", True),
    ("new", "drifted", "low", "new", True),
    ("new", "drifted", "low", "regressed", True),
    ("new", "drifted", "critical", "still", False),
    ("low", "drifted", "low", "still", True),
    ("high", "drifted", "medium", "new", False),
    ("high", "drifted", "high", "new", True),
    ("high", "drifted", "critical", "still", True),
    ("critical", "drifted", "high", "new", False),
    *[("any", outcome, "critical", "new", False) for outcome in ("compliant", "waived", "fixed", "unreadable")],
]


@pytest.mark.parametrize(("wanted", "outcome", "severity", "change", "counts"), GATES)
def test_gate(wanted: str, outcome: str, severity: str, change: str, *, counts: bool) -> None:
    one = record(outcome=outcome, severity=severity, change=change)
    assert gate.counts(one, wanted) is counts
    assert gate.passed_over([one], wanted) == (outcome == "drifted" and not counts)


def test_what_is_packed_is_unpacked() -> None:
    records = [
        *many(400),
        seen("drifted", fields="a b"),
        record(resource="half \ud800 \x00 \u202e"),
        record(check="undeclared"),
    ]
    kept = past(0, *records)
    assert unpack(pack(kept)) == kept
    assert unpack(pack(kept), head=True).looks == {}
    assert set(kept.looks) == {key(one) for one in records}
    assert kept.looks[key(records[0])] == look(records[0])


def test_six_thousand_checks_are_a_small_file() -> None:
    data = pack(past(0, *many(6000)))
    assert len(data) < 100_000


def test_no_value_is_kept() -> None:
    one = seen("drifted", fields="c.Secret.key").model_copy(
        update={"expected": {"a": "hunter2"}, "before": {"a": "hunter3"}, "message": "hunter4", "evidence": "hunter5"}
    )
    text = gzip.decompress(pack(past(0, one)))
    assert b"hunter" not in text
    assert b"c.Secret.key" not in text


@given(st.binary(max_size=300))
def test_any_bytes_are_a_run_or_damage(data: bytes) -> None:
    for form in (data, gzip.compress(data, mtime=0)):
        for head in (True, False):
            with pytest.raises(DamagedError):
                unpack(form, head=head)


WHOLE = pack(past(0, *many(20)))


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_a_byte_that_was_altered_or_lost_ends_in_a_sentence(at: int, byte: int) -> None:
    for form in (WHOLE[:at], WHOLE[:at] + bytes([byte]) + WHOLE[at + 1 :]):
        with contextlib.suppress(DamagedError):
            assert unpack(form).run == "run-0"


FORMS = [
    gzip.compress(b"{}\n{}", mtime=0),
    gzip.compress(b'{"hubspec_history":2}\n{}', mtime=0),
    gzip.compress(b"[" * 100_000, mtime=0),
    gzip.compress(b'{"hubspec_history":1,"run":"r"}\n{}', mtime=0),
    gzip.compress(b"null", mtime=0),
    b"",
]


@pytest.mark.parametrize("data", FORMS)
def test_another_form_is_damage(data: bytes) -> None:
    with pytest.raises(DamagedError):
        unpack(data)


def test_a_damaged_file_costs_its_run_alone(tmp_path: Path) -> None:
    history = History(Folder(tmp_path / "history"))
    for day in range(3):
        history.add(past(day, seen("drifted", day)), None)
    files = sorted((tmp_path / "history").iterdir())
    files[1].write_bytes(files[1].read_bytes()[:-20])
    (tmp_path / "history" / "notes.txt").write_text("mine")
    (tmp_path / "history" / "mine.json.gz").write_bytes(b"mine")
    found = history.before({"research"}, WHEN + 9 * DAY, "run-9")

    assert [one.run for one in found] == ["run-0", "run-2"]
    assert len(history.notices) == 1
    assert history.notices[0].startswith(f"history: {files[1].name} is left out: ")
    assert not history.broken


def test_a_place_that_cannot_be_read_or_written_costs_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = History(Folder(tmp_path / "file" / "history"))
    assert history.before({"research"}, WHEN, "r") == []
    history.add(past(0, seen("drifted")), None)
    assert history.broken
    assert len(history.notices) == 2
    assert "this run is not in it" in history.notices[1]


def _write(folder: str, number: int) -> None:
    History(Folder(Path(folder))).add(of([seen("drifted")], run(id=f"same-time-{number}")), None)


def test_runs_at_once_damage_nothing(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(_write, itertools.repeat(str(tmp_path)), range(12)))
    history = History(Folder(tmp_path))
    assert {one.run for _, one in history.every()} == {f"same-time-{number}" for number in range(12)}
    assert history.notices == []
    assert not list(tmp_path.glob(".*")), "no half of a file is left"


def test_a_file_is_never_half_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_path: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DoorError, match="No space left"):
        Folder(tmp_path).write("x.json.gz", b"x")
    assert list(tmp_path.iterdir()) == []


def runs_of(folder: Path) -> list[str]:
    return [one.run for _, one in History(Folder(folder)).every()]


LIMITS = [(None, 5), ("3", 3), ("9", 5), ("2d", 3), ("365d", 5)]


@pytest.mark.parametrize(("limit", "left"), LIMITS)
def test_retention(limit: str | None, left: int, tmp_path: Path) -> None:
    history = History(Folder(tmp_path))
    history.add(of([seen("drifted", cluster="other")], run(id="other")))
    for day in range(5):
        history.add(past(day, seen("drifted", day)))
        if limit:
            history.forget(past(day, seen("drifted", day)), limit)
    assert sorted(runs_of(tmp_path)) == ["other", *(f"run-{day}" for day in range(5 - left, 5))]


@pytest.mark.parametrize(
    ("text", "fits"), [("90", True), ("90d", True), ("0", False), ("x", False), ("9 d", False), ("", False)]
)
def test_form_of_a_limit(text: str, *, fits: bool) -> None:
    assert valid(text) is fits


def test_the_last_runs_of_a_cluster_are_found_among_others(tmp_path: Path) -> None:
    history = History(Folder(tmp_path))
    for day in range(RUNS + 5):
        history.add(of([seen("drifted", day)], run(id=f"mine-{day}")), None)
        history.add(of([seen("drifted", day, cluster="other")], run(id=f"other-{day}")), None)
    found = history.before({"research"}, WHEN + 99 * DAY, "r")
    assert [one.run for one in found] == [f"mine-{day}" for day in range(5, RUNS + 5)]
    early = history.before({"research"}, WHEN + 2 * DAY, "mine-2")
    assert [one.run for one in early] == ["mine-0", "mine-1"], "a saved look is compared with what was before it"


@pytest.fixture
def two(tmp_path: Path) -> list[str]:
    history = History(Folder(tmp_path))
    one = [seen("drifted"), seen("drifted", resource="scipy"), record(resource="gone"), record(resource="torch")]
    history.add(of(one, run(id="aaaa1111", started=WHEN)), None)
    other = [seen("drifted", 1), seen("compliant", 1, resource="scipy"), seen("drifted", 1, resource="torch")]
    history.add(of(other, run(id="bbbb2222", exit_code=0)), None)
    return ["--history", str(tmp_path)]


def test_history_list(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "list", *two]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("2026-03-04 05:06:07 UTC  aaaa1111  exit 1   drifted: 2 high; 2 compliant  (research)")
    assert "bbbb2222  exit 0" in second
    assert main(["history", "list", "--json", *two]) == 0
    assert [one["run"] for one in json.loads(capsys.readouterr().out)] == ["aaaa1111", "bbbb2222"]
    assert main(["history", "list", "--cluster", "none", *two]) == 0
    assert capsys.readouterr() == (f"no run in {two[1]}\n", "hubspec: settings: history (command line)\n")


def test_history_list_of_a_fleet_says_where_its_clusters_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "j-A").mkdir()
    assert main(["history", "list", "--history", str(tmp_path)]) == 0
    text, said = capsys.readouterr()
    assert text == f"no run in {tmp_path}\n"
    assert f"in a folder of its own: --history {tmp_path}/CLUSTER\n" in said


@pytest.mark.parametrize("words", [["aaaa", "bbbb"], ["latest~1", "latest"]])
def test_history_diff(words: list[str], two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "diff", *words, *two]) == 1
    out = capsys.readouterr().out
    for line in (
        "new   high     PKG-01  research: package torch",
        "still high     PKG-01  research: package numpy",
        "fixed high     PKG-01  research: package scipy",
        "1 new, 1 still, 1 fixed",
        "not compared: 1 checks of A alone, 0 of B alone",
    ):
        assert line in out
    assert main(["history", "diff", "latest", "latest", *two]) == 0
    capsys.readouterr()
    assert main(["history", "diff", *words, "--json", *two]) == 1
    assert [one["resource"] for one in json.loads(capsys.readouterr().out)["new"]] == ["torch"]


def test_history_diff_calls_new_what_a_report_calls_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history = History(Folder(tmp_path))
    names = {"ended": ("waived", "drifted"), "more": ("drifted", "drifted"), "agreed": ("drifted", "waived")}
    before, after = (
        [seen(names[one][day], day, "uid shell" if (one, day) == ("more", 1) else "uid", resource=one) for one in names]
        for day in (0, 1)
    )
    history.add(past(0, *before))
    history.add(past(1, *after))
    told = compared(after, [past(0, *before)], "r", after[0].started).records
    assert {one.resource: one.change for one in told} == {"ended": "new", "more": "new", "agreed": "still"}

    assert main(["history", "diff", "latest~1", "latest", "--history", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines() if "package" in line] == ["new", "new", "still"]
    assert "package agreed, waived" in out


@pytest.mark.parametrize("word", ["cccc", "latest~2", ""])
def test_history_diff_of_no_run(word: str, two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "diff", word, "latest", *two]) == 4
    assert "the history in" in capsys.readouterr().err


def test_history_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["history", "list", "--history", str(tmp_path / "file" / "x")]) == 11
    assert "cannot be read" in capsys.readouterr().err
    assert main(["history", "list", "--history", "none"]) == 4


def test_the_name_of_a_file_is_by_time(tmp_path: Path) -> None:
    assert tmp_path.exists()
    one, other = past(0, seen("drifted")), past(1, seen("drifted", 1))
    assert name(one) < name(other)
    assert name(one).startswith("20260304T050607")
    assert datetime.fromisoformat(one.seen.isoformat()) == WHEN


def test_a_run_from_the_future_is_told_and_not_compared_with(tmp_path: Path) -> None:
    """A clock was two days ahead, and was set right: what it left is neither the last run nor silently left out."""
    history = History(Folder(tmp_path))
    history.add(past(0, seen("drifted")))
    history.add(past(3, seen("compliant", 3)))
    now = WHEN + DAY

    assert [one.run for one in history.before({"research"}, now, "run-now", now)] == ["run-0"]
    assert history.notices == [
        "history: a run in it is from the future, up to 2026-03-07 05:06:07 UTC: a clock is or was wrong; nothing is compared with it before then"
    ]
    history.notices.clear()
    history.before({"research"}, now, "run-now", WHEN + 3 * DAY)  # an older snapshot, judged later
    assert history.notices == []
