"""Nights without anybody: a real systemd runs the timer, the unit with its hardening, and its credentials; and cron's line, and the image."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emr
import machine as machines
import pytest
from crontab import CronTab
from docker.models.containers import Container
from machine import Machine

from hubspec.__main__ import main
from lab import breaks
from lab.breaks import aws
from lab.breaks.model import Scene
from tests.conftest import ROOT
from tests.receiver import SECRET, Receiver, receiving

PREFIX = "night/"
CREDENTIALS = "/etc/hubspec/credentials"
AT_ONCE = "[Timer]\nOnCalendar=\nOnActiveSec=0\nRandomizedDelaySec=0\nAccuracySec=10ms\n"


AS_A_POD: dict[str, Any] = {
    "read_only": True,
    "tmpfs": {"/tmp": "", "/var/lib/hubspec": "uid=10001"},
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
}


@pytest.fixture(scope="module")
def images(on: Scene) -> tuple[str, str]:
    """Give the image of the suite, and what it is built on."""
    return machines.suite(on)


@pytest.fixture(scope="module", autouse=True)
def _nothing_left(on: Scene) -> Iterator[None]:
    yield
    brought = [{"Key": key} for key in _keys(on)]
    if brought:
        aws.client(on, "s3").delete_objects(Bucket=emr.LOGS, Delete={"Objects": brought})


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Give somebody who is told."""
    with receiving() as made:
        yield made


@pytest.fixture(scope="module")
def machine(on: Scene, images: tuple[str, str], receiver: Receiver) -> Iterator[Machine]:
    """Give a machine that was set up as the page says, for the lab's cluster."""
    with machines.running(on, images[0]) as made:
        made.sh(machines.page(7))
        made.put(f"{CREDENTIALS}/ssh-key", on.lab.ssh_key.read_text(), "600")
        made.put(f"{CREDENTIALS}/hub-token", on.lab.token_file.read_text(), "600")
        made.put(f"{CREDENTIALS}/notify.yaml", f"urls: [{receiver.url()!r}]\n", "600")
        keys = {name.lower(): value for name, value in on.lab.aws_env.items() if "KEY" in name}
        made.put(f"{CREDENTIALS}/aws", "\n".join(["[default]", *(f"{k} = {v}" for k, v in keys.items())]), "600")
        made.put("/etc/hubspec/known_hosts", on.lab.known_hosts.read_text())
        # Where AWS names the lab's master node, another port leads there.
        made.sh(f"printf 'Host localhost\\n  Port {on.lab.ssh_port}\\n' >> /etc/hubspec/ssh_config")
        made.put("/etc/hubspec/hubspec.toml", _settings(on))
        made.sh("mkdir -p /etc/systemd/system/hubspec.service.d /etc/systemd/system/hubspec.timer.d")
        for name in ("aws", "hub-token"):
            made.sh(
                f"cp /opt/hubspec/deploy/systemd/hubspec.service.d/{name}.conf /etc/systemd/system/hubspec.service.d/"
            )
        lab = {name: value for name, value in on.lab.aws_env.items() if "KEY" not in name}
        words = " ".join(f"{name}={value}" for name, value in lab.items())
        made.put("/etc/systemd/system/hubspec.service.d/lab.conf", f"[Service]\nEnvironment={words}\n")
        made.sh(machines.page(11))
        yield made


def _settings(on: Scene) -> str:
    values = {
        "cluster": [on.lab.cluster_id],
        "region": [on.lab.region],
        "door": "ssh",
        "hub-url": on.lab.hub_url,
        "hub-fingerprint": on.lab.hub_fingerprint,
        "container-label": on.lab.label,
        "baseline": f"/opt/hubspec/{on.lab.baseline}",
        "results": f"s3://{emr.LOGS}/{PREFIX}",
        "report": ["html"],
        "notify-on": "always",
        "fail-on": "new",
    }
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


def _keys(on: Scene) -> list[str]:
    listed = aws.client(on, "s3").get_paginator("list_objects_v2").paginate(Bucket=emr.LOGS, Prefix=PREFIX)
    return [one["Key"] for page in listed for one in page.get("Contents", [])]


def _body(on: Scene, key: str) -> bytes:
    body: bytes = aws.client(on, "s3").get_object(Bucket=emr.LOGS, Key=key)["Body"].read()
    return body


