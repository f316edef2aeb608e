"""`--token-scopes`: one line a scope, of what the baseline has audited, and nothing looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.conftest import Audit
from tests.made import CONTROLS

TABLE = [
    # sections, the scopes and who needs them
    ({"users": {"diego": {}}}, {}),
    ({"hub_users": {"diego": {}}}, {"list:users": "hub_users"}),
    ({"hub_users": {"diego": {"groups": []}}}, {"list:users": "hub_users", "read:users:groups": "hub_users"}),
    ({"hub_users": {"diego": {"ensure": "absent"}}}, {"list:users": "hub_users"}),
    ({"hub": {"version": "1.5.0", "key": "RSA 2048"}, "users": {"a": {}}}, {}),
    ({"hub": {"spawner": "x"}}, {"read:hub": "hub"}),
    ({"services": {"x": {"admin": False}}}, {"list:services": "services"}),
    ({"services": {"x": {"running": True}}}, {"list:services": "services", "read:services": "services"}),
    ({"hub_groups": {"x": {"users": []}}}, {"list:groups": "hub_groups", "read:groups": "hub_groups"}),
    (
        {"users": {"a": {}}, "undeclared": {"server": {"policy": "report"}, "route": {"policy": "report"}}},
        {"list:users": "servers, routes", "read:servers": "servers, routes", "proxy": "routes"},
    ),
]


@pytest.mark.parametrize(("sections", "wanted"), TABLE, ids=range(len(TABLE)))
def test_scopes(sections: dict[str, object], wanted: dict[str, str], audit: Audit, tmp_path: Path) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(yaml.safe_dump({"accounts": "directory", "controls": CONTROLS, **sections}))
    run = audit("--cluster", "j-NOWHERE", "--baseline", str(path), "--token-scopes")

    assert run.code == 0
    assert dict(line.split(maxsplit=1) for line in run.text.splitlines()) == wanted
    assert run.records == []


def test_of_several_clusters_each_line_says_which(audit: Audit) -> None:
    run = audit("--cluster", "j-ONE", "--cluster", "j-TWO", "--token-scopes")

    assert run.code == 0
    assert {line.split(": ")[0] for line in run.text.splitlines()} == {"j-ONE", "j-TWO"}


@pytest.mark.parametrize("args", [[], ["--cluster", "nowhere"], ["--cluster", "j-A", "--baseline", "none.yaml"]])
def test_wrong_use_is_4(args: list[str], audit: Audit) -> None:
    run = audit(*args, "--token-scopes")

    assert run.code == 4
    assert "ERROR: " in run.text
