"""The examples of the EMR documentation about JupyterHub, run as they stand: over SSH, as steps, at a launch.

Source: EMR Release Guide, 'JupyterHub', 'Adding Jupyter Notebook users and administrators' and 'Installing additional kernels and libraries'.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import lab
from lab import engine, hub, inside, provision
from lab.house import CONTROL
from lab.model import HUB, MASTER, Lab

if TYPE_CHECKING:
    from docker import DockerClient

LIMIT = 60.0
SCRIPTS = "hubspec-lab-scripts"
RUNNER = "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar"
INSTALL, ADD = "install keras", "add users"
ON_THE_CLUSTER, AT_LAUNCH = ("richard", "li"), ("mary", "anaya")
ADD_USERS = """#!/bin/bash
# Adds users to the container and to the hub; the first password of each is the name.
USERS=({names})
TOKEN=$(sudo docker exec jupyterhub /opt/conda/bin/jupyterhub token jovyan | tail -1)
for i in "${{USERS[@]}}"; do
  sudo docker exec jupyterhub useradd -m -s /bin/bash -N $i
  sudo docker exec jupyterhub bash -c "echo $i:$i | chpasswd"
  curl -XPOST --silent -k https://$(hostname):9443/hub/api/users/$i -H "Authorization: token $TOKEN" | jq
done
"""


@pytest.fixture(scope="module")
def here() -> Iterator[Lab]:
    """Give the lab, up; afterwards it is as its baseline declares it."""
    found = lab.up(print)
    yield found
    client = engine.connect()
    assert client is not None
    provision.packages(client)
    inside.must(client, MASTER, CONTROL, stdin=json.dumps({"forget_steps": [INSTALL, ADD]}))
    client.close()


@pytest.fixture(scope="module")
def client(here: Lab) -> Iterator[DockerClient]:
    found = engine.connect()
    assert found is not None
    assert here.container == HUB
    yield found
    found.close()


@pytest.fixture
def without_keras(client: DockerClient) -> None:
    """Let keras be removed, with what came with it left."""
    if keras(client):
        inside.must(client, HUB, "conda remove -q -y keras")
    assert keras(client) == []


@pytest.fixture
def newcomers(here: Lab, client: DockerClient) -> Iterator[None]:
    """Remove the example's users and tokens, before and after it."""
    forget_newcomers(here, client)
    yield
    forget_newcomers(here, client)


def forget_newcomers(here: Lab, client: DockerClient) -> None:
    for name in ON_THE_CLUSTER + AT_LAUNCH:
        inside.must(client, HUB, f"if id {name} >/dev/null 2>&1; then userdel -r {name} 2>/dev/null; fi")
        hub.must(here, "DELETE", f"/users/{name}", fine=(hub.NOT_FOUND,))
    for token in hub.tokens(client):
        if (token.user, token.note) == (hub.ADMIN, hub.CLI_NOTE):
            hub.drop(here, token)


def keras(client: DockerClient) -> list[str]:
    listed = json.loads(inside.must(client, HUB, "conda list --json"))
    return [package["version"] for package in listed if package["name"] == "keras"]


