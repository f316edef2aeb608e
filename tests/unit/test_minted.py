"""A token that was made for an audit: told from all others by its id, and taken back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hubspec.cluster.token import mint, revoke
from hubspec.errors import DoorError

TOKEN = "0123456789abcdef0123456789abcdef"
AFTER, BEFORE = 1772600400.25, 1772600401.5
NOTE = "command-line generated"


class Door:
    """A container that answers what it is told to, and keeps the script."""

    container = "jupyterhub"

    def __init__(self, *lines: str, stderr: str = "") -> None:
        self.lines, self.stderr, self.script = lines, stderr, ""

    def run(self, script: str) -> tuple[str, str]:
        self.script = script
        return "".join(f"{line}\n" for line in self.lines), self.stderr


class Hub:
    """A hub that lists what it is told to, and keeps what is deleted."""

    def __init__(self, *tokens: dict[str, Any]) -> None:
        self.tokens, self.deleted = tokens, list[str]()

    def get(self, _path: str) -> dict[str, Any]:
        return {"api_tokens": list(self.tokens)}

    def delete(self, path: str) -> None:
        self.deleted.append(path)


def row(
    id_: int, created: str | None = "2026-03-04 05:00:00.500000", user: str = "jovyan", note: str = NOTE
) -> list[Any]:
    return [id_, user, None, note, created, None, None, None]


ROWS = [
    # what the hub's database tells, the id of what was made
    ([row(7)], "a7"),
    ([row(1, "2026-03-04 05:00:00.100000"), row(2, "2026-03-04 05:00:01.600000"), row(3, None), row(7)], "a7"),
    ([row(1, user="diego"), row(2, note="mine"), row(7)], "a7"),
    ([row(7), row(8)], ""),
    ([], ""),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "id_"), ROWS)
def test_it_is_known_by_its_id(rows: list[Any], id_: str) -> None:
    made = mint(Door(str(AFTER), TOKEN, str(BEFORE), json.dumps({"now": 1, "tokens": rows})), "jovyan")  # type: ignore[arg-type]
    assert (made.id, made.token.get_secret_value()) == (id_, TOKEN)
    assert TOKEN not in repr(made)
    if id_:
        assert made.name == "jovyan/command-line generated (a7)"
        revoke(hub := Hub(), made)  # type: ignore[arg-type]
        assert hub.deleted == ["/users/jovyan/tokens/a7"]


@pytest.mark.parametrize("told", [(), ("no JSON",), ('{"tokens": 3}',), ('{"tokens": [[]]}',)])
def test_where_the_database_tells_nothing_the_api_is_asked(told: tuple[str, ...]) -> None:
    made = mint(Door(str(AFTER), TOKEN, str(BEFORE), *told), "jovyan")  # type: ignore[arg-type]
    assert made.id == ""
    other = {"id": "a1", "note": "mine", "created": "2026-03-04T05:00:01.000000Z"}
    mine = {"id": "a7", "note": NOTE, "created": "2026-03-04T05:00:01.000000Z"}
    revoke(hub := Hub(other, mine), made)  # type: ignore[arg-type]
    assert hub.deleted == ["/users/jovyan/tokens/a7"]
    for tokens in ((), (mine, mine)):
        with pytest.raises(DoorError, match=f"could not be told from {len(tokens)} made in that second"):
            revoke(hub := Hub(*tokens), made)  # type: ignore[arg-type]
        assert hub.deleted == []


@pytest.mark.parametrize("lines", [(), ("1", "2"), ("1", "Traceback (most", "2"), ("1", TOKEN, "2", "{}", "more")])
def test_an_answer_without_a_token_is_no_token(lines: tuple[str, ...]) -> None:
    with pytest.raises(
        DoorError, match="no hub token could be made for jovyan in jupyterhub; the last words there: bad"
    ):
        mint(Door(*lines, stderr="first\nbad"), "jovyan")  # type: ignore[arg-type]
