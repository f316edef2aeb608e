"""Drift put right on the lab: planned without a change, carried out, proven by a new look, and nothing left to plan."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emr
import pytest

import lab
from lab import breaks, hub, inside
from lab.breaks import BREAKS, RefusedError, aws
from lab.breaks.model import Scene
from lab.images import HUB_IMAGE
from lab.model import HUB
from tests.conftest import ROOT, Audit, Run

CHECKS = {
    "container": "checks/test_container.py", "user": "checks/test_users.py", "package": "checks/test_packages.py", "kernel": "checks/test_kernels.py", "config": "checks/test_configs.py",
    "file": "checks/test_files.py", "hub_user": "checks/test_hub_users.py", "step": "checks/test_steps.py",
    "hub_token": "checks/test_hub_tokens.py", "route": "checks/test_routes.py", "cluster": "checks/test_cluster.py",
    "hub": "checks/test_hub.py", "hub_group": "checks/test_hub_groups.py", "service": "checks/test_services.py",
    "server": "checks/test_servers.py", "proxy": "checks/test_proxy.py",
}  # fmt: skip
DRIFTS = [name for name, entry in BREAKS.items() if entry.exit_code == 1 and entry.resource != "*" and not entry.smoke]
"""What an audit sees; a smoke test tells, and plans nothing."""
COUNT = 100


def seen(path: Path) -> Any:
    """Return what a saved snapshot says, without when it was read and how long that took."""
    kinds = json.loads(path.read_text())["kinds"]
    return {kind: reading.get("seen", reading) for kind, reading in kinds.items()}


def plan(run: Run) -> list[dict[str, Any]]:
    """Return the entries of a run's plan."""
    return list(json.loads((run.folder / "latest" / "plan.json").read_text())["entries"])


@pytest.mark.parametrize("name", DRIFTS)
def test_a_break_is_put_right(audit: Audit, tmp_path: Path, name: str) -> None:
    broken, checks = BREAKS[name], CHECKS[BREAKS[name].kind]
    lab.up(print)
    try:
        breaks.apply(name)
    except RefusedError as error:
        pytest.skip(str(error))
    try:
        first, second = tmp_path / "first.json", tmp_path / "second.json"
        planned = audit("--cluster", "lab", "--remediate=plan", "--save-snapshot", str(first), checks=checks)
        entries = plan(planned)
        fixed = audit("--cluster", "lab", "--remediate=unsafe", "--save-snapshot", str(second), checks=checks)
        again = audit("--cluster", "lab", "--remediate=unsafe", checks=checks, into="again")
    finally:
        breaks.mend(name)

    assert planned.code == 1, planned.text
    assert entries, "whatever drifts has a next step"
    if broken.kind not in {"step", "hub_token", "hub", "server"}:  # their time goes on
        assert seen(first) == seen(second), "a plan changes nothing"
    if any(entry["action"]["safety"] == "manual" for entry in entries):
        assert fixed.code == 1, "what only a person can do is still to be done"
        return
    records = [record for record in fixed.records if record["outcome"] == "fixed"]
    assert fixed.code == 0, fixed.text
    assert broken.resource in {record["resource"] for record in records}
    for record in records:
        assert record["before"] != record["after"]
        assert record["differences"]
        assert all(action["result"].startswith("done at ") for action in record["actions"])
    assert again.code == 0, again.text
    assert "the plan has no actions" in again.text
    assert "fixed" not in again.outcomes()


STRAYS = [
    name for name, entry in BREAKS.items()
    if entry.resource == "*" and entry.kind not in {"config", "container", "step", "service"} and "application" not in name and name != "kernel-own"
]  # fmt: skip
"""What nobody declared, and a program can remove."""


