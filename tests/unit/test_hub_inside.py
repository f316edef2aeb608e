"""What is said of the hub's two processes, and of the time that a hub asks for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.cluster.hub_http import pause_of
from hubspec.cluster.hub_inside import running

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class Door:
    """A container in which these lines are printed."""

    container = "jupyterhub"

    def __init__(self, text: str) -> None:
        self.text = text

    def run(self, _script: str) -> tuple[str, str]:
        return self.text, ""


SAID = [
    ("hub S\nproxy S\n", "in the container jupyterhub the hub runs, its proxy runs"),
    ("hub S\n", "the hub runs, its proxy does not run: so the hub is up and its proxy is not"),
    ("proxy T\nhub S\n", "the hub runs, its proxy is stopped by a signal: so the hub is up"),
    ("hub T\nproxy S\n", "the hub is stopped by a signal, its proxy runs"),
    ("proxy S\n", "the hub does not run, its proxy runs: start it with sudo docker restart jupyterhub"),
    ("", "the hub does not run, its proxy does not run: start it"),
    ("hub\nodd\n", "the hub does not run, its proxy does not run"),
]


@pytest.mark.parametrize(("text", "said"), SAID)
def test_the_hub_is_told_from_its_proxy(text: str, said: str) -> None:
    assert said in running(Door(text))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("0", 0), ("3", 3), (" 120 ", 120), ("99999999999999", 999999999), ("", None), ("-1", None), ("soon", None)),
        *(("1.5", None), ("Wed, 04 Mar 2026 05:06:37 GMT", 30), ("Wed, 04 Mar 2026 05:06:00 GMT", 0)),
        ("Wed, 04 Mar 2026 05:06:37", 30),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert pause_of(value, NOW) == seconds


@given(st.text(max_size=60))
def test_whatever_a_server_says_it_is_a_time_or_nothing(value: str) -> None:
    found = pause_of(value, NOW)

    assert found is None or found >= 0
