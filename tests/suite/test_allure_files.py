"""Allure's files are written by us in allure-pytest's place: the same content, without a file that says nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from snapshots import write

from tests.conftest import Audit

USERS = "checks/test_users.py"
OWN = """
import allure
import pytest

@pytest.fixture
def desk():
    with allure.step("a desk is made ready"):
        yield "oak"

@pytest.mark.control("ORG-01", title="T", severity="low", why="W")
@allure.story("furniture")
def test_desk(desk):
    assert desk == "oak"
"""


def test_the_results_and_only_the_fixtures_that_say_something(audit: Audit, tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "test_desk.py").write_text(OWN)
    snapshot = write(tmp_path)
    plain = audit(*snapshot, "--report", "allure", checks=USERS)
    assert _read(plain.folder, "container") == []
    results = _read(plain.folder, "result")
    assert len(results) == len(plain.records) > 1
    assert len({one["uuid"] for one in results}) == len(results)
    for one in results:
        labels = {(label["name"], label["value"]) for label in one["labels"]}
        assert {("kind", "user"), ("feature", "user"), ("framework", "pytest"), ("suite", "test_users")} <= labels
        assert one["status"] == "passed"
        assert one["stop"] >= one["start"] > 0

    live = ("--cluster", "j-A", "--baseline", str(tmp_path / "baseline.yaml"), "--door", "docker", "--deadline", "2")
    shut = {"DOCKER_HOST": "unix:///nonexistent.sock"}
    whole = audit(*live, "--report", "allure", "--checks", str(folder), "-m", "control", checks=USERS, env=shut)
    assert "desk" in {before["name"] for one in _read(whole.folder, "container") for before in one["befores"]}
    mine = [one for one in _read(whole.folder, "result") if one["fullName"].endswith("test_desk")]
    assert [label["value"] for label in mine[0]["labels"] if label["name"] == "story"] == ["furniture"]


def _read(folder: Path, sort: str) -> list[dict[str, Any]]:
    paths = (folder / "latest" / "allure-results").glob(f"*-{sort}.json")
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]
