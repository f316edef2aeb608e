from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hubspec import probe
from hubspec.door import Bundle, Doors, Workers
from hubspec.errors import AnsweredError, DoorError
from hubspec.probe import active

NAME = "hubspec-probe-6b03dccadb96bc4b"
USERS = [
    ({"server": None, "pending": None, "servers": {}}, False),
    ({"server": None, "pending": None}, False),
    ({}, False),
    ({"server": "/user/x/", "pending": None}, True),
    ({"server": None, "pending": "spawn"}, True),
    ({"servers": {"": {"pending": "stop", "ready": False}}}, True),
    ({"servers": {"other": {"ready": True}}}, True),
    ({"servers": {"": {"stopped": True, "ready": False}}}, False),
]


@pytest.mark.parametrize(("user", "there"), USERS)
def test_whether_a_user_has_a_server(user: dict[str, Any], there: bool) -> None:  # noqa: FBT001 - a table
    assert active(user) is there


class Hub:
    """Answers one request after the other as told, and the last one again and again; keeps what was asked."""

    base = "https://hub"

    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[str]()

    def ask(self, method: str, path: str, _body: Mapping[str, Any] | None = None) -> Any:
        self.asked.append(f"{method} {path}")
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


UP: dict[str, Any] = {"version": "1.5.0"}
NONE, PROXY = AnsweredError("no such user", 404), AnsweredError("no route", 404)


def test_a_user_with_a_server_is_deleted_once_that_is_gone() -> None:
    hub = Hub(UP, {"server": "/user/x/"}, None, UP, {"pending": "stop"}, None, UP, {}, None)

    assert probe._out_of_the_hub(NAME, hub, print) == ""
    path = f"/hub/api/users/{NAME}"
    assert [one for one in hub.asked if one != "GET /hub/api"] == [
        f"GET {path}", f"DELETE {path}/server", f"GET {path}", f"DELETE {path}/server", f"GET {path}", f"DELETE {path}",
    ]  # fmt: skip


def test_a_proxy_without_its_hub_says_nothing_of_a_user() -> None:
    hub = Hub(PROXY, UP, NONE, DoorError("down"), UP, NONE, UP)

    assert probe._out_of_the_hub(NAME, hub, print) == ""
    assert hub.asked.count(f"GET /hub/api/users/{NAME}") == 2


REFUSALS = [
    ([UP, AnsweredError("refused (403)", 403)], "refused (403)"),
    ([UP, ["no user"]], f"GET /hub/api/users/{NAME} answered no user"),
    ([DoorError("nobody answers")], "nobody answers"),
]


@pytest.mark.parametrize(("answers", "why"), REFUSALS)
def test_why_one_could_not_be_removed(answers: list[Any], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "SILENCE", 0.0)
    monkeypatch.setattr(probe, "PATIENCE", 0.0)

    assert probe._out_of_the_hub(NAME, Hub(*answers), print) == why


def test_no_probe_user_is_made_by_a_step_which_would_keep_its_password() -> None:
    made: list[str] = []
    nobody: Any = None
    workers = Workers(nobody, nobody, nobody, lambda: False, Bundle("", "", lambda *_: ""))
    doors = Doors(
        nobody, nobody, nobody, work=lambda _stopped: workers, live=lambda _token: made.append("asked") or nobody
    )  # type: ignore[func-returns-value]
    with pytest.raises(DoorError, match="by docker or ssh only: EMR keeps what a step is told; leave out --via, and --door step or ssm"), \
            probe.probe_user(doors, print, []):  # fmt: skip
        made.append("made")
    assert made == []
