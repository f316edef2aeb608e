"""The tables of the file of settings count for what was saved too: by the id of its cluster, and by its name and tags where the snapshot has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from snapshots import user, write

from tests import fleets
from tests.conftest import Audit, Run

USERS = "checks/test_users.py"
LENIENT = """\
extends: baseline.yaml
users: {diego: {uid: 7}}
"""
HOW: dict[str, Any] = {"door": "aws", "evidence": "AWS API", "started": "2026-01-02T03:04:05+00:00", "took": 0.1}


def told(called: str = "", **tags: str) -> dict[str, Any]:
    """Return what a snapshot has beside its users, where it was looked up how the cluster is called and tagged."""
    present = {"cluster": {"present": {"state": "WAITING", "tags": tags}}}
    return {"called": called, "kinds": {"cluster": HOW | {"seen": present}} if tags else {}}


MATCHES = [
    # whom the table is for, what the snapshot holds, the exit code: 0 by the table's baseline, 1 by the other, 4 where nobody knows
    ("j-S*", told(), 0),
    ("tag:team=ml", told(team="ops"), 1),
    ("name:staging-*", told(), 4),
]


@pytest.mark.parametrize(("match", "holds", "code"), MATCHES)
def test_a_table_is_for_what_was_saved(
    audit: Audit, tmp_path: Path, match: str, holds: dict[str, Any], code: int
) -> None:
    run = _audited(audit, tmp_path, f'[[clusters]]\nmatch = "{match}"\nbaseline = "lenient.yaml"\n', holds)
    assert run.code == code, run.text
    assert ("settings of j-SNAP: baseline (nightly.toml, " in run.text) == (code == 0)
    if code == 4:
        lacks = match.partition(":")[0]
        assert f"--snapshot: whether the settings of nightly.toml, {match} are for j-SNAP is not known" in run.text
        assert f"holds no {lacks} of it: give --baseline" in run.text


def _audited(audit: Audit, folder: Path, tables: str, holds: dict[str, Any]) -> Run:
    """Audit a snapshot in which diego drifts by the baseline of all, and by that of the table does not."""
    write(folder, diego=user(7))
    (folder / "lenient.yaml").write_text(LENIENT)
    document = json.loads((folder / "snapshot.json").read_text())
    document["kinds"] |= holds["kinds"]
    (folder / "snapshot.json").write_text(json.dumps(document | {"called": holds["called"]}))
    (folder / "nightly.toml").write_text(f'snapshot = "snapshot.json"\nbaseline = "baseline.yaml"\n{tables}')
    return audit("--hubspec-config", str(folder / "nightly.toml"), checks=USERS)


def test_a_fleet_of_snapshots_has_them_too(tmp_path: Path) -> None:
    saved = fleets.saved(tmp_path, 2, 0, 1)[2:]
    (tmp_path / "lenient.yaml").write_text("extends: baseline.yaml\nusers: {ana: {uid: 7}}\n")
    toml = tmp_path / "nightly.toml"
    toml.write_text('baseline = "baseline.yaml"\n[[clusters]]\nmatch = "j-F001"\nbaseline = "lenient.yaml"\n')
    config = ("--hubspec-config", str(toml), "--report", "csv")
    plain = ("--", USERS, "-p", "no:hypothesispytest")
    run = fleets.ended(fleets.begin(tmp_path / "r", *saved, *config, *plain), tmp_path / "r")
    drifted = {record["cluster"] for record in run.records if record["outcome"] == "drifted"}
    assert (run.code, drifted) == (1, {"j-F000"}), run.text
    assert "settings of j-F001: baseline (nightly.toml, j-F001)" in run.text
