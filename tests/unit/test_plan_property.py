"""Over a model of the hub and of AWS's tags: whatever differs, a plan that is carried out leaves nothing to plan."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from hubspec import plan as plans
from hubspec.baseline import Baseline
from hubspec.check import checks, undeclared_check
from hubspec.plan import Plan
from hubspec.verdict import judge
from tests.made import WHEN, declare, present, saw

NAMES = ["diego", "ana", "o'hara", "li/na", "ü"]
GROUPS = ["analysts", "a b", "x/y"]
USER = st.fixed_dictionaries({"admin": st.booleans(), "groups": st.lists(st.sampled_from(GROUPS), unique=True)})
USERS = st.dictionaries(st.sampled_from(NAMES), USER)
DECLARED = st.dictionaries(
    st.sampled_from(NAMES),
    st.one_of(st.just({"ensure": "absent"}), st.fixed_dictionaries({}, optional={"admin": st.booleans(), "groups": st.lists(st.sampled_from(GROUPS), unique=True)})),
    min_size=1,
)  # fmt: skip
TAGS = st.dictionaries(st.sampled_from(["owner", "a=b", "c d"]), st.sampled_from(["x", "y=z", ""]))


def hub_did(users: dict[str, dict[str, Any]], request: str) -> None:
    """Do to the model what the hub does at a request (JupyterHub 1.5, users and groups)."""
    method, _, rest = request.partition(" ")
    path, _, text = rest.partition(" ")
    body = json.loads(text) if text else {}
    what, name, *more = path.removeprefix("/hub/api/").split("/")
    name = unquote(name)
    if what == "groups" and not more:
        assert method == "POST"
    elif what == "groups":
        for user in body["users"]:
            groups = users[user]["groups"]
            groups.append(name) if method == "POST" else groups.remove(name)
    elif method == "POST":
        users.setdefault(name, {"admin": False, "groups": []})["admin"] = body.get("admin", False)
    elif method == "PATCH":
        users[name] |= body
    else:
        del users[name]


def planned(baseline: Baseline, kind: str, seen: dict[str, Any]) -> Plan:
    every = [*checks(baseline, kind), *filter(None, [undeclared_check(baseline, kind)])]
    verdicts = [judge(check, baseline, saw(**{kind: seen})) for check in every]
    return plans.plan(verdicts, baseline, run="r", cluster="lab", made=WHEN)


@given(DECLARED, USERS)
def test_hub_users(wanted: dict[str, Any], users: dict[str, dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        baseline = declare(Path(folder), hub_users=wanted, undeclared={"hub_user": {"policy": "remove"}})

    def look() -> Plan:
        return planned(baseline, "hub_user", {name: present("hub_user", name, **user) for name, user in users.items()})

    first = look()
    assert {entry.action.safety for entry in first.entries} <= {"safe", "unsafe"}
    for entry in first.entries:
        hub_did(users, entry.action.request)
    assert look().entries == []


@given(
    st.dictionaries(st.sampled_from(["owner", "c d"]), st.one_of(st.none(), st.sampled_from(["x", "y=z"])), min_size=1),
    TAGS,
)
def test_tags_of_a_cluster(wanted: dict[str, str | None], tags: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        baseline = declare(Path(folder), cluster={"tags": wanted}, undeclared={"cluster": {"policy": "remove"}})

    def look() -> Plan:
        return planned(
            baseline, "cluster", {"cluster": present("cluster", "cluster", tags=dict(tags), applications={})}
        )

    for entry in look().entries:
        call, _, arguments = entry.action.request.partition(" ")
        key, _, value = arguments.partition("=")
        if call.endswith("AddTags"):
            tags[key] = value
        else:
            assert call.endswith("RemoveTags")
            del tags[arguments]
    assert look().entries == []