@pytest.mark.parametrize("name", STRAYS)
def test_what_was_not_declared_is_removed_where_the_policy_says_so(audit: Audit, tmp_path: Path, name: str) -> None:
    broken = BREAKS[name]
    path = tmp_path / "remove.yaml"
    policy = {"undeclared": {broken.kind: {"policy": "remove"}}}
    path.write_text(json.dumps({"extends": str(ROOT / "baselines" / "lab.yaml"), **policy}))
    wanted = ["--cluster", "lab", "--baseline", str(path)]
    lab.up(print)
    breaks.apply(name)
    try:
        safe = audit(*wanted, "--remediate=safe", checks=CHECKS[broken.kind])
        fixed = audit(*wanted, "--remediate=unsafe", checks=CHECKS[broken.kind], into="unsafe")
        again = audit(*wanted, "--remediate=unsafe", checks=CHECKS[broken.kind], into="again")
    finally:
        breaks.mend(name)

    unsafe = all(entry["action"]["safety"] == "unsafe" for entry in plan(safe))
    assert safe.code == (1 if unsafe else 0), "what is removed may be missed: only `unsafe` does it"
    assert fixed.code == 0, fixed.text
    assert ("*", "fixed") in {(record["resource"], record["outcome"]) for record in (fixed if unsafe else safe).records}
    assert again.code == 0, again.text
    assert "the plan has no actions" in again.text


def test_the_whole_lab_is_restored_after_it_was_made_anew(audit: Audit) -> None:
    lab.up(print)
    breaks.apply("recreated")
    try:
        drifted = audit("--cluster", "lab")
        fixed = audit("--cluster", "lab", "--remediate=safe")
        after = audit("--cluster", "lab", "--remediate=safe", into="again")
    finally:
        breaks.mend("recreated")

    assert drifted.code == 1
    assert fixed.code == 0, fixed.text
    assert fixed.outcomes()["fixed"] >= 5
    page = (fixed.folder / "latest" / "report.html").read_text()
    assert "held only after a fix in this run" in page
    assert after.code == 0
    assert "the plan has no actions" in after.text


def people(folder: Path) -> str:
    """Write a baseline of many people over the lab's own, and return its path."""
    names = [f"u{number:03}" for number in range(COUNT)]
    baseline = {
        "extends": str(ROOT / "baselines" / "lab.yaml"),
        "users": {name: {"uid": 3000 + number, "shell": "/bin/bash"} for number, name in enumerate(names)},
        "hub_users": {name: {"admin": False} for name in names},
    }
    path = folder / "people.yaml"
    path.write_text(json.dumps(baseline))
    return str(path)


@pytest.fixture
def crowd(on: Scene, tmp_path: Path) -> Iterator[str]:
    """Give a baseline of many people, and remove them afterwards."""
    yield people(tmp_path)
    lab.up(print)
    names = " ".join(f"u{number:03}" for number in range(COUNT))
    inside.run(
        on.client, HUB, f"for name in {names}; do userdel -r $name 2>/dev/null; groupdel $name 2>/dev/null; done"
    )
    for user in hub.must(on.lab, "GET", "/users"):
        if user["name"][0] == "u" and user["name"][1:].isdigit():
            hub.must(on.lab, "DELETE", f"/users/{user['name']}")


BOTH = ["checks/test_users.py", "checks/test_hub_users.py"]


def test_a_hundred_people_in_one_batch(audit: Audit, crowd: str) -> None:
    run = audit(BOTH[1], "--cluster", "lab", "--baseline", crowd, "--remediate=safe", checks=BOTH[0])
    again = audit(BOTH[1], "--cluster", "lab", "--baseline", crowd, "--remediate=safe", checks=BOTH[0], into="again")

    assert run.code == 0, run.text[-3000:]
    assert sum(record["outcome"] == "fixed" for record in run.records if record["resource"][1:].isdigit()) == 2 * COUNT
    assert "carrying out 200 actions" in run.text
    assert "the plan has no actions" in again.text


