"""A snapshot is the same after it was saved and read; a file that is none is told in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.errors import BaselineError
from hubspec.kinds import KINDS
from hubspec.model import Absent, NotApplicable, Present, Unreadable
from hubspec.snapshot import SCHEMA, Snapshot, read_file, save
from tests.made import WHEN, present, saw

ANY_TEXT = st.text(max_size=12)  # with halves of characters, as JSON can hold them
SEEN_VALUES = st.none() | st.booleans() | st.integers() | ANY_TEXT | st.lists(ANY_TEXT, max_size=2)


@st.composite
def seen_of(draw: st.DrawFn, kind: str) -> Any:
    fields = KINDS[kind].resource.fields_compared()
    one = st.one_of(
        st.just(Absent()),
        ANY_TEXT.map(Unreadable),
        ANY_TEXT.map(NotApplicable),
        st.builds(
            lambda name, values, unread: present(kind, name, unread or None, **values),
            ANY_TEXT,
            st.dictionaries(st.sampled_from(fields), SEEN_VALUES),
            st.dictionaries(st.sampled_from(fields), ANY_TEXT, max_size=2),
        ),
    )
    several = st.dictionaries(ANY_TEXT, one, max_size=3).map(_by_own_name)
    return draw(several | ANY_TEXT.map(Unreadable) | ANY_TEXT.map(NotApplicable))


def _by_own_name(seen: dict[str, Any]) -> dict[str, Any]:
    return {one.resource.name if isinstance(one, Present) else name: one for name, one in seen.items()}


@given(st.fixed_dictionaries({}, optional={kind: seen_of(kind) for kind in KINDS}), ANY_TEXT)
def test_saved_and_read_it_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, readings: dict[str, Any], cluster: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "deep" / "snapshot.json"
    save(saw(cluster, **readings), path)
    snapshot = read_file(path)

    assert snapshot.cluster == cluster
    assert snapshot.trips == {"docker exec": 1}
    assert {kind: reading.seen for kind, reading in snapshot.readings.items()} == readings
    for reading in snapshot.readings.values():
        assert (reading.door, reading.evidence) == ("snapshot", "docker exec (docker)")
        assert (reading.started, reading.took) == (WHEN, 0.25)


def good() -> dict[str, Any]:
    kinds = {"user": {"door": "d", "evidence": "e", "started": WHEN.isoformat(), "took": 1.0, "seen": {}}}
    return {"hubspec_snapshot": SCHEMA, "cluster": "lab", "trips": {}, "kinds": kinds}


def broken(*way: Any, value: Any = None) -> str:
    data = good()
    at: Any = data
    for step in way[:-1]:
        at = at.setdefault(step, {})
    if value is None:
        del at[way[-1]]
    else:
        at[way[-1]] = value
    return json.dumps(data)


NO_SNAPSHOT = "is no hubspec snapshot; make one with --save-snapshot FILE"
FAULTS = [
    ("", NO_SNAPSHOT),
    ("[]", NO_SNAPSHOT),
    ("5", NO_SNAPSHOT),
    ('{"cluster": "lab"}', NO_SNAPSHOT),
    (json.dumps(good())[:-9], NO_SNAPSHOT),
    ("[" * 100_000, NO_SNAPSHOT),
    (broken("hubspec_snapshot", value=2), "is a snapshot of schema 2; this hubspec reads schema 1: take a new one"),
    (broken("cluster"), "is damaged (KeyError: 'cluster'); take a new one"),
    (broken("cluster", value=5), "is damaged (TypeError: cluster is no text); take a new one"),
    (broken("trips", value=[1]), "is damaged (AttributeError: 'list' object has no attribute 'items'); take a new one"),
    (broken("kinds", "shoe", value={}), "is damaged (KeyError: 'shoe'); take a new one"),
    (broken("kinds", "user", "started", value="x"), "is damaged (ValueError: Invalid isoformat string: 'x'); take a new one"),
    (broken("kinds", "user", "seen"), "is damaged (KeyError: 'not_applicable'); take a new one"),
    (broken("kinds", "user", "seen", "x", value={"present": {"shoe": 1}}), "is damaged (ValueError: a user has no field shoe); take a new one"),
    (broken("kinds", "user", "seen", "x", value={"missing": 1}), "is damaged (KeyError: 'not_applicable'); take a new one"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), FAULTS, ids=range(len(FAULTS)))
def test_fault(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BaselineError) as error:
        read_file(path)
    assert error.value.faults == [f"{path}: {sentence}"]


def test_the_good_one_of_the_faults_is_good(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps(good()), encoding="utf-8")
    assert read_file(path).readings["user"].seen == {}


@pytest.mark.parametrize("raw", [b"\xff\xfe", None])
def test_what_cannot_be_read_is_told(raw: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    if raw:
        path.write_bytes(raw)
    with pytest.raises(BaselineError, match=r"s\.json: cannot be read: "):
        read_file(path)


def test_a_kind_that_was_not_read_says_so() -> None:
    reading = Snapshot("lab").reading("hub_user")
    assert reading.seen == Unreadable("the snapshot holds no hub_users: it was taken without asking for them")
