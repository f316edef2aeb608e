"""The doors that need AWS alone, on a real queue of steps and a real agent: what shuts them, what they leave, and what they never do."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import emr
import pytest

from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.sealed_door import SealedDoor
from hubspec.cluster.ssm_door import SsmCarrier
from hubspec.cluster.step_door import StepCarrier
from hubspec.cluster.steps import StepDoor
from hubspec.errors import DoorError
from lab import breaks
from lab.breaks import aws
from lab.breaks.model import Scene
from lab.model import HUB
from tests.conftest import ROOT, Audit

USERS = "checks/test_users.py"
DENIED = ["AddJobFlowSteps", "SendCommand", "GetCommandInvocation", "s3:PutObject", "s3:DeleteObject"]


@pytest.fixture(autouse=True)
def _taken_back(on: Scene) -> Iterator[None]:
    """Whatever happened: nothing of a look is left in S3, and none of its steps waits or runs."""
    aws.control({"change": {"log_delay": 0}}, on)
    yield
    aws.control({"allow": DENIED, "restore": ["log_delay", "ssm_agent"]}, on)
    there = aws.client(on, "s3").list_objects_v2(Bucket=emr.LOGS, Prefix="hubspec/").get("Contents", [])
    for entry in there:  # what one test leaves is no fault of the next
        aws.client(on, "s3").delete_object(Bucket=emr.LOGS, Key=entry["Key"])
    assert [entry["Key"] for entry in there] == []
    deadline = time.monotonic() + emr.LIMIT
    while any("EndDateTime" not in step["Status"]["Timeline"] for step in looks(on)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def looks(on: Scene) -> list[dict[str, Any]]:
    """Return the newest steps that looked, newest first."""
    steps = aws.client(on, "emr").list_steps(ClusterId=on.lab.cluster_id)["Steps"]
    return [step for step in steps if step["Name"].startswith("hubspec look ")]


@pytest.fixture
def door(on: Scene) -> Callable[..., SealedDoor]:
    """Give what makes a door to the hub's container."""

    def made(name: str, *, cluster: str = "", deadline: float = 20, limit: float = 30) -> SealedDoor:
        known = EmrDoor(cluster or on.lab.cluster_id, settings=on.lab.aws_env)
        steps = StepDoor(known)
        carrier = StepCarrier(steps, print, limit=limit) if name == "step" else SsmCarrier(known, steps, print)
        return SealedDoor(carrier, HUB, deadline=deadline)

    return made


@pytest.fixture
def busy(on: Scene) -> Iterator[None]:
    """Let a step run that takes long, at a concurrency of one."""
    client = aws.client(on, "emr")
    step = emr.step("a long one", "sleep", "300")
    (id_,) = client.add_job_flow_steps(JobFlowId=on.lab.cluster_id, Steps=[step])["StepIds"]
    yield
    client.cancel_steps(ClusterId=on.lab.cluster_id, StepIds=[id_], StepCancellationOption="TERMINATE_PROCESS")


@pytest.mark.parametrize(
    ("name", "request_", "words"),
    [
        ("step", {"deny": ["s3:PutObject"]}, "AWS refuses PutObject: allow s3:PutObject"),
        ("step", {"deny": ["AddJobFlowSteps"]}, "AWS refuses AddJobFlowSteps: allow elasticmapreduce:AddJobFlowSteps"),
        ("step", {"change": {"log_delay": 600}}, "has COMPLETED, and its answer did not reach S3 within 3 s: "),
        ("ssm", {"deny": ["SendCommand"]}, "AWS refuses SendCommand: allow ssm:SendCommand .* or give another --door"),
        ("ssm", {"deny": ["GetCommandInvocation"]}, "AWS refuses GetCommandInvocation: allow ssm:GetCommandInvocation"),
        ("ssm", {"change": {"ssm_agent": "none"}}, "SSM does not know the master instance i-[0-9a-f]+, or it does not run: .*AmazonSSMManagedInstanceCore"),
        ("ssm", {"change": {"ssm_agent": "offline"}}, "the SSM agent of i-[0-9a-f]+ did not take the command in time: does it run?"),
    ],
)  # fmt: skip
def test_what_shuts_it_is_told_with_the_next_step(
    on: Scene, door: Any, name: str, request_: dict[str, Any], words: str
) -> None:
    aws.control(request_, on)
    with pytest.raises(DoorError, match=words):
        door(name, limit=3, deadline=1).run("echo here")


def test_a_busy_queue_is_waited_for_and_told(on: Scene, door: Any, busy: None) -> None:
    del busy
    with pytest.raises(
        DoorError, match=r"still PENDING after 2 s behind 1 other step, the first of them a long one, and was cancelled"
    ):
        door("step", limit=2).run("echo here")
    assert looks(on)[0]["Status"]["State"] == "CANCELLED"
    assert door("ssm").run("echo here")[0] == "here\n", "which waits behind no step"