def test_a_container_killed_in_the_middle_loses_no_record_and_a_rerun_completes_it(
    on: Scene, crowd: str, tmp_path: Path, audit: Audit
) -> None:
    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "pytest", *BOTH, "--cluster", "lab", "--baseline", crowd, "--remediate=safe"]
    with subprocess.Popen(
        [*command, "--reports", str(folder), "--deadline", "10"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if " 20/200 done" in line:
                break
        on.client.containers.get(HUB).kill()
        said = process.stdout.read()
        process.wait(120)
    results = [json.loads(line)["result"] for line in (folder / "latest" / "applied.jsonl").read_text().splitlines()]
    records = [json.loads(line) for line in (folder / "latest" / "records.jsonl").read_text().splitlines()]
    on.client.containers.get(HUB).start()
    hub.wait(on.lab)
    again = audit(BOTH[1], "--cluster", "lab", "--baseline", crowd, "--remediate=safe", checks=BOTH[0], into="again")

    words = [result.split(" at ")[0] for result in results]
    assert process.returncode == 11, said[-3000:]
    assert len(results) == 2 * COUNT, "every action has a result"
    assert words.count("done") >= 20
    assert words.count("unknown") <= 1
    assert words.count("not reached") + words.count("unknown") + words.count("skipped") + words.count("failed") > 50
    assert {record["outcome"] for record in records if record["kind"] == "user"} == {"unreadable"}
    assert again.code == 0, again.text[-3000:]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_stops_after_the_action_under_way_and_reports(
    on: Scene, crowd: str, tmp_path: Path, audit: Audit, number: signal.Signals
) -> None:
    folder = tmp_path / "interrupted"
    command = [sys.executable, "-m", "pytest", *BOTH, "--cluster", "lab", "--baseline", crowd, "--remediate=safe"]
    with subprocess.Popen(
        [*command, "--reports", str(folder)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if " 10/200 done" in line:
                break
        process.send_signal(number)
        said = process.stdout.read()
        process.wait(120)
    results = [json.loads(line)["result"] for line in (folder / "latest" / "applied.jsonl").read_text().splitlines()]
    lock = inside.must(
        on.client, HUB, "flock -n /run/hubspec.lock true; echo $?; ls /run/hubspec-*.stop 2>/dev/null || true"
    )
    again = audit(BOTH[1], "--cluster", "lab", "--baseline", crowd, "--remediate=safe", checks=BOTH[0], into="again")

    assert process.returncode == 2, said[-3000:]
    assert "stopping after the action under way" in said
    assert len(results) == 2 * COUNT
    assert sum(result.startswith("not reached") for result in results) > 50
    assert (folder / "latest" / "report.html").exists()
    assert lock.split() == ["0"], "the lock is free, and no stop file is left"
    assert again.code == 0, again.text[-3000:]


@pytest.mark.parametrize("way", ["docker", "step"])
def test_a_stopped_container_is_started_and_the_rest_put_right_in_the_same_run(
    on: Scene, audit: Audit, tmp_path: Path, way: str
) -> None:
    breaks.apply("diego-missing")
    breaks.apply("container-stopped")
    try:
        audited = audit("--cluster", "lab")
        saved = tmp_path / "stopped.json"
        planned = audit("--cluster", "lab", "--remediate=plan", "--save-snapshot", str(saved), into="planned")
        state = on.client.containers.get(HUB).status
        later = audit("--snapshot", str(saved), "--baseline", "baselines/lab.yaml", "--remediate=plan", into="later")
        users = audit("--cluster", "lab", "--remediate=safe", checks=BOTH[0], into="users")
        fixed = audit("--cluster", "lab", "--remediate=safe", "--via", way, into="fixed")
        again = audit("--cluster", "lab", "--remediate=safe", into="again")
    finally:
        breaks.mend("container-stopped")
        breaks.mend("diego-missing")

    assert audited.code == 11, audited.text
    assert [record["actions"] for record in audited.records if record["actions"]] == []
    assert planned.code == 11, planned.text
    assert state == "exited", "a plan changes nothing"
    for run in (planned, later):
        told = [(entry["resource"], entry["action"]["request"], entry["action"]["safety"]) for entry in plan(run)]
        assert told == [(HUB, f"docker start {HUB}", "safe")]
    assert (users.code, users.outcomes("user").keys()) == (11, {"unreadable"}), "nobody asked for the container"
    assert fixed.code == 0, fixed.text
    mended = {record["resource"]: record for record in fixed.records if record["outcome"] == "fixed"}
    assert mended.keys() == {HUB, "diego"}
    assert mended[HUB]["before"]["running"] is False
    assert mended[HUB]["after"]["running"] is True
    assert mended[HUB]["actions"][0]["result"].startswith("done at ")
    assert fixed.outcomes().keys() == {"compliant", "fixed"}
    assert again.code == 0, again.text
    assert "the plan has no actions" in again.text


def test_a_container_that_does_not_start_is_not_fixed(on: Scene, audit: Audit, tmp_path: Path) -> None:
    box = on.client.containers.create(HUB_IMAGE, ["/no/such/program"], name="hubspec-test-broken", network_mode="none")
    path = tmp_path / "broken.yaml"
    declared = {"containers": {box.name: {"running": True}}, "extends": str(ROOT / "baselines" / "emr.yaml")}
    path.write_text(json.dumps(declared))
    where = ["--cluster", "lab", "--baseline", str(path), "--container", box.name, "--remediate=safe"]
    try:
        run = audit(*where, "-k", "broken", checks=CHECKS["container"])
        box.reload()
    finally:
        box.remove(force=True)

    assert run.code == 11, run.text
    assert run.outcomes() == {"unreadable": 1}
    assert "tried, and failed" in run.records[0]["message"]
    assert "no such file or directory" in run.text
    assert run.records[0]["actions"][0]["result"].startswith("failed at ")


def test_two_runs_do_not_fix_at_once(on: Scene, audit: Audit) -> None:
    breaks.apply("diego-missing")
    held = (
        "exec 9>>/run/hubspec.lock; flock 9; echo 'ana@night, run 7' >/run/hubspec.lock; sleep 30; : >/run/hubspec.lock"
    )
    inside.must(on.client, HUB, f"nohup sh -c {json.dumps(held)} >/dev/null 2>&1 & sleep 0.5")
    try:
        run = audit("--cluster", "lab", "--remediate=safe", checks=BOTH[0])
        inside.must(on.client, HUB, "pkill sleep")
        time.sleep(0.5)
        then = audit("--cluster", "lab", "--remediate=safe", checks=BOTH[0], into="again")
    finally:
        breaks.mend("diego-missing")

    assert run.code == 4
    assert "lab is being put right by somebody else: ana@night, run 7; nothing was changed" in run.text
    assert then.code == 0, then.text


def test_a_reviewed_plan_is_carried_out_and_no_other(audit: Audit, tmp_path: Path) -> None:
    breaks.apply("diego-missing")
    try:
        planned = audit("--cluster", "lab", "--remediate=plan", checks=BOTH[0])
        path = tmp_path / "reviewed.json"
        path.write_text((planned.folder / "latest" / "plan.json").read_text())
        fixed = audit("--cluster", "lab", f"--remediate={path}", checks=BOTH[0])
        stale = audit("--cluster", "lab", f"--remediate={path}", checks=BOTH[0], into="again")
    finally:
        breaks.mend("diego-missing")

    assert fixed.code == 0, fixed.text
    assert fixed.outcomes()["fixed"] == 1
    assert stale.code == 4
    assert "has moved on since" in stale.text
    assert "nothing calls for it any more" in stale.text


def test_fixed_can_be_made_to_fail_the_run(audit: Audit) -> None:
    breaks.apply("diego-missing")
    try:
        run = audit("--cluster", "lab", "--remediate=safe", "--fail-on-fixed", checks=BOTH[0])
    finally:
        breaks.mend("diego-missing")

    assert run.code == 1
    assert run.outcomes()["fixed"] == 1


def test_a_selection_plans_for_itself_alone(audit: Audit) -> None:
    breaks.apply("recreated")
    try:
        run = audit("--cluster", "lab", "--remediate=safe", "-k", "ana", checks=BOTH[0])
        entries = plan(run)
    finally:
        breaks.mend("recreated")

    assert run.code == 0, run.text
    assert {entry["resource"] for entry in entries} == {"ana"}


SEEN: dict[str, Any] = {}


@pytest.mark.parametrize("way", ["docker", "step"])
def test_the_same_plan_has_the_same_outcome_by_either_way(on: Scene, audit: Audit, way: str) -> None:
    breaks.apply("diego-missing")
    breaks.apply("hub-diego-missing")
    before = hub.tokens(on.client)
    try:
        run = audit(BOTH[1], "--cluster", "lab", "--remediate=safe", "--via", way, checks=BOTH[0])
        again = audit(BOTH[1], "--cluster", "lab", "--remediate=safe", "--via", way, checks=BOTH[0], into="again")
    finally:
        breaks.mend("diego-missing")
        breaks.mend("hub-diego-missing")
    after = hub.tokens(on.client)

    assert run.code == 0, run.text
    told = [(entry["kind"], entry["resource"], entry["action"]["request"], entry["needs"]) for entry in plan(run)]
    outcomes = {(record["resource"], record["control"]): record["outcome"] for record in run.records}
    assert SEEN.setdefault("plan", told) == told
    assert SEEN.setdefault("outcomes", outcomes) == outcomes
    assert run.outcomes()["fixed"] >= 2
    assert "the plan has no actions" in again.text
    assert after == before, "a token that was made for the step is deleted"
    left = aws.client(on, "s3").list_objects_v2(Bucket=emr.LOGS, Prefix="hubspec/").get("Contents", [])
    assert left == [], "the script is removed"
    assert ("hubspec remediate" in run.text) == (way == "step")


def test_a_step_finds_the_cluster_locked(on: Scene, audit: Audit) -> None:
    breaks.apply("diego-missing")
    held = (
        "exec 9>>/run/hubspec.lock; flock 9; echo 'ana@night, run 7' >/run/hubspec.lock; sleep 60; : >/run/hubspec.lock"
    )
    inside.must(on.client, HUB, f"nohup sh -c {json.dumps(held)} >/dev/null 2>&1 & sleep 0.5")
    try:
        run = audit("--cluster", "lab", "--remediate=safe", "--via", "step", checks=BOTH[0])
    finally:
        inside.must(on.client, HUB, "pkill sleep")
        breaks.mend("diego-missing")

    assert run.code == 4, run.text
    assert "is being put right by somebody else: ana@night, run 7" in run.text


def test_what_a_restart_takes_away_is_said_and_put_back(on: Scene, audit: Audit, tmp_path: Path) -> None:
    source = tmp_path / "scratch.conf"
    source.write_text("lost at a restart\n")
    baseline = tmp_path / "restart.yaml"
    files = {"/dev/shm/scratch.conf": {"mode": "0640", "source": str(source)}}
    baseline.write_text(json.dumps({"extends": str(ROOT / "baselines" / "lab.yaml"), "files": files}))
    smoke = ["--cluster", "lab", "--baseline", str(baseline), "--smoke=restart"]
    placed = audit("--cluster", "lab", "--baseline", str(baseline), "--remediate=unsafe", checks="checks/test_files.py")
    told = audit(*smoke, checks="checks/smoke/test_restart.py")
    audit("--cluster", "lab", "--baseline", str(baseline), "--remediate=unsafe", checks="checks/test_files.py")
    back = audit(*smoke, "--remediate=safe", checks="checks/smoke/test_restart.py")
    whole = audit("--cluster", "lab", "--baseline", str(baseline), into="again")
    inside.must(on.client, HUB, "rm -f /dev/shm/scratch.conf*")

    assert placed.code == 0, placed.text
    assert told.code == 1, told.text
    assert "the restart of the container took away: file /dev/shm/scratch.conf is missing" in told.text
    assert back.code == 0, back.text
    assert back.outcomes() == {"fixed": 1}
    assert "all of it was put back" in back.records[0]["message"]
    assert whole.code == 0, whole.text


def test_a_restart_alone_takes_nothing_from_the_lab(audit: Audit) -> None:
    run = audit("--cluster", "lab", "--smoke=restart", checks="checks/smoke/test_restart.py")

    assert run.code == 0, run.text
    assert "everything that was as declared still is" in run.records[0]["message"]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--remediate=soon"], "wanted plan, safe, unsafe, or a plan file"),
        (["--remediate=safe", "-n", "2"], "each process would read and fix for itself"),
        (["--remediate=safe", "--via", "pigeon"], "--via: wanted docker or step, found 'pigeon'"),
        (["--smoke=reboot"], "there is no smoke test reboot; known are step, server, auth, login, restart"),
    ],
)
def test_what_cannot_be_meant(audit: Audit, args: list[str], sentence: str) -> None:
    run = audit("--cluster", "lab", *args, checks=BOTH[0])

    assert run.code == 4
    assert sentence in run.text
