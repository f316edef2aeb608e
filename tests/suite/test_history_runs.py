"""One run after the other, as a user sees them: what changed, which exit code, and a history that is damaged or shared."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from snapshots import user, write

from tests.conftest import Audit, Run

USERS = "checks/test_users.py"


class Nights:
    """Audits of one cluster, night after night, over one history."""

    def __init__(self, audit: Audit, folder: Path) -> None:
        self.audit, self.folder, self.night = audit, folder, 0
        self.history = folder / "history"

    def __call__(self, *options: str, env: dict[str, str] | None = None, **users: Any) -> Run:
        self.night += 1
        snapshot = write(self.folder, **users)
        path = self.folder / "snapshot.json"
        document = json.loads(path.read_text())
        document["kinds"]["user"]["started"] = f"2026-01-{self.night:02}T03:00:00+00:00"
        path.write_text(json.dumps(document))
        return self.audit(*snapshot, "--history", str(self.history), *options, checks=USERS, env=env)


@pytest.fixture
def nights(audit: Audit, tmp_path: Path) -> Nights:
    return Nights(audit, tmp_path)


def changes(run: Run) -> dict[str, str]:
    return {f"{one['resource']} {one['control']}": one["change"] for one in run.records if one["change"]}


def test_new_still_fixed_regressed(nights: Nights) -> None:
    first = nights(diego=user(7))
    assert changes(first) == {"diego USR-01": "new"}
    assert "changes: 1 new; there is no earlier run to compare with" in first.text

    second = nights(diego=user(7), ana=user(8))
    assert changes(second) == {"diego USR-01": "still", "ana USR-01": "new"}
    assert re.search("changes: 1 new, 1 still since run [0-9a-f]{8} of 2026-01-01 03:00:00 UTC", second.text)

    alone = nights("-k", "ana", diego=user(1001), ana=user(8))
    assert changes(alone) == {"ana USR-01": "still"}, "what nobody looked at is neither new nor fixed"

    fourth = nights(ana=user(8))
    assert changes(fourth) == {"diego USR-01": "fixed", "ana USR-01": "still"}
    assert next(one for one in fourth.records if one["change"] == "still")["since"] == "2026-01-02T03:00:00Z"

    fifth = nights(diego=user(7))
    assert changes(fifth) == {"diego USR-01": "regressed", "ana USR-01": "fixed"}
    assert len(list(nights.history.iterdir())) == 5


GATE = [
    # --fail-on, the second night's users, exit code
    ("any", {"diego": user(7)}, 1),
    ("new", {"diego": user(7)}, 0),
    ("new", {"diego": user(7), "ana": user(8)}, 1),
    ("high", {"diego": user(7)}, 1),
    ("critical", {"diego": user(7)}, 0),
    ("critical", {"mallory": user(1666)}, 1),
]


@pytest.mark.parametrize(("gate", "users", "code"), GATE)
def test_the_gate_decides_on_the_exit_code_and_hides_nothing(
    nights: Nights, gate: str, users: dict[str, Any], code: int
) -> None:
    nights(diego=user(7))
    run = nights(env={"HUBSPEC_FAIL_ON": gate}, **users)
    assert run.code == code
    assert "1 failed" in run.text or "2 failed" in run.text
    if code == 0:
        assert f"--fail-on {gate}: 1 drift did not fail this run" in run.text
    assert any(one["outcome"] == "drifted" for one in run.records)


def test_a_first_run_has_nothing_but_what_is_new(nights: Nights) -> None:
    assert nights("--fail-on", "new", diego=user(7)).code == 1


def test_what_could_not_be_looked_at_keeps_its_code_whatever_the_gate(nights: Nights) -> None:
    locked = user(7) | {"unread": {"locked": "no shadow"}}
    run = nights("--fail-on", "critical", diego=locked)
    assert run.outcomes() == {"compliant": 2, "drifted": 1, "unreadable": 1}
    assert run.code == 11


def test_a_run_that_was_cut_short_does_not_pass_the_gate(nights: Nights) -> None:
    assert nights("--fail-on", "critical", "-x", diego=user(7), mallory=user(1666)).code == 1


def test_a_damaged_history_costs_its_run_and_not_the_report(nights: Nights) -> None:
    nights(diego=user(7))
    (file,) = nights.history.iterdir()
    file.write_bytes(file.read_bytes()[:40])
    run = nights(diego=user(7))
    assert run.code == 1
    assert f"notice: history: {file.name} is left out: " in run.text
    assert changes(run) == {"diego USR-01": "new"}
    assert (run.folder / "latest" / "report.html").exists()


def test_a_place_that_cannot_be_read_fails_on_whatever_drifts(audit: Audit, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = str(tmp_path / "file" / "history")
    run = audit(*write(tmp_path, diego=user(7)), "--history", place, "--fail-on", "new", checks=USERS)
    assert run.code == 1
    assert "so nothing was compared with it" in run.text
    assert "this run is not in it" in run.text
    assert changes(run) == {}


def test_a_saved_snapshot_is_no_new_look(audit: Audit, tmp_path: Path) -> None:
    run = audit(*write(tmp_path, diego=user(7)), checks=USERS)
    assert not (run.folder / "history").exists()
    assert "changes:" not in run.text
    assert {one["change"] for one in run.records} == {None}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fail-on", "severe"], "--fail-on: wanted any, new, low, medium, high or critical, found 'severe'"),
        (["--fail-on", "new", "--history", "none"], "--fail-on new: what is new is known by the history alone"),
        (["--history", "s3://"], "--history: wanted a folder, s3://BUCKET/PREFIX/ or none"),
        (["--history-keep", "-3"], "--history-keep: wanted a number of runs"),
    ],
)
def test_wrong_use(audit: Audit, tmp_path: Path, options: list[str], said: str) -> None:
    run = audit(*write(tmp_path), *options, checks=USERS)
    assert run.code == 4
    assert said in run.text


def test_retention(nights: Nights) -> None:
    for _ in range(4):
        nights("--history-keep", "2")
    assert len(list(nights.history.iterdir())) == 2


def test_workers_of_xdist_leave_one_file(nights: Nights) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is the user's choice: pip install pytest-xdist")
    nights(diego=user(7))
    run = nights("-n", "2", "--fail-on", "new", diego=user(7))
    assert run.code == 0
    assert changes(run) == {"diego USR-01": "still"}
    assert len(list(nights.history.iterdir())) == 2
