"""The first steps of docs/nightly.md, in an AWS account that is really empty: a second moto on the master node, and the AWS CLI there."""

from __future__ import annotations

import io
import json
import shlex
import tarfile
from collections.abc import Iterator

import machine as machines
import pytest

from lab import inside
from lab.breaks.model import Scene
from lab.model import MASTER
from tests.conftest import ROOT

FOLDER, PORT = "/tmp/nightly-page", 5999
STEPS = range(1, 6)
# The CLI finds the names of EMR's own roles by the name of EMR's end point, which is another one here; and moto tells no group of
# a master node that was not asked for.
STANDS_FOR_AWS = """\
aws() {
  case "$*" in
    "emr create-default-roles") ;;
    *EmrManagedMasterSecurityGroup*) command aws ec2 create-security-group --group-name master --description master --query GroupId --output text ;;
    *) command aws "$@" ;;
  esac
}
"""


@pytest.fixture
def account(on: Scene) -> Iterator[Scene]:
    """Give an empty account, and a folder with this repository's policies, on the master node."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(ROOT / "docs" / "iam", "docs/iam")
    inside.must(on.client, MASTER, f"rm -rf {FOLDER} && mkdir -p {FOLDER}")
    on.client.containers.get(MASTER).put_archive(FOLDER, packed.getvalue())
    serve = f"MOTO_IAM_LOAD_MANAGED_POLICIES=true setsid /opt/aws/bin/python -m moto.server -H 127.0.0.1 -p {PORT} >log 2>&1 </dev/null & echo $!"
    number = inside.must(on.client, MASTER, serve, cwd=FOLDER).strip()
    try:
        inside.must(
            on.client, MASTER, f"timeout 30 sh -c 'until curl -s 127.0.0.1:{PORT} >/dev/null; do sleep 0.1; done'"
        )
        yield on
    finally:
        inside.must(on.client, MASTER, f"kill {number}; rm -rf {FOLDER}")


def _do(on: Scene, script: str) -> str:
    variables = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{PORT}", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    words = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
    return inside.must(on.client, MASTER, f"export {words} AWS_DEFAULT_REGION=us-east-1; set -eu; {script}", cwd=FOLDER)


def test_the_steps_from_an_empty_account(account: Scene) -> None:
    said = _do(account, STANDS_FOR_AWS + "\n".join(machines.page(number) for number in STEPS))
    known = dict(word.split("=") for word in said.splitlines()[-1].split())
    role = json.loads(_do(account, "aws iam get-role-policy --role-name hubspec --policy-name results"))
    groups = json.loads(_do(account, "aws ec2 describe-security-groups"))["SecurityGroups"]
    machine = json.loads(_do(account, "aws ec2 describe-instances --filters Name=instance-type,Values=t3.small"))

    assert known["cluster"].startswith("j-")
    assert set(known) == {"cluster", "node", "results"}
    assert f"arn:aws:s3:::{known['results']}/hubspec/runs/*" in json.dumps(role)
    assert "RESULTS" not in json.dumps(role)
    mine = next(group["GroupId"] for group in groups if group["GroupName"] == "hubspec")
    let_in = {
        rule["FromPort"]
        for group in groups
        for rule in group["IpPermissions"]
        if mine in {pair["GroupId"] for pair in rule["UserIdGroupPairs"]}
    }
    assert let_in == {22, 9443}
    (auditor,) = [one for each in machine["Reservations"] for one in each["Instances"]]
    assert auditor["IamInstanceProfile"]["Arn"].endswith("/hubspec")
    assert auditor["MetadataOptions"]["HttpTokens"] == "required"
