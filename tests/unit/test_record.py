"""From a verdict to a record, and values as a terminal may show them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.check import checks, undeclared_check
from hubspec.kinds import hub_user
from hubspec.model import Action, Outcome, Pattern, Record, Unreadable
from hubspec.printable import printable
from hubspec.record import _action, plain, record, shown
from hubspec.report import jsonl
from hubspec.report.text import scene
from hubspec.verdict import judge
from tests.made import WHEN, declare, present, saw

TODAY = datetime(2026, 1, 1, tzinfo=UTC)
DIEGO = present("user", "diego", {"locked": "no right"}, uid=1, shell="/bin/sh", home="/home/diego", locked=None)
CASES = [
    # declared diego, seen, expected, before
    ({"uid": 1}, {"diego": DIEGO}, {"ensure": "present", "uid": 1}, {"ensure": "present", "uid": 1}),
    ({"uid": 2}, {"diego": DIEGO}, {"ensure": "present", "uid": 2}, {"ensure": "present", "uid": 1}),
    ({}, {"diego": DIEGO}, {"ensure": "present"}, {"ensure": "present"}),
    ({"ensure": "absent"}, {"diego": DIEGO}, {"ensure": "absent"}, {"ensure": "present"}),
    ({"ensure": "absent"}, {}, {"ensure": "absent"}, {"ensure": "absent"}),
    ({"shell": {"matches": "x"}}, {}, {"ensure": "present", "shell": {"matches": "x"}}, {"ensure": "absent"}),
    ({"uid": 1}, Unreadable("shut"), {"ensure": "present", "uid": 1}, None),
    ({"uid": 1, "locked": True}, {"diego": DIEGO}, {"ensure": "present", "uid": 1, "locked": True}, None),
]


def one(folder: Path, fields: Any, seen: Any) -> Record:
    baseline = declare(folder, users={"diego": fields})
    return record(judge(checks(baseline, "user")[0], baseline, saw(user=seen), TODAY), run="r", test="t::x")


@pytest.mark.parametrize(("fields", "seen", "expected", "before"), CASES)
def test_record(fields: Any, seen: Any, expected: Any, before: Any, tmp_path: Path) -> None:
    made = one(tmp_path, fields, seen)
    assert (made.expected, made.before, made.after) == (expected, before, before)
    assert (made.run, made.test, made.control, made.started, made.took) == ("r", "t::x", "USER-01", WHEN, 0.25)
    assert made.declared_at == f"{tmp_path}/baseline.yaml:{line_of(tmp_path, '  diego:')}"
    assert Record.model_validate_json(jsonl.render([made])) == made


def line_of(folder: Path, start: str) -> int:
    lines = (folder / "baseline.yaml").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(start))


def test_a_missing_resource_tells_what_to_do(tmp_path: Path) -> None:
    made = one(tmp_path, {"uid": 7}, {})
    assert made.outcome is Outcome.DRIFTED
    assert made.differences == [{"field": "ensure", "wanted": "present", "found": "absent"}]
    assert [action["sentence"] for action in made.actions] == ["create the account diego"]
    assert [action["result"] for action in made.actions] == [None]


@given(st.text(min_size=1, max_size=8))
def test_any_observed_name_becomes_a_record_and_a_scene(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    baseline = declare(
        tmp_path_factory.getbasetemp(), hub_users={"diego": {}}, undeclared={"hub_user": {"policy": "report"}}
    )
    seen = hub_user.parse(json.loads(json.dumps([{"name": "diego"}, {"name": f"x{name}", "groups": [name]}])))
    check = undeclared_check(baseline, "hub_user")
    assert check is not None
    made = record(judge(check, baseline, saw(name, hub_user=seen), TODAY), run="r", test="t::x")
    assert made.outcome is Outcome.DRIFTED
    assert Record.model_validate_json(jsonl.render([made])) == made
    assert all(line.isprintable() for line in scene(made).split("\n"))


PLAIN = [
    (Pattern(matches="x"), {"matches": "x"}),
    ({"a": [Pattern(matches="x"), ("b",)]}, {"a": [{"matches": "x"}, ["b"]]}),
    ("half \ud83d", "half \\ud83d"),
    ({"\udc80": "\udc80"}, {"\\udc80": "\\udc80"}),
    (None, None),
    (5, 5),
    (True, True),
]


@pytest.mark.parametrize(("value", "expected"), PLAIN, ids=range(len(PLAIN)))
def test_plain(value: Any, expected: Any) -> None:
    assert plain(value) == expected


SHOWN = [
    (None, "nothing"),
    ("x", "x"),
    ("", ""),
    (5, "5"),
    (True, "true"),
    ([], "[]"),
    (["a", "é"], '["a", "é"]'),
    ({"matches": "a\x1bb"}, "a text that matches a\\x1bb"),
    ({"a": None}, '{"a": null}'),
    ("two\nlines\r\x1b[31m\x07\x00", "two\\nlines\\r\\x1b[31m\\x07\\x00"),
    ("\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"),
    ("\u200b\ufeff\u2028\xa0", "\\u200b\\ufeff\\u2028\\xa0"),
    ("\ud800", "\\ud800"),
    ("<b>é 日本 🙂</b>", "<b>é 日本 🙂</b>"),
]


@pytest.mark.parametrize(("value", "expected"), SHOWN, ids=range(len(SHOWN)))
def test_shown(value: Any, expected: str) -> None:
    assert shown(value) == expected


@given(st.text())
def test_anything_printed_is_printable(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize(
    ("door", "asked", "command"),
    [
        ("container", "usermod -s /bin/sh -- 'a b'", "sudo docker exec -it 'my hub' usermod -s /bin/sh -- 'a b'"),
        ("container", "a || b", "sudo docker exec -it 'my hub' sh -c 'a || b'"),
        ("container", "a '$b' $c", """sudo docker exec -it 'my hub' sh -c 'a '"'"'$b'"'"' $c'"""),
        ("container", "cat x*", "sudo docker exec -it 'my hub' sh -c 'cat x*'"),
        ("engine", "docker start x", "sudo docker start x"),
        ("hub", "x", "x"),
        ("aws", "x", "x"),
    ],
)
def test_an_action_has_the_command_that_is_pasted_on_the_master(door: Any, asked: str, command: str) -> None:
    action = Action(sentence="s", door=door, request=asked, safety="safe")
    assert _action(action, "my hub", {asked: "done"})["command"] == command
    assert _action(action, "my hub", {asked: "done"})["result"] == "done"
