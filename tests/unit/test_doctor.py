"""What rests on what in the doctor's course, whose failure an error is, and what the table makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hubspec.doctor import table, tls
from hubspec.doctor.clock import verdict
from hubspec.doctor.examine import examine
from hubspec.doctor.model import Check, Course, Finding, State, fails, mind, parted, spared, works
from hubspec.errors import DoorError, HubspecError, ShutError, UnknownClusterError
from hubspec.model import Unreadable


def course(*checks: Check) -> dict[str, tuple[str, str]]:
    """Return row -> (state, what was found) of checks that nobody waits for."""
    found = Course()
    examine(checks, found, lambda _check, do: do())
    return {row: (one.state, one.found) for row, one in found.found.items()}


def raising(error: HubspecError, *before: Finding) -> Callable[[], Iterator[Finding]]:
    def run() -> Iterator[Finding]:
        yield from before
        raise error

    return run


WAY = ("door.reached", "door.host key", "door.login")
OK, NO, UNTRIED = State.WORKS, State.FAILS, State.UNTRIED


@pytest.mark.parametrize(
    ("error", "before", "states"),
    [
        (ShutError("x", "reached", "y"), [], [NO, UNTRIED, UNTRIED]),
        (ShutError("x", "host key", "y"), [], [OK, NO, UNTRIED]),
        (ShutError("x", "login", "y"), [works("door.reached", "z")], [OK, OK, NO]),
        (ShutError("x", "elsewhere", "y"), [works("door.reached")], [OK, NO, UNTRIED]),
        (DoorError("x"), [], [NO, UNTRIED, UNTRIED]),
        (DoorError("x"), [works("door.reached"), works("door.host key")], [OK, OK, NO]),
        (UnknownClusterError("x"), [works(row) for row in WAY], [OK, OK, NO]),
    ],
)
def test_an_error_is_the_failure_of_the_row_it_is_about(
    error: HubspecError, before: list[Finding], states: list[State]
) -> None:
    found = course(Check(WAY, raising(error, *before)), Check(("door.shell",), lambda: iter([]), ("door.login",)))

    assert [found[row][0] for row in WAY] == states
    assert found["door.shell"] == (UNTRIED, "needs door: login")


def test_who_is_to_blame_where_nobody_says() -> None:
    found = course(Check(WAY, raising(DoorError("x")), blame="door.login"))

    assert [found[row][0] for row in WAY] == [UNTRIED, UNTRIED, NO]
    assert found["door.reached"][1] == "needs door: login"


@pytest.mark.parametrize("state", State)
def test_what_rests_on_a_row(state: State) -> None:
    first = Check(("a.x",), lambda: iter([Finding("a.x", state)]))
    found = course(first, Check(("a.y",), lambda: iter([works("a.y")]), ("a.x",)))

    assert (found["a.y"][0] == OK) == (state in {State.WORKS, State.MATTERS, State.SPARED})


def test_a_row_of_which_nothing_was_told_does_not_work() -> None:
    assert course(Check(("a.x",), lambda: iter([])))["a.x"] == (UNTRIED, "nothing was told of it")


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([works("hub.x"), mind("hub.y", "z"), spared("hub.z", "w")], 0),
        ([fails("hub.x", "y", needed=False)], 0),
        ([Finding("hub.x", UNTRIED, needed=False)], 0),
        ([works("hub.y"), fails("hub.x", "y")], 11),
        ([Finding("hub.x", UNTRIED)], 11),
    ],
)
def test_code(found: list[Finding], code: int) -> None:
    assert table.code(found) == code
    assert table.document("j-1", found)["code"] == code


def test_the_table_is_in_its_order_and_moves_no_cursor() -> None:
    found = [fails("hub.x", "a\x1b[2Jb", "do this"), works("tools.y"), fails("door.z", "w", needed=False)]
    text = "\n".join(table.lines("j-1", found, 80))

    assert "\x1b" not in text
    assert [line for line in text.splitlines() if line and line[0] != " "] == [
        "j-1", "tools", "door", "hub", "1 of what an audit needs fails; first mend hub: x", "-> do this",
    ]  # fmt: skip
    assert r"  x  FAILS       a\x1b[2Jb" in text
    assert "  z  fails       w" in text


def test_all_is_well() -> None:
    assert list(table.lines("j-1", [works("hub.x")], 80))[-1] == "all that an audit needs works"


@pytest.mark.parametrize(
    ("sentence", "two"),
    [("a is so: do b: c", ("a is so", "do b: c")), ("a is so", ("a is so", ""))],
)
def test_parted(sentence: str, two: tuple[str, str]) -> None:
    assert parted(sentence) == two


@pytest.mark.parametrize(
    ("seconds", "state", "words"),
    [
        (0.2, OK, "within 1 s"),
        (-59.9, OK, "within 60 s"),
        (61, State.MATTERS, "61 s before this machine's"),
        (-3600, State.MATTERS, "3600 s behind this machine's"),
        (None, State.MATTERS, "the hub tells no time"),
    ],
)
def test_clocks(seconds: float | None, state: State, words: str) -> None:
    found = verdict("clock.hub", seconds, "the hub")
    assert (found.state, words in found.found) == (state, True)


@pytest.mark.parametrize(
    ("shown", "state", "words"),
    [
        ({"pem": None}, State.MATTERS, "the address is http"),
        ({"pem": "no certificate", "host": "h", "now": 0}, NO, "the certificate is not understood"),
    ],
)
def test_certificates_that_are_none(shown: dict[str, Any], state: State, words: str) -> None:
    found = tls.verdict(shown | {"trusted": Unreadable("x")}, None, None, insecure=False)
    assert (found.state, words in found.found) == (state, True)
