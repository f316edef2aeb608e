"""Users' own checks: what a marker may not say, which folders are theirs, and what they are without a cluster to look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from snapshots import write

from tests.conftest import Audit, Run

USERS = "checks/test_users.py"
CONTROL = '@pytest.mark.control("ORG-01", title="T", severity="low", why="W")'
SHUT: dict[str, str | None] = {
    "DOCKER_HOST": "unix:///nonexistent.sock",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def own(folder: Path, text: str, name: str = "test_users.py") -> Path:
    """Write a file of own checks, called as one of hubspec's is, and return its folder."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"import pytest\n{text}")
    return folder


FAULTS = {
    "def test_a(container): pass": 'test_users.py:2: test_a: has no control; say what it demands: @pytest.mark.control("ORG-01"',
    "@pytest.mark.control\ndef test_b(): pass": "test_b: wanted the id of the control, such as",
    CONTROL.replace("ORG-01", "USR-01")
    + "\ndef test_c(): pass": "test_c: USR-01 is already a control of kind user, in ",
    CONTROL.replace("01", "03").replace("low", "urgent")
    + "\ndef test_d(): pass": "test_d: severity: wanted low, medium, high",
    '@pytest.mark.control("ORG-04")\ndef test_e(): pass': "test_e: has no title and no severity and no why",
    f"{CONTROL}\ndef test_g(): pass\n{CONTROL}\ndef test_h(): pass": "ORG-01 is the control of several checks: ",
    f"{CONTROL}\n@pytest.mark.xfail\ndef test_i(): pass": "test_i: is marked xfail; a drift is accepted by a waiver",
    f"{CONTROL}\ndef test_j(host): pass": "test_j: host is testinfra's own and looks at this machine: take container",
    f"{CONTROL}\ndef test_k(subtests): pass": "test_k: a subtest has no record of its own",
    f"import unittest\n{CONTROL}\nclass TestL(unittest.TestCase):\n  def test_l(self): pass": "is no test function of pytest's",
}


def test_every_fault_of_every_marker_is_told_at_once(audit: Audit, tmp_path: Path) -> None:
    options = write(tmp_path)
    run = audit(*options, "--checks", str(own(tmp_path / "ours", "\n".join(FAULTS))), checks=USERS)

    assert run.code == 4
    assert [one for one in FAULTS.values() if one not in run.text] == []
    assert f"own checks have {len(FAULTS) + 1} faults:" in run.text, "one marker has two"
    assert "Traceback" not in run.text
    assert run.records == []


def test_a_folder_that_cannot_be_meant(audit: Audit, tmp_path: Path) -> None:
    for folder, sentence in (
        ("no-such", "no-such: there is no such folder"),
        (".", "is, or holds, hubspec's own checks"),
    ):
        run = audit(*write(tmp_path), "--checks", folder, checks=USERS)
        assert run.code == 4
        assert sentence in run.text


def test_without_a_cluster_it_is_asked_for_one(audit: Audit, tmp_path: Path) -> None:
    run = audit(
        "--checks", str(own(tmp_path / "ours", f"{CONTROL}\ndef test_a(): pass")), "-m", "control", checks=USERS
    )

    assert run.code == 4
    assert "which cluster? Give --cluster lab" in run.text


def test_the_environment_names_folders_too_and_a_snapshot_has_no_meaning_for_them(audit: Audit, tmp_path: Path) -> None:
    ours = own(tmp_path / "ours", f"{CONTROL}\ndef test_a(container): pass")
    more = own(tmp_path / "more", CONTROL.replace("01", "02") + "\ndef test_b(master): pass")
    run = audit(*write(tmp_path), checks=USERS, env={"HUBSPEC_CHECKS": f"{ours},{more / 'test_users.py'}"})

    assert run.code == 0
    assert run.outcomes("user") == {"compliant": 4}
    assert run.outcomes("own") == {"not applicable": 2}
    assert {record["control"] for record in run.records if record["check"] == "own"} == {"ORG-01", "ORG-02"}


@pytest.fixture
def shut(audit: Audit, tmp_path: Path) -> Run:
    """Run checks of every sort on a cluster behind doors that are all shut."""
    text = f"""
{CONTROL}
def test_a(container):
    assert container.user("root").exists

{CONTROL.replace("01", "02")}
def test_b(master):
    assert master.user("root").exists

{CONTROL.replace("01", "03")}
@pytest.mark.parametrize("port", [1, 2])
def test_c(port, cluster):
    assert port == 1, f"{{cluster}}: password=hunter2 \\x1b[2J<script>"

class TestD:
    pytestmark = {CONTROL.replace("@", "").replace("01", "04")}

    def test_e(self): pass
    @pytest.mark.parametrize("x", ["y"])
    def test_f(self, x): None.nothing
    def test_g(self): pytest.skip("not here")
    def test_h(self): pytest.fail("no")
    def test_i(self): pytest.xfail("perhaps")
"""
    write(tmp_path)
    options = ("--baseline", str(tmp_path / "baseline.yaml"), "--cluster", "j-A", "--door", "docker", "--deadline", "2")
    return audit(*options, "--checks", str(own(tmp_path / "ours", text)), "-m", "control", checks=USERS, env=SHUT)


