"""A baseline of the lab as it is, from its live doors: the next audit is compliant, and the first drift after it shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lab
from lab import breaks
from tests.conftest import ROOT, Audit


@pytest.fixture(scope="module")
def here() -> lab.Lab:
    """Give the lab, up."""
    return lab.up(print)


def hubspec(here: lab.Lab, *args: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HUBSPEC_", "AWS_"))}
    return subprocess.run(
        [sys.executable, "-m", "hubspec", *args], cwd=ROOT, env=clean | here.env,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_the_next_audit_is_compliant_and_the_first_drift_shows(here: lab.Lab, audit: Audit, tmp_path: Path) -> None:
    made, before, after = tmp_path / "deep" / "made.yaml", tmp_path / "before.json", tmp_path / "after.json"

    done = hubspec(here, "init", "--cluster", here.cluster_id, "-o", str(made))
    assert done.returncode == 0, done.stderr
    assert "read in" in done.stderr
    assert "2 container exec" in done.stderr, "two looks, however many accounts and files there are"

    words = ("--cluster", here.cluster_id, "--baseline", str(made), "--save-snapshot")
    run = audit(*words, str(before), env=dict(here.env))
    assert run.code == 0, run.text
    kinds = {record["kind"] for record in run.records if record["check"] == "undeclared"}
    assert kinds >= {"container", "user", "package", "file", "hub_user", "step", "cluster"}
    assert hubspec(here, "diff", str(made), str(before)).returncode == 0

    passwords = json.loads(here.passwords_file.read_text())
    secrets = [here.token_file.read_text().strip(), *passwords.values()]
    for text in (made.read_text(), done.stdout, done.stderr):
        assert [secret for secret in secrets if secret in text] == []
    assert len(secrets) > 3

    breaks.apply("diego-missing")
    try:
        run = audit(*words, str(after), env=dict(here.env))
    finally:
        breaks.mend("diego-missing")
    assert run.code == 1, run.text
    drifted = {(record["kind"], record["resource"]) for record in run.records if record["outcome"] == "drifted"}
    assert drifted == {("user", "diego")}

    told = hubspec(here, "diff", str(before), str(after))
    assert told.returncode == 1
    assert "users:\n  - diego (uid: 1001" in told.stdout
    assert told.stdout.endswith("1 removed\n"), told.stdout


def test_the_lab_by_its_own_word(here: lab.Lab) -> None:
    done = hubspec(here, "init", "--cluster", "lab")

    assert done.returncode == 4
    assert 'eval "$(python -m lab env)"' in done.stderr
    assert not (ROOT / "lab.yaml").exists()


def test_a_cluster_that_aws_does_not_know(here: lab.Lab, tmp_path: Path) -> None:
    done = hubspec(here, "init", "--cluster", "j-NOSUCHCLUSTER", "-o", str(tmp_path / "x.yaml"))

    assert done.returncode == 4
    assert "there is no cluster j-NOSUCHCLUSTER in this account and region" in done.stderr
    assert list(tmp_path.iterdir()) == []
