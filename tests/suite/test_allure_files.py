"""allure-pytest's own `--alluredir` is left alone: it is for those whose own checks speak to Allure while they run."""

from __future__ import annotations

import json
from pathlib import Path

from snapshots import write

from tests.conftest import Audit

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


def test_what_an_own_check_tells_allure_is_where_it_was_asked_for(audit: Audit, tmp_path: Path) -> None:
    folder, told = tmp_path / "ours", tmp_path / "told"
    folder.mkdir()
    (folder / "test_desk.py").write_text(OWN)
    write(tmp_path)
    live = (
        "--cluster",
        "j-A",
        "--baseline",
        str(tmp_path / "baseline.yaml"),
        "--door",
        "docker",
        "--deadline",
        "2",
        "--alluredir",
        str(told),
    )
    run = audit(*live, "--checks", str(folder), "-m", "control", checks="checks/test_users.py")
    ours = list((run.folder / "latest" / "allure-results").glob("*-result.json"))
    theirs = [json.loads(path.read_text(encoding="utf-8")) for path in told.glob("*-container.json")]

    assert run.code == 0, run.text
    assert [json.loads(path.read_text(encoding="utf-8"))["name"] for path in ours] == ["j-A: own desk (ORG-01)"]
    assert "a desk is made ready" in {
        step["name"] for one in theirs for fixture in one["befores"] for step in fixture["steps"]
    }
