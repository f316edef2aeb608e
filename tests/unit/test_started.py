"""A container that was started is looked at until its hub is up, and no longer than that makes sense."""

from __future__ import annotations

from typing import Any

import pytest

from hubspec import started
from hubspec.model import Absent, NotApplicable, Unreadable
from tests.made import present, saw

REFUSED = "nobody answers there"
NO_WAY = "GET /hub/api answered 404"
OLD = "the token's scopes do not show it"
HUB = present("hub", "hub", version="1.5.0")
HALF = present("hub", "hub", {"version": NO_WAY, "authenticator": NO_WAY})
USERS = {"ana": present("hub_user", "ana", {"admin": OLD}), "ben": Absent()}

UP = {"hub": {"hub": HUB}, "hub_user": {"ben": Absent()}}
GONE = {"hub": Unreadable(REFUSED), "hub_user": Unreadable(REFUSED)}
PARTLY = {"hub": {"hub": HALF}, "hub_user": {"ben": Absent()}}
LASTING = {"hub": {"hub": HUB}, "hub_user": USERS}
BOTH = {"hub": {"hub": HALF}, "hub_user": USERS}
ELSEWHERE = {"hub": {"hub": HUB}, "cluster": Unreadable("AWS refused"), "hub_token": NotApplicable("before 0.9")}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(started, "POLL", 0.0)


@pytest.mark.parametrize(
    ("looks", "said"),
    [
        ([UP], []),
        ([ELSEWHERE], []),
        ([GONE, GONE, GONE, UP], [REFUSED] * 3),
        ([PARTLY, UP], [NO_WAY]),
        ([GONE, PARTLY, UP], [REFUSED, NO_WAY]),
        ([PARTLY, GONE, PARTLY, UP], [NO_WAY, REFUSED, NO_WAY]),
        ([LASTING, LASTING], [OLD]),
        ([GONE, LASTING, LASTING], [REFUSED, OLD]),
        ([BOTH, LASTING, LASTING], [NO_WAY, OLD]),
        ([PARTLY, PARTLY], [NO_WAY]),
    ],
)
def test_it_is_looked_at_until_it_is_up(looks: list[dict[str, Any]], said: list[str]) -> None:
    left, heard = list(looks), list[str]()
    seen = started.up(lambda: saw("lab", **left.pop(0)), heard.append)

    assert left == []
    assert {kind: reading.seen for kind, reading in seen.readings.items()} == looks[-1]
    assert heard == [f"not up yet: {why}" for why in said]


def test_one_that_never_comes_up_is_what_was_seen_last() -> None:
    heard: list[str] = []
    seen = started.up(lambda: saw("lab", **GONE), heard.append, within=0.05)

    assert seen.readings["hub"].seen == Unreadable(REFUSED)
    assert set(heard) == {f"not up yet: {REFUSED}"}
