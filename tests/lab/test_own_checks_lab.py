"""The example of docs/own-checks.md on the lab, through docker and ssh: compliant, drifted where the lab is broken, unreadable."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from lab import inside
from lab.breaks.model import Scene
from lab.model import HUB
from tests.conftest import ROOT, Audit

MORE = """
import pytest


@pytest.mark.control("ORG-11", title="Somebody is there", severity="low", why="Nobody would be.")
def test_somebody(container):
    assert container.user("nobody-at-all").exists, "nobody-at-all is not there"


@pytest.mark.control("ORG-12", title="An answer in time", severity="critical", why="Who waits, waits.")
def test_in_time(master):
    assert master.run("sleep 30", timeout=0.3).succeeded


@pytest.fixture(scope="module")
def people(container):
    return container.check_output("getent passwd").splitlines()


@pytest.mark.control("ORG-13", title="Root is there", severity="low", why="Everything is root's.")
def test_root(people, master):
    assert people[0].startswith("root:")
    with master.sudo():
        assert master.user().name == "root"
"""
COMPLIANT = {"key": "compliant", "node": "compliant", "configurable-http-proxy": "compliant", "room": "compliant"}
MORE_FOUND = {"somebody": "drifted", "in_time": "unreadable", "root": "compliant"}


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """Give a folder with the example and some more."""
    page = (ROOT / "docs" / "own-checks.md").read_text()
    example = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert example
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "test_own.py").write_text(example[1])
    (folder / "test_more.py").write_text(MORE)
    return folder


def test_a_users_own_checks_are_first_class_through_every_door(on: Scene, audit: Audit, ours: Path) -> None:
    whole = audit("--cluster", "lab", "--checks", str(ours), "-k", "own or ours or test_more or diego", into="docker")
    inside.must(on.client, HUB, "chmod 644 /etc/jupyter/conf/server.key")
    try:
        options = ("--cluster", "lab", "--door", "ssh", "--checks", str(ours), "-m", "control")
        broken = audit(*options, into="ssh")
    finally:
        inside.must(on.client, HUB, "chmod 600 /etc/jupyter/conf/server.key")
    mine = [record for record in whole.records if record["check"] == "own"]
    page, junit = ((whole.folder / "latest" / name).read_text() for name in ("report.html", "junit.xml"))

    assert {one["resource"]: one["outcome"] for one in mine} == COMPLIANT | MORE_FOUND
    assert {one["resource"]: one["outcome"] for one in broken.records} == COMPLIANT | MORE_FOUND | {"key": "drifted"}
    assert whole.code == broken.code == 1
    assert whole.outcomes("user"), "hubspec's own checks are there too"
    for control in ("ORG-01", "ORG-02", "ORG-03", "ORG-11", "ORG-12"):
        assert f"<code>{control}</code>" in page
        assert f'name="control" value="{control}"' in junit
    drift = next(one for one in broken.records if one["resource"] == "key")
    assert drift["differences"][0]["found"] == "its mode is 0644"
    assert drift["actions"][0]["command"] == "sudo docker exec -it jupyterhub chmod 600 /etc/jupyter/conf/server.key"
    assert drift["door"] == "ssh"
    assert drift["evidence"].startswith("ssh hadoop@localhost docker exec -i jupyterhub sh: stat ")
    late = next(one for one in broken.records if one["resource"] == "in_time")
    assert re.fullmatch(
        r"sleep 30 did not end within 0.3 s \(ssh .*\), and was ended with all that it started", late["message"]
    )


def test_local_checks_are_collected_with_hubspecs(audit: Audit) -> None:
    """Here, where no other audit of the whole folder runs beside it."""
    local, id_ = ROOT / "checks" / "local", f"SUITE-{os.getpid()}"
    there, file = local.exists(), local / f"test_suite_{os.getpid()}.py"
    local.mkdir(exist_ok=True)
    control = f'@pytest.mark.control("{id_}", title="T", severity="low", why="W")'
    file.write_text(f"import pytest\n{control}\ndef test_a(): pass\n", encoding="utf-8")
    sample = ("--snapshot", f"{ROOT}/reports/sample/snapshot.json", "--baseline", f"{ROOT}/baselines/lab.yaml")
    try:
        run = audit(*sample, "-k", "test_a", checks="checks")
    finally:
        file.unlink()
        if not there:
            shutil.rmtree(local)

    assert {record["control"] for record in run.records} >= {id_}
