"""The script made from a baseline, run on the lab as a cluster runs it at its launch, and then as hadoop by hand."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emr
import pytest

import lab
from hubspec import token_probe
from lab import breaks, inside
from lab.breaks import aws
from lab.breaks.model import Scene
from lab.model import HUB, MASTER
from tests.conftest import ROOT, Audit

MADE = {"user", "package", "file", "hub_user", "container"}
HOSTILE = ["$(touch pwned)", "`touch pwned`", "a;touch pwned", "'x", '"x', "x y", "%s", "END", "é"]


@pytest.fixture
def recreated(on: Scene) -> Iterator[Scene]:
    """Give the lab with a hub container that was made anew; afterwards it is as declared."""
    lab.up(print)
    try:
        breaks.apply("recreated")
        yield on
    finally:
        breaks.mend("recreated")


def write(*args: Any) -> str:
    """Return what `python -m hubspec script` writes."""
    command = [sys.executable, "-m", "hubspec", "script", *map(str, args)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def as_hadoop(on: Scene, script: str) -> tuple[int, list[str]]:
    """Run a script on the master node; return its exit code, and its lines."""
    path = "/tmp/hubspec-test-script.sh"
    inside.must(on.client, MASTER, f"cat > {path}; chmod 755 {path}", stdin=script)
    done = inside.run(on.client, MASTER, f"cd / && sudo -u hadoop sh {path}; code=$?; rm -f {path}; exit $code")
    assert done.err == ""
    return done.code, done.out.splitlines()


def words(lines: list[str]) -> dict[str, list[str]]:
    """Return word -> what it is about, of ok, changed and failed."""
    told: dict[str, list[str]] = {"ok": [], "changed": [], "failed": []}
    for line in lines:
        word, _, about = line.partition(" ")
        assert word in told, lines
        told[word].append(about.strip())
    return told


def tokens(on: Scene) -> list[int]:
    """Return the numbers of the hub's tokens, from its database: its API may leave out what a command made."""
    return [row[0] for row in json.loads(inside.must(on.client, HUB, token_probe.script()))["tokens"]]


def log(on: Scene, cluster: str) -> str:
    """Return what the only step of a cluster printed, once that is in S3."""
    deadline = time.monotonic() + 30
    while not (keys := [key for key in emr.logs(on, cluster) if key.endswith("/stdout.gz")]):
        assert time.monotonic() < deadline, "no log came"
        time.sleep(0.2)
    body = aws.client(on, "s3").get_object(Bucket=emr.LOGS, Key=keys[0])["Body"].read()
    return gzip.decompress(body).decode()


def test_a_new_container_is_as_declared_after_the_launch_step(recreated: Scene, audit: Audit) -> None:
    script, before = write("baselines/lab.yaml"), tokens(recreated)
    uri = emr.put(recreated, "hubspec-launch.sh", script)
    with emr.cluster(recreated, emr.step("bring the hub to its baseline", uri, jar=emr.SCRIPT_RUNNER)) as cluster:
        state = aws.client(recreated, "emr").list_steps(ClusterId=cluster)["Steps"][0]["Status"]["State"]
        first = words(log(recreated, cluster).splitlines())
    run = audit("--cluster", "lab")

    assert state == "COMPLETED"
    assert first["failed"] == []
    assert {
        "user diego",
        "user ana",
        "package keras",
        "package pip:tabulate",
        "package analysis/toolz",
        "kernel analysis",
    } <= set(first["changed"])
    assert {"container jupyterhub", "hub_user jovyan", "hub_user diego"} <= set(first["ok"])
    assert run.code == 0, run.text

    code, lines = as_hadoop(recreated, script)
    again = words(lines)
    assert (code, again["changed"], again["failed"]) == (0, [], [])
    assert sorted(again["ok"]) == sorted(first["ok"] + first["changed"])
    assert tokens(recreated) == before, "the tokens that the script made are deleted again"
    assert inside.must(recreated.client, HUB, "ls -d /run/hubspec-hub.* 2>/dev/null || true") == ""


def test_a_plan_becomes_a_script_too(on: Scene, audit: Audit) -> None:
    lab.up(print)
    try:
        for name in ("diego-missing", "config-mode", "hub-diego-missing"):
            breaks.apply(name)
        planned = audit("--cluster", "lab", "--remediate=plan")
        code, lines = as_hadoop(on, write(planned.folder / "latest" / "plan.json"))
        run = audit("--cluster", "lab")
    finally:
        for name in ("diego-missing", "config-mode", "hub-diego-missing"):
            breaks.mend(name)

    config = "file /etc/jupyter/conf/jupyterhub_config.py"
    told = {"ok": ["hub_group analysts"], "changed": ["user diego", config, "hub_user diego"], "failed": []}
    assert (code, words(lines)) == (0, told), "the group is as declared once diego is back"
    assert run.code == 0, run.text


def test_contents_and_hostile_names_arrive_and_one_failure_does_not_hide(on: Scene, tmp_path: Path) -> None:
    lab.up(print)
    folder, content = "/tmp/hubspec-script", b"\x00\xff'END'\nEND\n$(touch pwned)"
    (tmp_path / "source").write_bytes(content)
    files = {f"{folder}/{name}": {"source": "source", "mode": "0600", "owner": "jovyan"} for name in HOSTILE}
    document = {
        "extends": str(ROOT / "baselines" / "emr.yaml"),
        "files": {folder: {"type": "directory"}, **files, "/gone/away": {"mode": "0600"}},
        "users": {"jovyan": {"uid": 4711}},
    }
    (tmp_path / "hostile.yaml").write_text(json.dumps(document))
    script = write(tmp_path / "hostile.yaml")
    try:
        runs = [as_hadoop(on, script) for _ in range(2)]
        read = f"cd {folder} && sha256sum -z -- * | tr '\\0' '\\n' | cut -c1-64 | sort -u; ls -A | wc -l; ls -d /pwned ~/pwned; true"
        found = inside.must(on.client, HUB, read).split()
    finally:
        inside.must(on.client, HUB, f"rm -rf {folder}")

    told = [[line for line in lines if line.startswith(("ok", "changed", "failed"))] for _, lines in runs]
    assert [code for code, _ in runs] == [1, 1]
    assert [line for line in told[1] if line.startswith("changed")] == []
    for lines in told:
        assert [line for line in lines if line.startswith("failed")] == [
            "failed  user jovyan",
            "failed  file /gone/away",
        ]
    assert len([line for line in told[0] if line.startswith("changed")]) == 1 + len(HOSTILE)
    assert len(found) == 2
    assert found[1] == str(len(HOSTILE))
