"""Lengths of time: what is written is what is meant, there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hubspec.duration import seconds, words
from hubspec.model import AtMost

TABLE = [
    ("0s", 0),
    ("90s", 90),
    ("30m", 1800),
    ("24h", 86400),
    ("7d", 604800),
    ("1d 12h", 129600),
    ("1h30m", 5400),
]
WRONG = ["", "24", "h", "-1h", "1.5h", "1w", "1h ", " 1h", "1h  1m", "1h\n", "one hour", "9999999999d", "²h"]


@pytest.mark.parametrize(("text", "count"), TABLE)
def test_what_is_written(text: str, count: int) -> None:
    assert seconds(AtMost(at_most=text).at_most) == count


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ValidationError):
        AtMost(at_most=text)


@given(st.integers(0, 10**9))
def test_there_and_back(count: int) -> None:
    assert seconds(AtMost(at_most=words(count)).at_most) == count


def test_a_clock_that_is_behind_makes_no_negative_time() -> None:
    assert words(-3.5) == "0s"
    assert words(59.9) == "59s"
