"""Whatever a container, a hub or AWS answers: observations, or an error that collect turns into 'unreadable'."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubspec.collect import _parse
from hubspec.kinds import KINDS
from hubspec.model import Absent, Present, Unreadable

TEXT_KINDS = [kind for kind in KINDS.values() if kind.door == "container"]
JSON_KINDS = [kind for kind in KINDS.values() if kind.door != "container"]
LINES = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.builds(
            "{}:{}".format,
            st.sampled_from("pgsdmfwhclex"),
            st.lists(
                st.sampled_from(["a", "0", "1", "x-1-0", "x.json", '"channel"', "/x", "", "\t", "  "])
                | st.text(max_size=3)
            ).map(":".join),
        ),
    )
).map("\n".join)
KEYS = st.sampled_from([
    "inspect", "others", "text", "HostConfig", "Config", "Image", "State", "Running", "Privileged", "Mounts", "Name",
    "PortBindings", "HostPort", "Destination", "Source", "Status", "Applications", "Version", "Tags", "Key", "Value",
    "LogUri", "name", "admin", "groups", "RestartPolicy", "DescribeCluster", "ListSteps", "Steps", "Id", "Now", "State",
])  # fmt: skip
ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


def well_formed(kind: Any, seen: Any) -> bool:
    fields = set(kind.resource.fields_compared())
    return all(
        isinstance(one, Absent | Unreadable)
        or (isinstance(one, Present) and one.resource.name == name and set(one.resource.stated()) <= fields)
        for name, one in seen.items()
    )


@pytest.mark.parametrize("kind", TEXT_KINDS, ids=lambda kind: kind.name)
@given(text=st.text() | LINES)
@example(text="0")
@example(text="{}")
def test_any_text_is_observations_or_a_fault_of_the_text(kind: Any, text: str) -> None:
    try:
        seen = kind.parse(text)
    except (ValueError, LookupError, TypeError):  # what is JSON, and not the probe's; it is unreadable below
        seen = {}
    assert well_formed(kind, seen)
    assert isinstance(kind.undeclared({}, seen, kind.policy(policy="report")), dict)
    assert isinstance(_parse(kind, text), dict | Unreadable)


@pytest.mark.parametrize("kind", JSON_KINDS, ids=lambda kind: kind.name)
@given(answer=ANSWERS)
def test_any_json_is_observations_or_unreadable(kind: Any, answer: Any) -> None:
    seen = _parse(kind, answer)
    assert isinstance(seen, Unreadable) or well_formed(kind, seen)


@pytest.mark.parametrize("kind", TEXT_KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("mark", ["p:", "c:", "f:", "d:1:pip:", "e:", ""])
def test_ten_million_characters_in_one_line(kind: Any, mark: str) -> None:
    assert isinstance(_parse(kind, mark + "x" * 10_000_000 + "\n"), dict | Unreadable)
