"""Clusters of a test's own on the lab's AWS end point, launched as on AWS, and ended afterwards."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import lab
from lab import engine
from lab.breaks import aws
from lab.breaks.model import Scene

SCRIPT_RUNNER = "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar"
LOGS, SCRIPTS = "hubspec-lab-logs", "hubspec-lab-scripts"
LIMIT = 60.0


@contextlib.contextmanager
def scene() -> Iterator[Scene]:
    """Yield the engine and the lab, up."""
    here = lab.up(print)
    client = engine.connect()
    assert client is not None
    with contextlib.closing(client):
        yield Scene(client, here)


def step(name: str, *arguments: str, jar: str = "command-runner.jar", action: str = "CONTINUE") -> dict[str, Any]:
    """Return a step as the EMR API takes it."""
    return {"Name": name, "ActionOnFailure": action, "HadoopJarStep": {"Jar": jar, "Args": list(arguments)}}


@contextlib.contextmanager
def cluster(on: Scene, *steps: dict[str, Any], wait: bool = True, **other: Any) -> Iterator[str]:
    """Yield the id of a cluster that was launched with these steps, once they have ended; terminate it afterwards."""
    emr = aws.client(on, "emr")
    group = {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}
    request: dict[str, Any] = {
        "Name": "hubspec test",
        "ReleaseLabel": "emr-7.1.0",
        "LogUri": f"s3://{LOGS}/",
        "ServiceRole": "EMR_DefaultRole",
        "JobFlowRole": "EMR_EC2_DefaultRole",
        "Applications": [{"Name": "JupyterHub", "Version": "1.5.0"}],
        "Instances": {"InstanceGroups": [group], "KeepJobFlowAliveWhenNoSteps": True},
        "Steps": list(steps),
    }
    request |= other
    made = str(emr.run_job_flow(**{key: value for key, value in request.items() if value is not None})["JobFlowId"])
    try:
        if wait:
            ended(on, made)
        yield made
    finally:
        emr.set_termination_protection(JobFlowIds=[made], TerminationProtected=False)
        emr.terminate_job_flows(JobFlowIds=[made])


def ended(on: Scene, of: str) -> None:
    """Wait until no step of a cluster waits or runs."""
    deadline = time.monotonic() + LIMIT
    while aws.client(on, "emr").list_steps(ClusterId=of, StepStates=["PENDING", "RUNNING", "CANCEL_PENDING"])["Steps"]:
        assert time.monotonic() < deadline, "the steps did not end"
        time.sleep(0.1)


def put(on: Scene, name: str, body: bytes | str, bucket: str = SCRIPTS) -> str:
    """Put an object into S3, and return its URI."""
    aws.client(on, "s3").put_object(Bucket=bucket, Key=name, Body=body)
    return f"s3://{bucket}/{name}"


def logs(on: Scene, of: str) -> set[str]:
    """Return the keys of the logs of a cluster's steps."""
    pages = aws.client(on, "s3").get_paginator("list_objects_v2").paginate(Bucket=LOGS, Prefix=f"{of}/steps/")
    return {entry["Key"] for page in pages for entry in page.get("Contents", [])}


def logs_arrived(on: Scene, cluster: str, name: str) -> None:
    """Wait until some step's log of that name is in S3."""
    deadline = time.monotonic() + LIMIT
    while not any(key.endswith(f"/{name}") for key in logs(on, cluster)):
        assert time.monotonic() < deadline, f"no {name} came"
        time.sleep(0.1)
