"""How a break reaches the cluster: the AWS API where AWS has a call, the lab's own way behind it where there is none."""

from __future__ import annotations

import json
import time
from typing import Any

from lab import inside
from lab.breaks.model import Scene
from lab.house import CONTROL
from lab.model import MASTER, LabError

END_LIMIT = 30.0


def client(scene: Scene, service: str) -> Any:
    """Answer a boto3 client of a service of the lab's AWS API."""
    import boto3

    env = scene.lab.aws_env
    return boto3.client(
        service,
        endpoint_url=env["AWS_ENDPOINT_URL"],
        region_name=env["AWS_REGION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )


def control(request: dict[str, Any], scene: Scene) -> dict[str, Any]:
    """Change the cluster behind the AWS API, and answer what comes back. Raises: LabError where that is refused.

    The requests: `lab/images/master/aws_control.py`.
    """
    answer: dict[str, Any] = json.loads(inside.must(scene.client, MASTER, CONTROL, stdin=json.dumps(request)))
    return answer


def cluster(scene: Scene) -> dict[str, Any]:
    """Answer the `Cluster` of DescribeCluster."""
    answer: dict[str, Any] = client(scene, "emr").describe_cluster(ClusterId=scene.lab.cluster_id)["Cluster"]
    return answer


def steps(scene: Scene, *names: str) -> list[dict[str, Any]]:
    """Answer the steps of these names, newest first."""
    pages = client(scene, "emr").get_paginator("list_steps").paginate(ClusterId=scene.lab.cluster_id)
    return [step for page in pages for step in page["Steps"] if step["Name"] in names]


def submit(scene: Scene, name: str, jar: str, *args: str) -> None:
    """Submit a step, unless the newest of its name was submitted just so."""
    newest = next(iter(steps(scene, name)), None)
    if newest and (newest["Config"]["Jar"], newest["Config"]["Args"]) == (jar, list(args)):
        return
    step = {"Name": name, "ActionOnFailure": "CONTINUE", "HadoopJarStep": {"Jar": jar, "Args": list(args)}}
    client(scene, "emr").add_job_flow_steps(JobFlowId=scene.lab.cluster_id, Steps=[step])


def wait(scene: Scene, *names: str) -> None:
    """Wait until no step of these names waits or runs. Raises: LabError after END_LIMIT."""
    deadline = time.monotonic() + END_LIMIT
    while going := [step["Id"] for step in steps(scene, *names) if "EndDateTime" not in step["Status"]["Timeline"]]:
        if time.monotonic() > deadline:
            raise LabError(f"steps did not end within {END_LIMIT:.0f} s", found=", ".join(going))
        time.sleep(0.1)
