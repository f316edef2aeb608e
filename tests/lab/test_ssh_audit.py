"""Whole audits through the doors: the same records through every one; and through ssh the hub behind it, a token made through it, and which door auto takes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import lab
from lab import hub
from lab.breaks.model import Scene
from tests.conftest import Audit, Run

APART = {"run", "door", "evidence", "started", "took"}


def same(run: Run) -> list[Any]:
    """Return the records without what may differ from door to door, and from second to second."""
    found = [{key: value for key, value in record.items() if key not in APART} for record in run.records]
    return list(json.loads(re.sub(r'"(\d+[dhms] ?)+"', '"some time"', json.dumps(found))))


def test_the_same_audit_gives_the_same_records_through_every_door(on: Scene, audit: Audit) -> None:
    trips = {"ssh": "1 ssh login, 1 ssh command", "step": "1 EMR step", "ssm": "1 SSM command"}
    docker = audit("--cluster", "lab", "--door", "docker", into="docker")
    assert docker.code == 0, docker.text
    assert {record["door"] for record in docker.records} == {"docker", "hub", "aws"}
    for door, trip in trips.items():
        run = audit("--cluster", "lab", "--door", door, into=door)
        assert run.code == 0, run.text
        assert same(run) == same(docker), door
        assert {record["door"] for record in run.records} == {door, "hub", "aws"}
        assert f"round trips: {trip}, " in run.text
    assert on


def test_the_hub_behind_the_same_connection(on: Scene, audit: Audit, tmp_path: Path) -> None:
    # At this name and port nobody listens here; the master node has the hub there.
    config = tmp_path / "config"
    config.write_text(f"{on.lab.ssh_config.read_text()}Host master.invalid\n  HostName 127.0.0.1\n"
                      f"  HostKeyAlias [127.0.0.1]:{on.lab.ssh_port}\n  Port {on.lab.ssh_port}\n  IdentityFile {on.lab.ssh_key}\n"
                      f"  UserKnownHostsFile {on.lab.known_hosts}\n")  # fmt: skip
    where = ("--cluster", "lab", "--door", "ssh", "--ssh-config", str(config), "--hub-url", "https://127.0.0.2:9443")
    checks = "checks/test_hub_users.py"
    ours = audit(*where, checks=checks)
    name = audit(*where, "--hub-fingerprint", "0" * 64, checks=checks)
    any_ = audit(*where, "--insecure", checks=checks)

    assert ours.code == 0, ours.text
    assert {record["evidence"].partition(": ")[0] for record in ours.records} == {
        "https://127.0.0.2:9443/hub/api (through ssh hadoop@localhost)"
    }
    assert name.code == 11
    assert "its certificate is not the pinned one" in name.text
    assert any_.code == 0
    assert "the hub's certificate was not verified (--insecure)" in any_.text


def test_a_port_that_is_shut_on_both_sides(on: Scene, audit: Audit) -> None:
    run = audit(
        *("--cluster", "lab", "--door", "ssh", "--hub-url", "https://127.0.0.2:9444"), checks="checks/test_hub_users.py"
    )

    assert run.code == 11
    assert "through ssh hadoop@localhost: channel" in run.text
    assert "Connection refused" in run.text
    assert on


def test_a_token_made_and_taken_back_through_ssh(on: Scene, audit: Audit) -> None:
    hub.must(on.lab, "GET", "/users/jovyan/tokens")
    before = hub.tokens(on.client)
    run = audit("--cluster", "lab", "--door", "ssh", "--mint-token", "jovyan")

    assert run.code == 0, run.text
    assert hub.tokens(on.client) == before
    assert "1 ssh login, 2 ssh command" in run.text


def test_drift_is_put_right_through_ssh(on: Scene, audit: Audit) -> None:
    lab.breaks.apply("diego-missing")
    try:
        run = audit("--cluster", "lab", "--door", "ssh", "--remediate=safe", checks="checks/test_users.py")
    finally:
        lab.breaks.mend("diego-missing")

    assert run.code == 0, run.text
    assert run.outcomes()["fixed"] >= 1
    logins = [line for line in run.text.splitlines() if "ssh login" in line]
    assert len(logins) == 1, "one login is held for the run"
    assert on


def test_by_its_id_as_on_aws(on: Scene, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    env = {key: value for key, value in on.lab.env.items() if key not in {"HUBSPEC_HUB_URL", "HUBSPEC_CONTAINER"}}
    users = "checks/test_users.py"
    auto = audit("--cluster", on.lab.cluster_id, checks=users, env=env)
    ssh = audit("--cluster", on.lab.cluster_id, checks=users, env=env | {"HUBSPEC_DOOR": "ssh"}, into="ssh")
    lost = env | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    nowhere = audit("--cluster", on.lab.cluster_id, checks=users, env=lost, into="nowhere")

    assert "door docker: the master node localhost is this machine" in auto.text
    assert {record["door"] for record in auto.records} == {"docker"}
    assert {record["door"] for record in ssh.records} == {"ssh"}
    assert (auto.code, ssh.code, nowhere.code) == (0, 0, 11)
    assert "no door leads to the container: where its master node is, AWS does not say" in nowhere.text
    assert "give --door docker for the Docker engine here" in nowhere.text


def test_a_machine_by_its_address(on: Scene, audit: Audit) -> None:
    env = {key: value for key, value in on.lab.env.items() if not key.startswith("AWS_")}
    machine = f"ssh://hadoop@localhost:{on.lab.ssh_port}"
    run = audit("--cluster", machine, "--baseline", "baselines/lab.yaml", env=env)
    step = audit("--cluster", machine, "--smoke=step", checks="checks/smoke", env=env, into="step")

    assert run.code == 0, run.text
    assert set(run.outcomes("cluster")) == set(run.outcomes("step")) == {"not applicable"}
    assert set(run.outcomes("user")) == {"compliant"}
    assert step.code != 0
    assert "is no cluster of EMR, so no step can be tried" in step.text


def test_an_engine_over_ssh_in_the_environment(on: Scene, audit: Audit) -> None:
    env = on.lab.env | {"DOCKER_HOST": f"ssh://hadoop@localhost:{on.lab.ssh_port}"}
    users = "checks/test_users.py"
    run = audit("--cluster", on.lab.cluster_id, "--ssh-config", str(on.lab.ssh_config), checks=users, env=env)
    wrong = audit(
        "--cluster", on.lab.cluster_id, checks=users, env=env | {"DOCKER_HOST": "ssh://localhost/x"}, into="wrong"
    )

    assert run.code == 0, run.text
    assert "door ssh: DOCKER_HOST leads to an engine over ssh" in run.text
    assert {record["door"] for record in run.records} == {"ssh"}
    assert wrong.code == 11
    assert "over ssh it leads to an engine as ssh://USER@HOST:PORT, without anything behind that" in wrong.text


def test_a_login_in_a_browser_and_a_kernel_behind_the_same_connection(on: Scene, audit: Audit) -> None:
    where = ("--cluster", "lab", "--door", "ssh", "--hub-url", "https://127.0.0.2:9443")
    run = audit(*where, "--smoke=server,login", checks="checks/smoke")

    assert run.code == 0, run.text
    assert set(run.outcomes()) == {"compliant"}
    assert on


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--door", "window"], "--door: wanted auto, docker, ssh, step or ssm, found 'window'"),
        (["--sudo-password-file", "/no/such"], "--sudo-password-file /no/such: cannot be read"),
    ],
)
def test_wrong_use(audit: Audit, args: list[str], words: str) -> None:
    run = audit("--cluster", "lab", *args, checks="checks/test_users.py")

    assert run.code == 4, run.text
    assert words in run.text
