"""Differences between snapshots, and between a snapshot and a baseline: what is told, in which words, with which code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.diff import as_json, code, differences, lines, opened
from hubspec.difference import _passes, between
from hubspec.errors import HubspecError
from hubspec.kind import REST
from hubspec.kinds import KINDS
from hubspec.model import Absent, NotApplicable, Present, Unreadable
from hubspec.printable import hidden
from hubspec.snapshot import save
from tests.made import declare, present, saw

NAMES = ("a", "b")


def told(before: Any, after: Any) -> tuple[list[str], int]:
    found = differences(before, after)
    return list(lines(found, NAMES))[1:], code(found)


def user(unread: dict[str, str] | None = None, /, **fields: Any) -> Present:
    return present("user", "ana", unread, **{"uid": 1003, "shell": "/bin/bash"} | fields)


def file(unread: dict[str, str] | None = None, /, **fields: Any) -> Present:
    return present("file", "/x", unread, **{"mode": "0644"} | fields)


def step(**fields: Any) -> Present:
    return present("step", "x (s-1)", **{"state": "COMPLETED", "age": "1d", "duration": "5s"} | fields)


def tags(unread: dict[str, str] | None = None, /, **found: str) -> dict[str, Any]:
    return {"cluster": present("cluster", "cluster", unread, tags=found)}


SAME: list[str] = ["no difference"]
HASH = {"sha256": "it was not hashed: not asked for, or not a readable file"}
CASES = {
    "the same": ("user", {"ana": user()}, {"ana": user()}, SAME, 0),
    "added": ("user", {}, {"ana": user()}, ["users:", "  + ana (uid: 1003, shell: /bin/bash)", "1 added"], 1),
    "removed": ("user", {"ana": user()}, {}, ["users:", "  - ana (uid: 1003, shell: /bin/bash)", "1 removed"], 1),
    "absent and not listed are the same": ("user", {"ana": Absent()}, {}, SAME, 0),
    "changed": (
        "user", {"ana": user()}, {"ana": user(shell="/bin/zsh", uid=7)},
        ["users:", "  ~ ana", "      uid: 1003 -> 7", "      shell: /bin/bash -> /bin/zsh", "1 changed"], 1,
    ),
    "order means nothing": ("user", {"ana": user(groups=["a", "b"])}, {"ana": user(groups=["b", "a"])}, SAME, 0),
    "inside a mapping": (
        "cluster", tags(owner="me", old="x"), tags(owner="you", new="y"),
        ["cluster:", "  ~ cluster", "      tags.new: nothing -> y", "      tags.old: x -> nothing",
         "      tags.owner: me -> you", "1 changed"], 1,
    ),
    "time alone": ("step", {"x (s-1)": step()}, {"x (s-1)": step(age="2d", duration="9s")}, SAME, 0),
    "a step": (
        "step", {"x (s-1)": step()}, {"x (s-1)": step(state="FAILED")},
        ["steps:", "  ~ x (s-1)", "      state: COMPLETED -> FAILED", "1 changed"], 1,
    ),
    "a list that was cut says nothing of the rest": (
        "step", {"x (s-1)": step()}, {REST: Unreadable("only the newest 0")},
        ["steps:", "  ? after: only the newest 0", "1 not known"], 11,
    ),
    "asked for on neither side": ("file", {"/x": file(HASH)}, {"/x": file(HASH)}, SAME, 0),
    "asked for on one side": (
        "file", {"/x": file(HASH)}, {"/x": file(sha256="a" * 64)},
        ["files:", f"  ? /x: sha256: {HASH['sha256']}", "1 not known"], 11,
    ),
    "refused on both sides": (
        "cluster", tags({"masters": "AWS refuses"}), tags({"masters": "AWS refuses"}),
        ["cluster:", "  ? cluster: masters: AWS refuses", "1 not known"], 11,
    ),
    "a thing that could not be read": (
        "user", {"ana": Unreadable("no")}, {"ana": user()}, ["users:", "  ? ana: before: no", "1 not known"], 11,
    ),
    "a kind that could not be read": ("user", {}, Unreadable("no"), ["users:", "  ? after: no", "1 not known"], 11),
    "neither could": (
        "user", Unreadable("no"), Unreadable("nor"), ["users:", "  ? before: no; after: nor", "1 not known"], 11,
    ),
    "applies to neither": ("cluster", NotApplicable("no AWS"), NotApplicable("no AWS"), SAME, 0),
    "applies to one": ("cluster", NotApplicable("no AWS"), tags(), ["cluster:", "  ? before: no AWS", "1 not known"], 11),
    "nothing hides": (
        "user", {}, {"e\x1b[31m\n": user(shell="\u202e")},
        ["users:", r"  + e\x1b[31m\n (uid: 1003, shell: \u202e)", "1 added"], 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "before", "after", "wanted", "exit_code"), CASES.values(), ids=CASES)
def test_between_two_snapshots(kind: str, before: Any, after: Any, wanted: list[str], exit_code: int) -> None:
    assert told(saw(**{kind: before}), saw(**{kind: after})) == (wanted, exit_code)


def test_a_kind_in_one_snapshot_only_is_not_known() -> None:
    found, exit_code = told(saw(user={"ana": user()}), saw())

    assert found[1].startswith("  ? after: the snapshot holds no users")
    assert exit_code == 11


def test_a_difference_counts_before_what_is_not_known() -> None:
    assert told(saw(user={}, package=Unreadable("no")), saw(user={"ana": user()}, package={}))[1] == 1


USERS: dict[str, Any] = {"ana": {"shell": "/bin/bash"}, "bob": {}, "eve": {"ensure": "absent"}, "ray": {"locked": True}}
SEEN = {
    "ana": user(shell="/bin/zsh"),
    "eve": present("user", "eve", uid=9),
    "ray": present("user", "ray", {"locked": "no shadow"}, uid=8),
    "new": present("user", "new", uid=1009),
}


def test_a_snapshot_against_a_baseline_is_the_audit(tmp_path: Path) -> None:
    baseline = declare(tmp_path, users=USERS, undeclared={"user": {"policy": "report"}})

    assert told(baseline, saw(user=SEEN)) == (
        ["users:", "  + eve", "  + new (uid: 1009)", "  - bob", "  ~ ana", "      shell: /bin/bash -> /bin/zsh",
         "  ? ray: user ray: locked: no shadow", "2 added, 1 removed, 1 changed, 1 not known"], 1,
    )  # fmt: skip
    assert told(saw(user=SEEN), baseline) == (
        ["users:", "  + bob", "  - eve", "  - new (uid: 1009)", "  ~ ana", "      shell: /bin/zsh -> /bin/bash",
         "  ? ray: user ray: locked: no shadow", "1 added, 2 removed, 1 changed, 1 not known"], 1,
    )  # fmt: skip


def test_what_a_baseline_says_nothing_about_is_no_difference(tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"ana": {"uid": 1003}})

    assert told(baseline, saw(user=SEEN, package={"x": present("package", "x", requested=True)})) == (SAME, 0)


def test_a_waived_drift_is_no_difference(tmp_path: Path) -> None:
    waiver = {"control": "USER-01", "reason": "r", "owner": "o", "ticket": "t", "until": "9999-12-31"}
    baseline = declare(tmp_path, users={"ana": {"uid": 7}}, waivers={"w": waiver})

    assert told(baseline, saw(user=SEEN)) == (SAME, 0)


def test_two_baselines_are_refused(tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"ana": {"uid": 7}})

    with pytest.raises(HubspecError, match="are both baselines"):
        differences(baseline, baseline)


def test_a_file_is_known_for_what_it_is(tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"ana": {"uid": 7}})
    save(saw(user=SEEN), tmp_path / "seen.json")
    (tmp_path / "damaged.json").write_text((tmp_path / "seen.json").read_text()[:300])

    assert list(differences(opened(tmp_path / "seen.json"), saw(user=SEEN))["user"].changed) == []
    assert opened(baseline.file) == baseline
    for name, words in (("damaged.json", "no hubspec snapshot"), ("none.json", "No such file"), (".", "directory")):
        with pytest.raises(HubspecError, match=words):
            opened(tmp_path / name)


def test_as_json() -> None:
    before, after = saw(user={"ana": user()}), saw(user={"ana": user(uid=7), "new": user()}, package=Unreadable("no"))
    document = json.loads(as_json(between(before, after), NAMES))

    assert document["kinds"]["user"] == {
        "added": {"new": {"uid": 1003, "shell": "/bin/bash"}},
        "removed": {},
        "changed": {"ana": {"uid": {"before": 1003, "after": 7}}},
        "unread": {},
    }
    assert document["kinds"]["package"]["unread"].keys() == {"*"}
    assert (document["before"], document["after"]) == NAMES


TEXT = st.text(max_size=6)
VALUES = st.none() | st.integers() | TEXT | st.lists(TEXT, max_size=2) | st.dictionaries(TEXT, TEXT, max_size=2)


@st.composite
def seen(draw: st.DrawFn) -> Any:
    kind = draw(st.sampled_from(sorted(KINDS)))
    fields = st.dictionaries(st.sampled_from(KINDS[kind].resource.fields_compared()), VALUES)
    things = {name: present(kind, name, **draw(fields)) for name in draw(st.lists(TEXT, max_size=2))}
    return saw(**{kind: draw(st.just(things) | TEXT.map(Unreadable))})


@given(seen(), seen())
def test_any_two_snapshots_can_be_compared_both_ways(one: Any, other: Any) -> None:
    there, back = differences(one, other), differences(other, one)

    assert {kind: found.added for kind, found in there.items()} == {kind: found.removed for kind, found in back.items()}
    assert code(there) == code(back)
    assert not any(map(hidden, lines(there, NAMES)))
    assert json.loads(as_json(there, NAMES))["kinds"].keys() == there.keys()
    assert code(differences(one, one)) in {0, 11}


@pytest.mark.parametrize(
    ("kind", "field", "passes"),
    [
        ("step", "age", True),
        ("hub_token", "left", True),
        ("hub", "certificate_left", True),
        ("hub", "certificate_state", False),
        ("hub", "key_strength", False),
        ("cluster", "idle_timeout", False),
        ("user", "uid", False),
    ],
)
def test_what_time_alone_changes(kind: str, field: str, *, passes: bool) -> None:
    assert _passes(kind, field) is passes
