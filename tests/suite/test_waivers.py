"""Waivers in a file of their own, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from snapshots import user, write

from tests.conftest import Audit

USERS = "checks/test_users.py"
FILE = """\
waivers:
  w1: {{control: USR-01, resource: "die*", reason: agreed, owner: ana, ticket: T-1, until: "{until}"}}
  w2: {{control: USR-01, resource: ana, reason: once, owner: bo, ticket: T-2, until: "2099-12-31"}}
  w3: {{control: USR-01, resource: gone, reason: once, owner: bo, ticket: T-3, until: "2099-12-31"}}
  w4: {{control: USR-01, cluster: other, reason: once, owner: bo, ticket: T-4, until: "2001-01-01"}}
  w5: {{control: USR-09, reason: later, owner: bo, ticket: T-5, from: "2099-01-01", until: "2099-12-31"}}
"""


@pytest.mark.parametrize(("until", "code", "outcome"), [("2099-12-31", 0, "waived"), ("2020-01-01", 1, "drifted")])
def test_a_file_of_waivers(audit: Audit, tmp_path: Path, until: str, code: int, outcome: str) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(FILE.format(until=until))
    run = audit(*write(tmp_path, diego=user(1007)), checks=USERS, env={"HUBSPEC_WAIVERS": str(file)})

    diego = next(one for one in run.records if (one["resource"], one["control"]) == ("diego", "USR-01"))
    assert (run.code, diego["outcome"]) == (code, outcome)
    assert diego["before"]["uid"] == 1007
    assert f"{file}:3: waiver w2 of bo (T-2) is not needed on j-SNAP" in run.text
    assert f"{file}:4: waiver w3 of bo (T-3) matches no check of j-SNAP: take it out" in run.text
    assert "waiver w4" not in run.text
    assert f"{file}:6: waiver w5 of bo (T-5) begins on 2099-01-01: until then its drift counts" in run.text
    page = (run.folder / "latest" / "report.html").read_text()
    if code:
        assert "user diego differs in uid; waiver w1 of ana (T-1) expired on 2020-01-01" in run.text
        assert f"{file}:2: waiver w1 of ana (T-1) expired on 2020-01-01: its drift counts again" in run.text
    else:
        assert diego["waiver"]["ticket"] == "T-1"
    assert "matches no check of j-SNAP" in page


def test_what_was_left_out_is_no_orphan_and_not_unneeded(audit: Audit, tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(FILE.format(until="2099-12-31"))
    run = audit(*write(tmp_path), "-k", "diego", "--waivers", str(file), checks=USERS)

    assert run.code == 0
    assert "waiver w2" not in run.text
    assert "waiver w1 of ana (T-1) is not needed" in run.text


def test_what_could_not_be_looked_at_is_not_waived(audit: Audit, tmp_path: Path) -> None:
    options = write(tmp_path)
    path = tmp_path / "snapshot.json"
    document = json.loads(path.read_text())
    del document["kinds"]["user"]["seen"]
    document["kinds"]["user"]["unreadable"] = "the container is paused"
    path.write_text(json.dumps(document))
    (tmp_path / "waivers.yaml").write_text(FILE.format(until="2099-12-31"))
    run = audit(*options, "--waivers", str(tmp_path / "waivers.yaml"), checks=USERS)

    assert run.code == 11
    assert set(run.outcomes()) == {"unreadable"}


def test_faults_of_the_file_are_wrong_use(audit: Audit, tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text("waivers:\n  w1: {control: USR-01, owner: a, ticket: t, until: '2099-01-01'}\n  w2: []\n")
    run = audit(*write(tmp_path), "--waivers", str(file), checks=USERS)

    assert run.code == 4
    assert f"{file}:2: waivers.w1: 'reason' is missing" in run.text
    assert f"{file}:3: waivers.w2: wanted a mapping" in run.text
    assert run.records == []


def test_a_password_in_the_address_of_a_ticket_is_in_no_report(audit: Audit, tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    ticket = "https://ana:c4n4ry@tickets.example/1"
    file.write_text(
        f"waivers:\n  w: {{control: USR-01, reason: 'token=c4n4ry', owner: ana, ticket: '{ticket}', until: '2099-12-31'}}\n"
    )
    run = audit(*write(tmp_path, diego=user(1007)), "--waivers", str(file), "--report", "all", checks=USERS)

    assert run.outcomes()["waived"] == 1
    assert "https://ana:***@tickets.example/1" in (run.folder / "latest" / "records.csv").read_text()
    left = [path for path in run.folder.rglob("*") if path.is_file() and b"c4n4ry" in path.read_bytes()]
    assert (left, "c4n4ry" in run.text) == ([], False)
