"""The words of an audit: values that cannot change, hold nothing unknown, and know what was stated."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hubspec.errors import BaselineError, DoorError, HubspecError, UnknownClusterError
from hubspec.kind import REST, Undeclared, beyond_declared
from hubspec.kinds import KINDS
from hubspec.kinds.file import File
from hubspec.kinds.package import Package, split
from hubspec.kinds.step import Step
from hubspec.kinds.user import User
from hubspec.model import Absent, Pattern, Unreadable, Waiver
from tests.made import present

WAIVER = {"control": "A-1", "reason": "r", "owner": "o", "ticket": "t", "until": "2026-01-01"}


def test_only_what_was_stated_is_told() -> None:
    user = User(name="x", uid=0, shell=None, control="USR-01", ensure="present")
    assert user.stated() == {"uid": 0, "shell": None}
    assert list(User(name="x", shell="s", uid=1).stated()) == ["uid", "shell"]  # in the order of the definition


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (User, {"name": "x", "uid": "1"}),
        (User, {"name": "x", "uid": 1.0}),
        (User, {"name": "x", "uid": True}),
        (User, {"name": "x", "shoe": 1}),
        (User, {"name": ""}),
        (User, {"name": "a b"}),
        (User, {"name": "a:b"}),
        (User, {"name": "a\n"}),
        (User, {"name": "x" * 257}),
        (Package, {"name": "six", "version": 1}),
        (Pattern, {"matches": "("}),
        (Waiver, WAIVER | {"until": "2026-1-1"}),
        (Waiver, WAIVER | {"owner": ""}),
    ],
    ids=range(13),
)
def test_refused(model: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model(**fields)


def test_values_do_not_change() -> None:
    user = User(name="x", uid=1)
    with pytest.raises(ValidationError):
        user.uid = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("kind", "name", "canonical"),
    [
        ("user", "Diego", "Diego"),
        ("hub_user", "Diego", "diego"),
        ("file", "/A", "/A"),
        ("package", "PyYAML", "pyyaml"),
        ("package", "base/PyYAML", "pyyaml"),
        ("package", "pip:Zope.Interface__x", "pip:zope-interface-x"),
        ("package", "base/pip:A", "pip:a"),
        ("package", "Analysis/pip:A_b", "Analysis/pip:a-b"),
    ],
)
def test_one_spelling(kind: str, name: str, canonical: str) -> None:
    spell = KINDS[kind].resource.canonical
    assert spell(name) == canonical
    assert spell(canonical) == canonical


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("six", ("base", "conda", "six")),
        ("pip:six", ("base", "pip", "six")),
        ("e/six", ("e", "conda", "six")),
        ("e/pip:six", ("e", "pip", "six")),
    ],
)
def test_split(name: str, parts: tuple[str, str, str]) -> None:
    assert split(name) == parts


def test_beyond_declared_is_what_is_present_and_was_not_declared() -> None:
    seen = {"a": present("user", "a", uid=1), "b": present("user", "b", uid=2), "c": Absent(), "d": Unreadable("x")}
    assert beyond_declared({"a": User(name="a")}, seen, Undeclared(policy="report")) == {"b": {"uid": 2}}


def test_what_was_not_listed_is_absent_only_where_everything_is_listed() -> None:
    assert KINDS["user"].look_up(User(name="x"), {}) == {"": Absent()}
    assert KINDS["file"].look_up(File(name="/x"), {}) == {}


def test_what_a_reading_that_was_cut_off_lacks_is_unreadable() -> None:
    cut = Unreadable("only the newest 50 were listed")
    seen = {"a (s-1)": present("step", "a (s-1)", state="COMPLETED"), REST: cut}

    assert KINDS["step"].look_up(Step(name="b"), seen) == {"": cut}
    assert KINDS["step"].look_up(Step(name="a"), seen) == {"": seen["a (s-1)"]}


def test_a_pattern_reads_as_one() -> None:
    assert str(Pattern(matches="a+")) == "matches a+"


def test_errors_are_one_family() -> None:
    assert all(issubclass(one, HubspecError) for one in (BaselineError, UnknownClusterError, DoorError))
    assert str(BaselineError(["a", "b"])) == "a\nb"
