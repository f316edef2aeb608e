from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec import probe_name

NOW = datetime(2026, 11, 5, 12, tzinfo=UTC)
HOURS = timedelta(hours=1)


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants them bare
def test_a_name_is_one_for_useradd_and_for_the_hub_and_says_when_it_was_made(when: datetime) -> None:
    name, when = probe_name.new(when), when.replace(microsecond=0)

    assert len(name) <= 32
    assert re.fullmatch(r"[a-z][a-z0-9-]*", name)
    assert probe_name.is_one(name)
    assert probe_name.at_work(name, when)
    assert not probe_name.at_work(name, when + HOURS + timedelta(seconds=2))
    assert probe_name.left_behind(name, when + HOURS + timedelta(seconds=2))
    assert not probe_name.left_behind(name, when + HOURS)


def test_two_names_of_one_second_differ() -> None:
    assert len({probe_name.new(NOW) for _ in range(100)}) == 100
    assert {probe_name.new(NOW)[:-8] for _ in range(100)} == {NAME[:-8]}


NAME = "hubspec-probe-6aec6fc0c83ec1ef"
"""One of that moment: fixed, so that each process of pytest-xdist collects the same tests."""


@pytest.mark.parametrize("about", [NAME, f"{NAME}/a note (a17)", f"/user/{NAME}/", f"/user/{NAME}", f"{NAME}/server"])
def test_what_is_a_probes_own(about: str) -> None:
    assert probe_name.at_work(about, NOW)
    assert probe_name.mentioned(about)


OTHERS = [
    f"{NAME}0",
    f"x{NAME}",
    f"x-{NAME}",
    f"{NAME}-x",
    "hubspec-probe-",
    "hubspec-probe-diego",
    NAME.upper(),
    "diego",
]


@pytest.mark.parametrize("name", OTHERS)
def test_names_of_others(name: str) -> None:
    assert not probe_name.is_one(name)
    assert not probe_name.mentioned(name)
    assert not probe_name.at_work(name, NOW)
    assert not probe_name.left_behind(name, NOW + 2 * HOURS)


def test_one_from_the_future_is_nobodys_probe() -> None:
    assert probe_name.at_work(NAME, NOW - timedelta(minutes=4))
    assert not probe_name.at_work(NAME, NOW - timedelta(minutes=6))
    assert not probe_name.is_one(f"{NAME}\n")