def _brought(on: Scene, folder: Path) -> list[Path]:
    """Bring all runs of the place here; return their folders, the oldest first."""
    for key in _keys(on):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_body(on, key))
    return sorted((folder / PREFIX / "runs").iterdir())


def _records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]


def test_the_image_is_small_nobodys_root_and_audits(on: Scene, images: tuple[str, str]) -> None:
    image, base = (on.client.images.get(name) for name in images)
    env = {**on.lab.aws_env, "HUBSPEC_CLUSTER": on.lab.cluster_id, "HUBSPEC_HUB_URL": on.lab.hub_url}
    env |= {
        "HUBSPEC_HUB_FINGERPRINT": on.lab.hub_fingerprint,
        "HUBSPEC_HUB_TOKEN": on.lab.token_file.read_text().strip(),
    }
    said = on.client.containers.run(
        images[0],
        ["sh", "-c", "id -u; command -v pip; ls -A; pytest checks/test_cluster.py checks/test_hub_users.py -q; echo code $?"],
        environment=env | {"HUBSPEC_BASELINE": on.lab.baseline},
        network_mode="host",
        remove=True,
        **AS_A_POD,
    ).decode()  # fmt: skip

    assert said.startswith("10001\n")
    assert "/pip" not in said
    assert set(said.splitlines()[1:9]) & {"tests", "lab", ".git", "reports"} == set()
    assert "code 0" in said
    assert image.attrs["Size"] - base.attrs["Size"] < 350e6


def test_two_nights_of_the_timer(on: Scene, machine: Machine, receiver: Receiver, tmp_path: Path) -> None:
    assert machine.shown("hubspec.timer")["UnitFileState"] == "enabled"
    assert machine.sh("systemd-analyze verify hubspec.timer hubspec.service 2>&1") == ""
    assert "OK" in machine.sh("systemd-analyze security --threshold=15 --no-pager hubspec.service | tail -1")
    machine.put("/etc/systemd/system/hubspec.timer.d/at-once.conf", AT_ONCE)
    machine.sh("systemctl daemon-reload")

    night = "systemctl restart hubspec.timer"
    first = machine.ran("hubspec.service", night)
    journal = machine.sh("journalctl -u hubspec.service --output cat --no-pager")
    assert first["ExecMainStatus"] == "0", journal
    assert first["TriggeredBy"] == "hubspec.timer"
    assert " compliant" in journal
    try:
        breaks.apply("diego-missing")
        second = machine.ran("hubspec.service", night)
    finally:
        breaks.mend("diego-missing")
    journal = machine.sh("journalctl -u hubspec.service --output cat --no-pager")
    assert (second["Result"], second["ExecMainStatus"]) == ("exit-code", "1"), journal

    before, after = _brought(on, tmp_path)
    assert {one["outcome"] for one in _records(before)} <= {"compliant", "not applicable"}
    drifted = [(one["kind"], one["resource"], one["change"]) for one in _records(after) if one["outcome"] == "drifted"]
    assert ("user", "diego", "new") in drifted
    assert {change for _, _, change in drifted} == {"new"}
    assert [main(["verify", str(folder)]) for folder in (before, after)] == [0, 0]
    newest = json.loads((tmp_path / PREFIX / "latest.json").read_text())
    assert after.name in json.dumps(newest)

    assert len(receiver.messages) == 2, "one message a night"
    assert "diego" in receiver.messages[1]["message"]
    assert "new" in receiver.messages[1]["message"]

    left = machine.sh("find /var/lib/hubspec ! -user hubspec -o -perm /077 | head")
    assert left == "", "what it wrote is its own alone"
    told = journal + json.dumps(receiver.messages) + machine.sh("cat /var/lib/hubspec/latest/*.* ")
    told += "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file())
    for secret in (SECRET, on.lab.token_file.read_text().strip(), on.lab.ssh_key.read_text().split()[7]):
        assert secret not in told


def test_the_service_for_a_fleet(on: Scene, machine: Machine) -> None:
    folder = "/etc/systemd/system/hubspec.service.d"
    machine.sh("install -d -m 1777 /var/lib/prometheus/node-exporter")
    machine.sh(
        f"cd /opt/hubspec/deploy/systemd/hubspec.service.d && cp fleet.conf metrics.conf {folder}/ && systemctl daemon-reload"
    )
    try:
        night = machine.ran("hubspec.service", "systemctl start hubspec.service || true")
    finally:
        machine.sh(f"rm {folder}/fleet.conf {folder}/metrics.conf && systemctl daemon-reload")

    assert night["ExecMainStatus"] == "0", machine.sh(
        "journalctl -u hubspec.service --output cat --no-pager | tail -50"
    )
    newest = json.loads(_body(on, f"{PREFIX}latest.json"))
    assert newest["clusters"] == [on.lab.cluster_id]
    assert _body(on, f"{PREFIX}{newest['report']}clusters/{on.lab.cluster_id}/records.jsonl")
    assert "hubspec_run_exit_code 0" in machine.sh("cat /var/lib/prometheus/node-exporter/*.prom")