def test_an_interrupted_audit_takes_back_its_script_and_its_step(on: Scene, busy: None, tmp_path: Path) -> None:
    # TERM goes the way of Ctrl-C, and has to be led there first.
    del busy
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", USERS, "--cluster", "lab", "--door", "step", "--reports", tmp_path, "-p", "no:cacheprovider"],
        cwd=ROOT, env={key: value for key, value in os.environ.items() if not key.startswith("HUBSPEC_")},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        assert any("submitted as s-" in line for line in process.stdout), "it began"
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
    finally:
        process.kill()

    assert process.returncode == 2, said
    assert looks(on)[0]["Status"]["State"] == "CANCELLED"


def test_nothing_of_what_was_seen_is_in_the_log_of_the_step(on: Scene, door: Any) -> None:
    seen = door("step").look("echo c4n4$((3 * 3))ry; cat /etc/jupyter/conf/jupyterhub_config.py", others=True)
    newest = looks(on)[0]["Id"]
    where = f"{on.lab.cluster_id}/steps/{newest}/"
    client = aws.client(on, "s3")
    keys = [entry["Key"] for entry in client.list_objects_v2(Bucket=emr.LOGS, Prefix=where)["Contents"]]
    logs = {
        key.rpartition("/")[2]: gzip.decompress(client.get_object(Bucket=emr.LOGS, Key=key)["Body"].read())
        for key in keys
    }

    assert "c4n49ry" in seen.stdout
    assert len(seen.stdout) > 300
    assert b" begin .\n" in logs["stdout.gz"]
    for word in (b"c4n49ry", b"JupyterHub", HUB.encode(), b"Config"):
        assert not any(word in text for text in logs.values()), word


def test_the_step_that_looked_is_no_step_of_the_cluster_in_the_same_audit(
    on: Scene, audit: Audit, door: Any, tmp_path: Path
) -> None:
    door("step").run("echo earlier")
    earlier = looks(on)[0]["Id"]
    strict = tmp_path / "strict.yaml"
    strict.write_text(f"extends: {ROOT}/baselines/lab.yaml\nundeclared:\n  step: {{ignore: [], jars: [no-such.jar]}}\n")
    run = audit("checks/test_steps.py", "--cluster", "lab", "--door", "step", "--baseline", str(strict), checks=USERS)
    newest = looks(on)[0]["Id"]

    (record,) = [one for one in run.records if one["kind"] == "step" and one["check"] == "undeclared"]
    assert newest != earlier
    assert earlier in str(record), "what another run left is there"
    assert newest not in str(record)


def test_a_long_answer_of_ssm_without_a_place_for_it(on: Scene, door: Any) -> None:
    with emr.cluster(on, LogUri=None) as made:
        assert door("ssm", cluster=made).run("echo here")[0] == "here\n"
        with pytest.raises(
            DoorError, match=r"longer than the 24,000 characters that SSM tells, and there is no place in S3"
        ):
            door("ssm", cluster=made).run("head -c 100000 /dev/urandom | base64")
        with pytest.raises(DoorError, match="the cluster has no log URI in S3, so the output of a step cannot be read"):
            door("step", cluster=made).run("echo here")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--cluster", "lab", "--door", "step", "--mint-token", "jovyan"], "--mint-token: through --door step none is made"),
        (["--cluster", "ssh://hadoop@localhost", "--door", "ssm"], "--door ssm: AWS knows nothing of a machine that is named by its address"),
        (["--cluster", "lab", "--door", "step", "--step-deadline", "soon"], "--step-deadline: wanted a number of seconds above 0"),
    ],
)  # fmt: skip
def test_what_does_not_go_together(audit: Audit, args: list[str], words: str) -> None:
    run = audit(*args, checks=USERS, env={"HUBSPEC_BASELINE": "baselines/lab.yaml"})

    assert run.code == 4, run.text
    assert words in run.text
    assert "submitted as" not in run.text


def test_no_token_is_made_that_way_for_want_of_another_either(on: Scene, audit: Audit) -> None:
    env = {key: value for key, value in on.lab.env.items() if key != "HUBSPEC_HUB_TOKEN_FILE"} | {
        "HUBSPEC_MINT_TOKEN": "jovyan"
    }
    run = audit("--cluster", on.lab.cluster_id, "--door", "ssm", checks="checks/test_hub_users.py", env=env)

    assert run.code == 11
    assert (
        "there is no hub token, and through --door ssm none is made, for it would come back by way of what AWS keeps"
        in run.text
    )
    assert "give it in HUBSPEC_HUB_TOKEN" in run.text.replace("\n", "")


def test_what_it_looked_at_is_put_right_by_a_step(on: Scene, audit: Audit) -> None:
    breaks.apply("diego-missing")
    try:
        run = audit("--cluster", "lab", "--door", "ssm", "--remediate=safe", checks=USERS)
    finally:
        breaks.mend("diego-missing")

    assert run.code == 0, run.text
    assert run.outcomes()["fixed"] >= 1
    assert "hubspec remediate" in run.text
    assert {record["door"] for record in run.records} == {"ssm"}
    assert on
