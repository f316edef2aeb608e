"""A chain over records names what became of each: every record that is changed, removed, added, moved, and no other."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.altered import changes
from hubspec.chain import END, INPUTS, RECORD, Chain, Link, broken, canonical, read


def chained(lines: list[bytes]) -> list[Link]:
    chain = Chain()
    records = [
        chain.add(RECORD, line, record=f"R-{number}", test=f"t[{number}]") for number, line in enumerate(lines, 1)
    ]
    first = Chain()
    links = [first.add(INPUTS, b"in")]
    links += [
        first.add(RECORD, line, record=link.record, test=link.test) for line, link in zip(lines, records, strict=True)
    ]
    return [*links, first.add(END, b"end")]


def hashed(lines: list[bytes]) -> list[str]:
    return [hashlib.sha256(line).hexdigest() for line in lines]


LINES = [b"a", b"b", b"c", b"d", b"e"]


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        ([b"a", b"b", b"c", b"d", b"e"], []),
        ([b"a", b"X", b"c", b"d", b"e"], ["line 2: the record R-2 (t[2]) was changed"]),
        ([b"X", b"Y", b"c", b"d", b"e"], ["line 1: the record R-1 (t[1]) was changed", "line 2: the record R-2 (t[2]) was changed"]),
        ([b"a", b"c", b"d", b"e"], ["the record R-2 (t[2]) was removed: it stood in line 2"]),
        ([b"a", b"b", b"c", b"d"], ["the record R-5 (t[5]) was removed: it stood in line 5"]),
        ([b"a", b"X", b"b", b"c", b"d", b"e"], ["line 2: was added"]),
        ([b"a", b"b", b"c", b"d", b"e", b"X"], ["line 6: was added"]),
        ([b"a", b"b", b"a", b"c", b"d", b"e"], ["line 3: is a second time the record R-1 (t[1])"]),
        ([b"a", b"c", b"b", b"d", b"e"], ["line 2: the record R-3 (t[3]) was moved: it stood in line 3"]),
        ([b"e", b"a", b"b", b"c", b"d"], ["line 1: the record R-5 (t[5]) was moved: it stood in line 5"]),
        ([b"d", b"b", b"c", b"a", b"e"], ["line 1: the record R-4 (t[4]) was moved: it stood in line 4", "line 4: the record R-1 (t[1]) was moved: it stood in line 1"]),
        ([b"X", b"c", b"d", b"e", b"b"], ["line 1: the record R-1 (t[1]) was changed", "line 5: the record R-2 (t[2]) was moved: it stood in line 2"]),
        ([], [f"the record R-{n} (t[{n}]) was removed: it stood in line {n}" for n in range(1, 6)]),
    ],
)  # fmt: skip
def test_each_alteration_is_named(found: list[bytes], wanted: list[str]) -> None:
    assert [change.sentence for change in changes(chained(LINES), hashed(found))] == wanted


@given(st.lists(st.binary(max_size=2), max_size=8), st.lists(st.binary(max_size=2), max_size=8))
def test_nothing_is_told_of_the_same_lines_and_something_of_any_others(was: list[bytes], is_: list[bytes]) -> None:
    told = changes(chained(was), hashed(is_))
    assert bool(told) == (was != is_)
    assert len({(change.line, change.sentence) for change in told}) == len(told)


@given(st.integers(0, 4), st.binary(min_size=1, max_size=3))
def test_a_change_of_one_line_names_that_one(place: int, line: bytes) -> None:
    found = [*LINES[:place], line, *LINES[place + 1 :]]
    told = changes(chained(LINES), hashed(found))
    if line not in LINES:
        assert [(change.line, change.record) for change in told] == [(place + 1, f"R-{place + 1}")]


def test_a_whole_chain_is_not_broken_and_each_link_of_it_matters() -> None:
    links = chained(LINES)
    assert list(broken(links)) == []
    assert read("".join(link.line() for link in links)) == links
    for number in range(len(links)):
        assert list(broken(links[:number] + links[number + 1 :])) != []
        other = replace(links[number], sha256="0" * 64)
        assert any(f"line {number + 1}" in one for one in broken([*links[:number], other, *links[number + 1 :]]))


@pytest.mark.parametrize(
    "text", ["{", "3\n", '{"link": "record"}\n', '{"link": 1, "sha256": "", "chain": ""}\n', "[" * 9000 + "\n"]
)
def test_what_is_no_chain_says_so(text: str) -> None:
    with pytest.raises(ValueError, match="line 1 is no link of a chain"):
        read(text)


def test_the_hashed_form_of_an_object_is_the_same_however_it_was_written() -> None:
    assert canonical({"b": 1, "a": "ü"}) == canonical({"a": "ü", "b": 1}) == b'{"a":"\\u00fc","b":1}'


def test_a_reversed_file_of_six_thousand_is_told_at_once() -> None:
    lines = [str(number).encode() for number in range(6000)]
    assert len(changes(chained(lines), hashed(lines[::-1]))) == 5999