def test_what_a_check_found_is_first_class_in_every_report(shut: Run) -> None:
    found = {(record["control"], record["resource"]): record for record in shut.records}
    latest = shut.folder / "latest"
    page, junit = ((latest / name).read_text() for name in ("report.html", "junit.xml"))

    assert {key: record["outcome"] for key, record in found.items()} == {
        ("ORG-01", "a"): "unreadable",
        ("ORG-02", "b"): "unreadable",
        ("ORG-03", "1"): "compliant",
        ("ORG-03", "2"): "drifted",
        ("ORG-04", "e"): "compliant",
        ("ORG-04", "f[y]"): "unreadable",
        ("ORG-04", "g"): "not applicable",
        ("ORG-04", "h"): "drifted",
        ("ORG-04", "i"): "unreadable",
    }
    assert shut.code == 1
    assert "no Docker engine answers" in found["ORG-01", "a"]["message"]
    assert "give --door ssh" in found["ORG-02", "b"]["message"]
    assert "ended with an error in test_users.py:" in found["ORG-04", "f[y]"]["message"]
    assert found["ORG-03", "2"]["differences"] == [
        {"field": "assertion", "wanted": "T", "found": "j-A: password=*** \x1b[2J<script>"}
    ]
    for text in (shut.text, page, junit, "".join(path.read_text() for path in (latest / "allure-results").iterdir())):
        assert "hunter2" not in text
        assert "ORG-03" in text
    assert "\x1b" not in shut.text + page + junit
    assert 'name="j-A.own"' in junit
    assert "2 failed" in shut.text
    assert "4 errors" in shut.text


def test_a_waiver_of_an_own_check_stands_in_a_file_apart(audit: Audit, tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "waivers.yaml").write_text(
        'waivers:\n  w1: {control: ORG-01, resource: a, reason: agreed, owner: ana, ticket: T-1, until: "2099-12-31"}\n'
    )
    text = f"pytestmark = {CONTROL[1:]}\ndef test_a(): assert not 1\ndef test_b(): assert not 2"
    options = (
        "--baseline",
        str(tmp_path / "baseline.yaml"),
        "--waivers",
        str(tmp_path / "waivers.yaml"),
        "--cluster",
        "j-A",
    )
    run = audit(*options, "--checks", str(own(tmp_path / "ours", text)), "-m", "control", checks=USERS, env=SHUT)

    assert {record["resource"]: record["outcome"] for record in run.records} == {"a": "waived", "b": "drifted"}
    assert run.code == 1


def test_several_clusters_are_checked_each_by_workers_of_xdist_too(audit: Audit, tmp_path: Path) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is the user's choice: pip install pytest-xdist")
    write(tmp_path)
    text = f"""{CONTROL}
@pytest.mark.parametrize("x", [1, 2])
def test_a(x, cluster):
    if x == 2: pytest.skip("not here")

{CONTROL.replace("01", "02")}
def test_b(container):
    assert container.user("root").exists"""
    clusters = ("ssh://x@127.0.0.1:1", "ssh://x@127.0.0.1:2")
    options = ("--baseline", str(tmp_path / "baseline.yaml"), "--cluster", clusters[0], "--cluster", clusters[1])
    more = ("--checks", str(own(tmp_path / "ours", text)), "-m", "control", "-n", "2")
    run = audit(*options, *more, checks=USERS, env=SHUT)

    assert {(record["cluster"], record["resource"]): record["outcome"] for record in run.records} == {
        (cluster, resource): outcome
        for cluster in clusters
        for resource, outcome in (("1", "compliant"), ("2", "not applicable"), ("b", "unreadable"))
    }
    assert run.code == 11


def test_a_fixture_outside_of_these_folders_says_so(audit: Audit, tmp_path: Path) -> None:
    (tmp_path / "test_elsewhere.py").write_text("def test_a(container): pass\n")
    run = audit(*write(tmp_path), str(tmp_path / "test_elsewhere.py"), checks=USERS)

    assert "container and master are for checks in checks/local, or in a folder that --checks names" in run.text
