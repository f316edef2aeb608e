"""The history of a cluster that is audited elsewhere: what travels, what comes back, and what is told where it cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubspec.cluster.keep import Folder
from hubspec.fleet.lent import SENT, Lent, left, packed, taken, unpacked
from hubspec.history import Past, name, pack
from hubspec.remembered import History

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


def past(day: int) -> Past:
    at = BEGAN + timedelta(days=day)
    return Past(f"run-{day}", at, at, "0.1.0", ["j-1"], 0, {"compliant": 1}, {})


def remembered(folder: Path, days: int) -> Lent:
    for day in range(days):
        assert History(Folder(folder)).add(past(day))
    return Lent(str(folder), "3")


def test_the_newest_go_there_and_what_is_left_comes_back(tmp_path: Path) -> None:
    lent = remembered(tmp_path / "h", SENT + 5)
    there = tmp_path / "there"

    known = unpacked(packed(lent), there)
    assert History(Folder(there)).add(past(99))
    notices = taken(lent, left(there, known))

    assert known == {name(past(day)) for day in range(5, SENT + 5)}
    assert notices == []
    assert sorted(one.name for one in (tmp_path / "h").iterdir()) == [
        name(past(day)) for day in (SENT + 3, SENT + 4, 99)
    ], "the last three, as --history-keep says"


def test_a_first_run_has_a_history_of_nothing(tmp_path: Path) -> None:
    lent = Lent(str(tmp_path / "h"))

    assert unpacked(packed(lent), tmp_path / "there") == set()
    assert History(Folder(tmp_path / "there")).names() == []
    assert not (tmp_path / "h").exists()


def test_a_history_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    (tmp_path / "h").write_text("a file")
    lent = packed(Lent(str(tmp_path / "h")))
    unpacked(lent, tmp_path / "there")
    history = History(Folder(tmp_path / "there"))

    assert history.names() == []
    assert history.broken, "all would be new otherwise"
    (told,) = taken(lent, left(tmp_path / "there", set()))
    assert told.startswith(f"history: {tmp_path}/h cannot be read: Not a directory; so nothing was compared")


@pytest.mark.parametrize("data", [b"nothing of ours", b"\x1f\x8b"])
def test_what_is_no_history_is_not_put_into_it(tmp_path: Path, data: bytes) -> None:
    (told,) = taken(remembered(tmp_path / "h", 1), data)

    assert told.startswith("history: this run is not in it: it is ")
    assert len(list((tmp_path / "h").iterdir())) == 1


def test_a_disk_that_takes_no_more_costs_a_notice(tmp_path: Path) -> None:
    (tmp_path / "h").write_text("a file")

    (told,) = taken(Lent(str(tmp_path / "h")), pack(past(1)))

    assert "history: this run is not in it" in told


def test_an_audit_that_left_nothing_says_so_itself(tmp_path: Path) -> None:
    there = tmp_path / "there"
    known = unpacked(Lent(str(tmp_path)), there)

    assert taken(Lent(str(tmp_path)), left(there, known)) == []
    assert left(tmp_path / "nowhere", set()) == b""