def test_two_parts_of_a_fleet_and_their_night(on: Scene, images: tuple[str, str], receiver: Receiver) -> None:
    """What the arrays of Kubernetes, ECS and Batch run, with the door that they take."""
    place, results = (f"s3://{emr.LOGS}/{PREFIX}{name}" for name in ("parts/a-night", "joined/"))
    env = {
        **on.lab.aws_env,
        "HUBSPEC_CLUSTER": on.lab.cluster_id,
        "HUBSPEC_DOOR": "ssm",
        "HUBSPEC_HUB_URL": on.lab.hub_url,
    }
    env |= {
        "HUBSPEC_HUB_FINGERPRINT": on.lab.hub_fingerprint,
        "HUBSPEC_HUB_TOKEN": on.lab.token_file.read_text().strip(),
    }
    env |= {"HUBSPEC_CONTAINER_LABEL": on.lab.label, "HUBSPEC_BASELINE": on.lab.baseline, "HUBSPEC_REPORT": "html"}
    env |= {"HUBSPEC_HISTORY": f"s3://{emr.LOGS}/{PREFIX}history/", "HUBSPEC_NOTIFY_URLS": receiver.url()}
    before = len(receiver.messages)

    def start(command: str, **more: str) -> Container:
        words = ["sh", "-c", f"exec {command}"]
        return on.client.containers.run(
            images[0], words, environment=env | more, network_mode="host", detach=True, **AS_A_POD
        )

    def ended(box: Container) -> tuple[int, str]:
        try:
            return box.wait(timeout=120)["StatusCode"], box.logs().decode()
        finally:
            box.remove(force=True)

    both = [start(f'audit-part "$((INDEX + 1))" 2 {place}', INDEX=str(index)) for index in (0, 1)]
    parts = [ended(box) for box in both]
    code, said = ended(start(f"audit-merge 2 {place} {results}", HUBSPEC_NOTIFY_ON="always"))

    assert [part for part, _ in parts] == [0, 0], parts
    found = [json.loads(_body(on, f"{PREFIX}parts/a-night/{number}/latest.json"))["clusters"] for number in (1, 2)]
    assert sorted(found) == [[], [on.lab.cluster_id]]
    assert (code, len(receiver.messages) - before) == (0, 1), said
    newest = json.loads(_body(on, f"{PREFIX}joined/latest.json"))
    assert newest["clusters"] == [on.lab.cluster_id]
    assert on.lab.token_file.read_text().strip() not in said + "".join(text for _, text in parts)


def test_the_line_of_cron_does_the_same(on: Scene, machine: Machine) -> None:
    (job,) = CronTab(tab=(ROOT / "deploy" / "cron" / "hubspec").read_text(), user=False)
    env = {name: job.env[name] for name in job.env} | on.lab.aws_env | {"HOME": "/var/lib/hubspec"}
    own = {"HUBSPEC_SSH_CONFIG": "/etc/hubspec/ssh_config", "HUBSPEC_NOTIFY_ON": "new"}
    machine.sh(
        f"install -d -o hubspec -m 700 /run/cron && install -o hubspec -m 400 {CREDENTIALS}/ssh-key {CREDENTIALS}/hub-token /run/cron/"
    )
    own |= {"HUBSPEC_SSH_KEY": "/run/cron/ssh-key", "HUBSPEC_HUB_TOKEN_FILE": "/run/cron/hub-token"}
    words = shlex.join(["env", "-i", *(f"{name}={value}" for name, value in {**env, **own}.items())])
    line = f"/usr/sbin/runuser -u {job.user} -- {words} {env['SHELL']} -c {shlex.quote(job.command)}"

    assert machine.sh(line) == "", "cron mails what is printed"
    assert " compliant" in machine.sh("cat /var/lib/hubspec/last.log")
    held = machine.sh(f"flock /var/lib/hubspec/lock {line}")
    assert held.startswith("hubspec: exit code 75")