def ssh(here: Lab, command: str, *, stdin: str = "") -> str:
    """Run a command on the master node as hadoop, by a real SSH client that trusts the lab's host key only."""
    way = ["-p", str(here.ssh_port), "-i", str(here.ssh_key), "-o", f"UserKnownHostsFile={here.known_hosts}"]
    strict = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-F", "none"]
    done = subprocess.run(
        ["ssh", *way, *strict, "hadoop@127.0.0.1", command],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def aws(here: Lab, service: str) -> Any:
    env = here.aws_env
    return boto3.client(
        service,
        endpoint_url=env["AWS_ENDPOINT_URL"],
        region_name=env["AWS_REGION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )


def completed(here: Lab, cluster: str, step: str) -> None:
    """Wait for the end of a step: it must be COMPLETED."""
    emr, deadline = aws(here, "emr"), time.monotonic() + LIMIT
    while True:
        told = emr.describe_step(ClusterId=cluster, StepId=step)["Step"]["Status"]
        if "EndDateTime" in told["Timeline"]:
            break
        assert time.monotonic() < deadline, told
        time.sleep(0.2)
    assert told["State"] == "COMPLETED", told


def script(here: Lab, names: tuple[str, ...]) -> dict[str, Any]:
    """Put the example's script into S3, and return the step that runs it."""
    aws(here, "s3").put_object(
        Bucket=SCRIPTS, Key="add-users.sh", Body=ADD_USERS.format(names=" ".join(names)).encode()
    )
    args = [f"s3://{SCRIPTS}/add-users.sh"]
    return {"Name": ADD, "ActionOnFailure": "CONTINUE", "HadoopJarStep": {"Jar": RUNNER, "Args": args}}


def can_log_in(here: Lab, name: str) -> bool:
    """Ask PAM by way of the hub (JupyterHub 1.5: a token for a name and a password)."""
    body = {"auth": {"username": name, "password": name}, "expires_in": 60}
    return hub.ask(here, "POST", f"/users/{name}/tokens", body, token="")[0] == 200


@pytest.mark.usefixtures("without_keras")
def test_install_a_library_over_ssh(here: Lab, client: DockerClient) -> None:
    said = ssh(here, "sudo docker exec jupyterhub conda install keras")

    assert "keras" in said
    assert keras(client) == ["2.12.0"]


@pytest.mark.usefixtures("without_keras")
def test_install_a_library_by_a_step_of_the_aws_cli(here: Lab, client: DockerClient) -> None:
    said = ssh(
        here,
        f"aws emr add-steps --cluster-id {here.cluster_id} --steps "
        'Type=CUSTOM_JAR,Name="install keras",ActionOnFailure=CONTINUE,Jar="command-runner.jar",'
        'Args="/usr/bin/sudo","/usr/bin/docker","exec","jupyterhub","conda","install","keras"',
    )
    (number,) = json.loads(said)["StepIds"]
    completed(here, here.cluster_id, number)
    told = json.loads(ssh(here, f"aws emr describe-step --cluster-id {here.cluster_id} --step-id {number}"))["Step"]

    assert keras(client) == ["2.12.0"]
    assert told["Name"] == INSTALL
    assert told["Config"]["Args"][:2] == ["/usr/bin/sudo", "/usr/bin/docker"]


@pytest.mark.usefixtures("newcomers")
def test_add_users_by_a_step_on_the_running_cluster(here: Lab, client: DockerClient) -> None:
    step = script(here, ON_THE_CLUSTER)
    (number,) = aws(here, "emr").add_job_flow_steps(JobFlowId=here.cluster_id, Steps=[step])["StepIds"]
    completed(here, here.cluster_id, number)
    names = {user["name"] for user in hub.must(here, "GET", "/users")}

    assert set(ON_THE_CLUSTER) <= names
    assert inside.must(client, HUB, f"getent passwd {ON_THE_CLUSTER[0]}").strip().endswith("/bin/bash")
    assert all(can_log_in(here, name) for name in ON_THE_CLUSTER)


@pytest.mark.usefixtures("newcomers")
def test_add_users_by_a_step_of_the_launch(here: Lab, client: DockerClient) -> None:
    emr, groups = aws(here, "emr"), [{"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}]
    instances = {"InstanceGroups": groups, "KeepJobFlowAliveWhenNoSteps": False}
    roles = {"JobFlowRole": "EMR_EC2_DefaultRole", "ServiceRole": "EMR_DefaultRole"}
    cluster = emr.run_job_flow(
        Name="launched with its users",
        ReleaseLabel="emr-7.1.0",
        Applications=[{"Name": "JupyterHub"}],
        Instances=instances,
        Steps=[script(here, AT_LAUNCH)],
        **roles,
    )["JobFlowId"]
    (step,) = emr.list_steps(ClusterId=cluster)["Steps"]
    completed(here, cluster, step["Id"])
    deadline = time.monotonic() + LIMIT
    while (told := emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"])["State"] != "TERMINATED":
        assert time.monotonic() < deadline, told
        time.sleep(0.1)

    assert step["Status"]["Timeline"]["CreationDateTime"] <= told["Timeline"]["ReadyDateTime"]
    assert set(AT_LAUNCH) <= {user["name"] for user in hub.must(here, "GET", "/users")}
    assert inside.must(client, HUB, f"id -un {AT_LAUNCH[1]}").strip() == AT_LAUNCH[1]
    assert all(can_log_in(here, name) for name in AT_LAUNCH)


def test_list_the_hubs_users_over_ssh(here: Lab) -> None:
    said = ssh(
        here,
        "read -r TOKEN; HOST=$(hostname); "
        'curl -sk https://$HOST:9443/hub/api/users -H "Authorization: token $TOKEN" | jq .',
        stdin=here.token_file.read_text(),
    )

    assert {user["name"] for user in json.loads(said)} >= {person.name for person in provision.PEOPLE}
