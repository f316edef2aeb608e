"""Step smoke on the lab: what it does, what it takes back, and what it says when it cannot."""

from __future__ import annotations

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

from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.steps import StepDoor
from lab import inside
from lab.breaks import aws
from lab.breaks.model import Scene
from lab.model import MASTER
from tests.conftest import ROOT, Audit

SMOKE = "checks/smoke"


@pytest.fixture(autouse=True)
def _taken_back(on: Scene) -> Iterator[None]:
    """Whatever happened: no script is left in S3, and no step of a smoke test waits or runs."""
    yield
    aws.control(
        {"allow": ["AddJobFlowSteps", "CancelSteps", "s3:PutObject", "s3:DeleteObject"], "restore": ["log_delay"]}, on
    )
    assert scripts(on) == []
    deadline = time.monotonic() + emr.LIMIT
    while going(on):
        assert time.monotonic() < deadline, going(on)
        time.sleep(0.1)


def scripts(on: Scene) -> list[str]:
    """Return what lies where smoke tests put their scripts."""
    found = aws.client(on, "s3").list_objects_v2(Bucket=emr.LOGS, Prefix="hubspec/")
    return [entry["Key"] for entry in found.get("Contents", [])]


def mine(on: Scene) -> list[dict[str, Any]]:
    """Return the newest steps that smoke tests submitted."""
    steps = aws.client(on, "emr").list_steps(ClusterId=on.lab.cluster_id)["Steps"]
    return [step for step in steps if step["Name"].startswith("hubspec smoke ")]


def going(on: Scene) -> list[str]:
    """Return those that wait or run."""
    return [step["Id"] for step in mine(on) if "EndDateTime" not in step["Status"]["Timeline"]]


def test_both_run_and_are_recorded(on: Scene, audit: Audit) -> None:
    run = audit("--cluster", "lab", "--smoke=step", checks=SMOKE)

    assert run.code == 0, run.text
    assert [(record["resource"], record["check"], record["control"]) for record in run.records] == [
        ("command-runner", "smoke", "STP-20"),
        ("script-runner", "smoke", "STP-20"),
    ]
    assert "submitted as s-" in run.text
    assert "its output is in S3" in run.records[0]["message"]
    assert [step["Status"]["State"] for step in mine(on)[:2]] == ["COMPLETED", "COMPLETED"]
    assert {step["ActionOnFailure"] for step in mine(on)[:2]} == {"CONTINUE"}


def test_an_audit_alone_submits_nothing(on: Scene, audit: Audit) -> None:
    before = mine(on)
    run = audit("--cluster", "lab")

    assert run.code == 0, run.text
    assert {record["check"] for record in run.records} == {"declared", "undeclared"}
    assert mine(on) == before


@pytest.mark.parametrize("named", [SMOKE, f"{SMOKE}/test_step.py", f"{SMOKE}/test_step.py::test_works"])
def test_smoke_tests_named_without_the_option(audit: Audit, named: str) -> None:
    run = audit("--cluster", "lab", checks=named)

    assert run.code == 4
    assert "it runs with --smoke only" in run.text


def test_a_queue_that_does_not_move_is_no_failure_and_the_step_is_cancelled(on: Scene, audit: Audit) -> None:
    client = aws.client(on, "emr")
    (blocker,) = client.add_job_flow_steps(JobFlowId=on.lab.cluster_id, Steps=[emr.step("blocks", "sleep", "300")])[
        "StepIds"
    ]
    try:
        run = audit("--cluster", "lab", "--smoke=step", "--smoke-deadline", "3", checks=SMOKE)
        left = going(on)
    finally:
        client.cancel_steps(ClusterId=on.lab.cluster_id, StepIds=[blocker], StepCancellationOption="TERMINATE_PROCESS")

    assert run.code == 11
    assert run.outcomes() == {"unreadable": 2}
    assert (
        "was still PENDING when its time was up, other steps are before it; give it more with --smoke-deadline"
        in run.text
    )
    assert left == []
    assert {step["Status"]["State"] for step in mine(on)[:2]} == {"CANCELLED"}


@pytest.fixture
def expr(on: Scene) -> Iterator[Any]:
    """Give what puts another program in the place of `expr` on the master node, until the test is over."""
    yield lambda script: inside.must(
        on.client, MASTER, "cat > /usr/local/bin/expr; chmod 755 /usr/local/bin/expr", stdin=script
    )
    inside.must(on.client, MASTER, "rm -f /usr/local/bin/expr")


def test_a_step_that_never_ends_is_cancelled(on: Scene, audit: Audit, expr: Any) -> None:
    expr("#!/bin/sh\nexec sleep 600\n")
    run = audit("--cluster", "lab", "--smoke=step", "--smoke-deadline", "4", "-k", "command-runner", checks=SMOKE)

    assert run.code == 1
    assert "was still RUNNING when its time was up" in run.text
    assert "cancelling s-" in run.text
    emr.ended(on, on.lab.cluster_id)
    assert mine(on)[0]["Status"]["State"] == "CANCELLED"


def test_a_step_that_fails_explains_itself(audit: Audit, expr: Any) -> None:
    expr("#!/bin/sh\necho expr: the disk is full >&2\nexit 2\n")
    run = audit("--cluster", "lab", "--smoke=step", "-k", "command-runner", checks=SMOKE)

    assert run.code == 1
    assert run.records[0]["differences"] == [{"field": "state", "wanted": "COMPLETED", "found": "FAILED"}]
    assert "expr: the disk is full" in run.text or "look again after" in run.text


