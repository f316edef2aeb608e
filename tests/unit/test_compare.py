"""One comparison for every kind: what is stated, and nothing else, is compared."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.compare import compare, unread
from hubspec.duration import seconds, words
from hubspec.kinds import KINDS
from hubspec.model import Absent, AtLeast, AtLeastNumber, AtMost, Difference, Pattern, Present, Resource
from tests.made import present

TEXT = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=8)
MAPPING = st.dictionaries(TEXT, TEXT, max_size=3)
LEAST = st.integers(1, 10**6).map(lambda hours: AtLeast(at_least=f"{hours}h"))
LIMIT = st.integers(0, 10**6).map(lambda hours: AtMost(at_most=f"{hours}h"))


def in_order(ports: list[str]) -> list[str]:
    return sorted(set(ports), key=int)


VALUES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "container": {
        "image": TEXT, "image_id": TEXT, "running": st.just(True), "restart_policy": TEXT, "os": TEXT,
        "privileged": st.booleans(), "mounts": MAPPING, "ports": MAPPING,
    },
    "user": {
        "uid": st.integers(0, 2**32), "group": TEXT, "groups": st.lists(TEXT, max_size=3), "home": TEXT, "shell": TEXT,
        "locked": st.booleans(), "default_password": st.booleans(),
    },
    "package": {
        "version": st.from_regex(r"[1-9]\.[1-9]\.[1-9]", fullmatch=True),
        "build": st.from_regex(r"py[1-9]{2}_[1-9]", fullmatch=True), "channel": TEXT, "requested": st.booleans(),
        "pinned": st.from_regex(r"[1-9]\.[1-9]\.\*", fullmatch=True),
    },
    "kernel": {
        "display_name": TEXT, "language": TEXT, "command": TEXT, "module": TEXT, "runs": st.booleans(),
        "environment": st.lists(TEXT, max_size=3),
    },
    "file": {
        "type": TEXT, "mode": st.from_regex(r"0[0-7]{3}", fullmatch=True), "owner": TEXT, "group": TEXT,
        "sha256": st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
        "contains": st.lists(TEXT, max_size=3), "lacks": st.lists(TEXT, max_size=3),
    },
    "hub": {
        "version": st.from_regex(r"[1-9]\.[1-9]\.[1-9]", fullmatch=True), "authenticator": TEXT, "spawner": TEXT,
        "certificate_state": st.sampled_from(["valid", "expired", "not yet valid"]), "certificate_left": LEAST,
        "certificate_names": st.lists(TEXT, max_size=3), "certificate_fits": st.booleans(), "certificate_issuer": TEXT,
        "certificate_self_signed": st.booleans(), "certificate_trusted": st.booleans(),
        "certificate_fingerprint": st.from_regex(r"[0-9a-f]{64}", fullmatch=True), "key": TEXT,
        "key_strength": st.integers(1, 256).map(lambda bits: AtLeastNumber(at_least=bits)), "oldest_tls": TEXT,
    },
    "config": {"settings": MAPPING},
    "hub_user": {"admin": st.booleans(), "groups": st.lists(TEXT, max_size=3)},
    "hub_group": {"users": st.lists(TEXT.map(str.lower), max_size=3)},
    "service": {
        "admin": st.booleans(), "url": TEXT, "command": st.lists(TEXT, max_size=3), "running": st.booleans(),
    },
    "server": {"ready": st.booleans(), "pending": TEXT, "idle": LIMIT, "age": LIMIT},
    "hub_token": {
        "expires": st.booleans(), "left": LIMIT | LEAST, "idle": LIMIT, "age": LIMIT, "scopes": st.lists(TEXT, max_size=3),
    },
    "route": {"to": st.sampled_from(["hub", "server", "other"]), "target": TEXT, "running": st.booleans()},
    "proxy": {
        "running": st.booleans(), "version": TEXT, "api_address": TEXT, "api_needs_token": st.booleans(), "unmarked": MAPPING,
    },
    "step": {
        "state": TEXT, "jar": TEXT, "arguments": st.lists(TEXT, max_size=3),
        "when": st.sampled_from(["at launch", "later"]), "age": LIMIT, "duration": LIMIT,
    },
    "cluster": {
        "state": TEXT, "release_label": TEXT, "log_uri": TEXT, "applications": MAPPING, "tags": MAPPING,
        "world_ports": st.lists(st.integers(0, 9999).map(lambda half: str(2 * half)), max_size=3).map(in_order),
        "termination_protected": st.booleans(), "auto_terminate": st.booleans(), "idle_timeout": LIMIT,
        "security_configuration": TEXT, "encryption": st.dictionaries(st.sampled_from(["s3", "disk", "transit"]), TEXT),
        "configurations": st.dictionaries(TEXT, MAPPING, max_size=3), "bootstrap_actions": MAPPING,
        "instance_profile": TEXT, "service_role": TEXT, "masters": st.integers(0, 3),
    },
}  # fmt: skip
NAMES = {"file": "/etc/x", "config": "/etc/x", "package": "x"}
NOTHING_TO_DO = {("user", "default_password")}  # found true, and declared to be so
CHANGED = {"version": "0.0.1", "build": "other", "pinned": "0.0.1"}


def test_the_strategies_know_every_field_of_every_kind() -> None:
    assert {kind: set(fields) for kind, fields in VALUES.items()} == {
        kind.name: set(kind.resource.fields_compared()) for kind in KINDS.values()
    }


@st.composite
def declared(draw: st.DrawFn) -> tuple[str, Resource]:
    kind = draw(st.sampled_from(list(VALUES)))
    fields = draw(st.fixed_dictionaries({}, optional=VALUES[kind]))
    return kind, KINDS[kind].resource(name=NAMES.get(kind, "x"), **fields)


def beyond(limit: AtMost | AtLeast | AtLeastNumber) -> str | int:
    """Return the first value that is not fine any more."""
    if isinstance(limit, AtLeastNumber):
        return limit.at_least - 1
    return f"{limit.at_most} 1s" if isinstance(limit, AtMost) else words(seconds(limit.at_least) - 1)


def other(field: str, value: Any) -> Any:
    if field in CHANGED:
        return CHANGED[field]
    if isinstance(value, AtMost | AtLeast | AtLeastNumber):
        return beyond(value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return [*value, "one more"] if isinstance(value, list) else f"other {value}"


def at_its_limit(stated: dict[str, Any]) -> dict[str, Any]:
    """Return what is stated as it would be found; a length of time or a number as the last that is fine."""
    return {
        name: getattr(value, "at_most", None) or getattr(value, "at_least", None) or value
        for name, value in stated.items()
    }


@given(declared())
def test_what_is_as_declared_never_drifts(case: tuple[str, Resource]) -> None:
    kind, resource = case
    assert compare(kind, resource, present(kind, resource.name, **at_its_limit(resource.stated()))) is None


@given(declared(), st.data())
def test_one_changed_field_is_exactly_that_difference(case: tuple[str, Resource], data: st.DataObject) -> None:
    kind, resource = case
    stated = resource.stated()
    if not stated:
        return
    field = data.draw(st.sampled_from(sorted(stated)))
    if isinstance(stated[field], dict):
        if not stated[field]:
            return
        key = min(stated[field])
        seen, wanted = {**stated[field], key: "changed it"}, stated[field][key]
        expected = Difference(f"{field}.{key}", wanted, "changed it")
    else:
        seen = other(field, stated[field])
        expected = Difference(field, stated[field], seen)
    found = present(kind, resource.name, **at_its_limit(stated) | {field: seen})

    drift = compare(kind, resource, found)
    assert drift is not None
    assert drift.differences == (expected,)
    assert KINDS[kind].fix(drift) or (kind, field) in NOTHING_TO_DO

    assert compare(kind, resource, found, fields={"another"}) is None
    hidden = present(kind, resource.name, {field: "no right"}, **at_its_limit(stated) | {field: seen})
    assert compare(kind, resource, hidden) is None
    assert unread(resource, hidden) == {field: "no right"}
    assert unread(resource, hidden, fields={"another"}) == {}


RULES = [
    # kind, stated, found, differing
    ("user", {"shell": Pattern(matches="/bin/(ba)?sh")}, {"shell": "/bin/bash"}, []),
    ("user", {"shell": Pattern(matches="/bin/sh")}, {"shell": "/bin/sh -x"}, ["shell"]),
    ("user", {"shell": Pattern(matches=".*")}, {"shell": None}, ["shell"]),
    ("user", {"shell": Pattern(matches=".*")}, {"shell": "two\nlines"}, ["shell"]),
    ("user", {"shell": None}, {"shell": None}, []),
    ("user", {"shell": None}, {"shell": "/bin/sh"}, ["shell"]),
    ("user", {"uid": 0}, {"uid": False}, []),
    ("user", {"groups": ["b", "a", "a"]}, {"groups": ["a", "b"]}, []),
    ("user", {"groups": []}, {"groups": ["a"]}, ["groups"]),
    ("user", {"groups": []}, {"groups": None}, ["groups"]),
    ("cluster", {"tags": {"a": "1"}}, {"tags": {"a": "1", "b": "2"}}, []),
    ("cluster", {"tags": {"a": None}}, {"tags": {}}, []),
    ("cluster", {"tags": {"a": None}}, {"tags": {"a": ""}}, ["tags.a"]),
    ("cluster", {"tags": {"a": Pattern(matches="x+")}}, {"tags": {"a": "xx"}}, []),
    ("cluster", {"tags": {"a": Pattern(matches="x+")}}, {"tags": {"a": "xy"}}, ["tags.a"]),
    ("cluster", {"tags": None}, {"tags": {"a": "1"}}, ["tags"]),
    ("container", {"mounts": {"/a": "/a"}}, {"mounts": {"/a": "/a", "/b": "/b"}}, ["mounts./b"]),
    ("container", {"ports": {}}, {"ports": {"22/tcp": "22"}}, ["ports.22/tcp"]),
    ("container", {"ports": {"22/tcp": None}}, {"ports": {}}, []),
    ("container", {"mounts": {"/a": "/a"}}, {"mounts": None}, ["mounts"]),
    ("package", {"version": "2.12.*"}, {"version": "2.12.1"}, []),
    ("package", {"version": ">=2,<3"}, {"version": "3.0"}, ["version"]),
    ("package", {"version": "1.0"}, {"version": None}, ["version"]),
    ("package", {"build": "py3*"}, {"build": "py311_0"}, []),
    ("package", {"build": "py3*"}, {"build": "a blank"}, ["build"]),
    ("file", {"mode": "0644"}, {"mode": "0645"}, ["mode"]),
    ("step", {"age": AtMost(at_most="24h")}, {"age": "1d"}, []),
    ("step", {"age": AtMost(at_most="24h")}, {"age": "1d 1s"}, ["age"]),
    ("step", {"age": AtMost(at_most="24h")}, {"age": None}, ["age"]),
    ("hub_token", {"left": AtLeast(at_least="24h")}, {"left": "1d"}, []),
    ("hub_token", {"left": AtLeast(at_least="24h")}, {"left": "23h 59m 59s"}, ["left"]),
    ("hub_token", {"left": AtLeast(at_least="24h")}, {"left": None}, ["left"]),
    ("hub", {"key_strength": AtLeastNumber(at_least=112)}, {"key_strength": 112}, []),
    ("hub", {"key_strength": AtLeastNumber(at_least=112)}, {"key_strength": 111}, ["key_strength"]),
    ("hub", {"key_strength": AtLeastNumber(at_least=0)}, {"key_strength": None}, ["key_strength"]),
    ("hub", {"version": ">=1.5,<2"}, {"version": "1.5.1"}, []),
    ("hub", {"version": "==1.5.*"}, {"version": "1.5.0rc1"}, []),
    ("hub", {"version": "1.5"}, {"version": "1.5.0"}, []),
    ("hub", {"version": "1.5.0"}, {"version": "1.5.1"}, ["version"]),
    ("hub", {"version": "1.5.0"}, {"version": "one"}, ["version"]),
    ("hub", {"version": None}, {"version": "1.5.0"}, ["version"]),
    ("hub", {"certificate_fingerprint": ":".join(["AB"] * 32)}, {"certificate_fingerprint": "ab" * 32}, []),
    ("step", {"arguments": ["a", Pattern(matches="b+")]}, {"arguments": ["a", "bb"]}, []),
    ("step", {"arguments": ["a", Pattern(matches="b+")]}, {"arguments": ["bb", "a"]}, ["arguments"]),
    ("step", {"arguments": ["a"]}, {"arguments": ["a", "a"]}, ["arguments"]),
    ("step", {"arguments": []}, {"arguments": None}, ["arguments"]),
    ("cluster", {"configurations": {"livy-conf": {"a.b": "1"}}}, {"configurations": {}}, ["configurations.livy-conf.a.b"]),
    ("cluster", {"configurations": {"x": {"a": "1"}}}, {"configurations": {"x": {"a": "1", "b": "2"}, "y": {}}}, []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "stated", "found", "differing"), RULES)
def test_rule(kind: str, stated: dict[str, Any], found: dict[str, Any], differing: list[str]) -> None:
    resource = KINDS[kind].resource(name=NAMES.get(kind, "x"), **stated)
    drift = compare(kind, resource, present(kind, resource.name, **found))
    assert [one.field for one in drift.differences] == differing if drift else differing == []


@pytest.mark.parametrize(
    ("ensure", "seen", "difference"),
    [
        ("present", Absent(), Difference("ensure", "present", "absent")),
        ("absent", present("user", "x", uid=1), Difference("ensure", "absent", "present")),
        ("absent", Absent(), None),
        ("present", present("user", "x"), None),
    ],
)
def test_being_there_is_one_difference(ensure: Any, seen: Present | Absent, difference: Difference | None) -> None:
    resource = KINDS["user"].resource(name="x", ensure=ensure)
    drift = compare("user", resource, seen, fields=())
    assert (drift.differences if drift else None) == ((difference,) if difference else None)