def test_a_step_that_prints_something_else(audit: Audit, expr: Any) -> None:
    expr("#!/bin/sh\necho 7\n")
    run = audit("--cluster", "lab", "--smoke=step", "-k", "command-runner", checks=SMOKE)

    assert run.code == 1
    assert run.records[0]["differences"][0]["field"] == "output"
    assert run.records[0]["differences"][0]["found"] == "7"


def test_output_that_does_not_reach_s3(on: Scene, audit: Audit) -> None:
    aws.control({"change": {"log_delay": 600}}, on)
    run = audit("--cluster", "lab", "--smoke=step", "--smoke-deadline", "6", "-k", "script-runner", checks=SMOKE)

    assert run.code == 1
    assert "completed, but its output did not reach S3 in time" in run.text
    assert "waiting for its output in S3 (EMR brings it about every five minutes)" in run.text


DENIED = [
    ("AddJobFlowSteps", "allow elasticmapreduce:AddJobFlowSteps"),
    ("s3:PutObject", "allow s3:PutObject"),
]


@pytest.mark.parametrize(("call", "sentence"), DENIED)
def test_without_the_right_to_try_it_could_not_be_tried(on: Scene, audit: Audit, call: str, sentence: str) -> None:
    before = len(mine(on))
    aws.control({"deny": [call]}, on)
    run = audit("--cluster", "lab", "--smoke=step", "-k", "script-runner", checks=SMOKE)

    assert run.code == 11
    assert sentence in run.text
    assert len(mine(on)) == before


def test_what_could_not_be_removed_is_told_of(on: Scene, audit: Audit) -> None:
    aws.control({"deny": ["s3:DeleteObject"]}, on)
    run = audit("--cluster", "lab", "--smoke=step", "-k", "script-runner", checks=SMOKE)
    aws.control({"allow": ["s3:DeleteObject"]}, on)
    (key,) = scripts(on)
    aws.client(on, "s3").delete_object(Bucket=emr.LOGS, Key=key)

    assert run.code == 0, run.text
    assert f"notice: lab: remove s3://{emr.LOGS}/{key}, which was left behind" in run.text
    assert "allow s3:DeleteObject" in run.text


def test_nothing_can_be_tried_on_a_snapshot(audit: Audit, tmp_path: Path) -> None:
    saved = tmp_path / "seen.json"
    audit("--cluster", "lab", "--save-snapshot", str(saved), checks="checks/test_steps.py")
    run = audit("--snapshot", str(saved), "--smoke=step", checks=SMOKE)

    assert run.code == 4
    assert "give it or --smoke, not both" in run.text


def test_an_interrupted_run_takes_its_step_and_its_script_back(on: Scene, tmp_path: Path) -> None:
    client = aws.client(on, "emr")
    (blocker,) = client.add_job_flow_steps(JobFlowId=on.lab.cluster_id, Steps=[emr.step("blocks", "sleep", "300")])[
        "StepIds"
    ]
    command = [sys.executable, "-m", "pytest", SMOKE, "--cluster", "lab", "--smoke=step", "-k", "script-runner"]
    try:
        with subprocess.Popen(
            [*command, "--reports", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ) as process:  # fmt: skip
            assert process.stdout is not None
            for line in process.stdout:
                if "PENDING" in line:
                    break
            assert len(scripts(on)) == 1
            process.send_signal(signal.SIGINT)
            said = process.stdout.read()
            process.wait(60)
    finally:
        client.cancel_steps(ClusterId=on.lab.cluster_id, StepIds=[blocker], StepCancellationOption="TERMINATE_PROCESS")

    assert process.returncode == 2, said
    assert "cancelling s-" in said
    assert mine(on)[0]["Status"]["State"] == "CANCELLED"


def test_a_place_of_its_own_for_the_script(on: Scene, audit: Audit) -> None:
    aws.control({"calls": True}, on)
    run = audit(
        "--cluster",
        "lab",
        "--smoke=step",
        "--scratch",
        f"s3://{emr.SCRIPTS}/probe",
        "-k",
        "script-runner",
        checks=SMOKE,
    )

    assert run.code == 0, run.text
    arguments = mine(on)[0]["Config"]["Args"]
    assert arguments[0].startswith(f"s3://{emr.SCRIPTS}/probe/hubspec-smoke-script-runner-")


def test_a_cluster_that_is_gone(on: Scene, audit: Audit) -> None:
    with emr.cluster(on) as cluster:
        pass  # its end is the case
    run = audit("--cluster", cluster, "--smoke=step", checks=SMOKE, env=on.lab.aws_env)
    unknown = audit("--cluster", "j-NOSUCHCLUSTER", "--smoke=step", checks=SMOKE, env=on.lab.aws_env)

    assert (run.code, unknown.code) == (11, 11)
    assert "AWS refused AddJobFlowSteps: " in run.text
    assert "there is no cluster j-NOSUCHCLUSTER" in unknown.text


def test_the_door_itself_refuses_to_cancel_what_has_ended(on: Scene) -> None:
    door = StepDoor(EmrDoor(on.lab.cluster_id, settings=on.lab.aws_env))
    id_ = door.submit("hubspec smoke door", "command-runner.jar", ["true"])
    emr.ended(on, on.lab.cluster_id)

    assert door.status(id_)["State"] == "COMPLETED"
    with pytest.raises(Exception, match=f"{id_} cannot be cancelled"):
        door.cancel(id_)
