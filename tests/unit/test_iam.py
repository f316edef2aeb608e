"""The IAM policies of docs/iam/: what the command prints, what the code calls, and what the actions of an audit name."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

import boto3
import pytest
import yaml

from hubspec.__main__ import main
from hubspec.cluster.calls import CALLS, NEEDS, Need
from hubspec.iam import policy
from hubspec.kinds import KINDS
from tests.conftest import ROOT

POLICIES = ROOT / "docs" / "iam"
CLIENTS = {name: boto3.client(name, region_name="us-east-1") for name in ("emr", "ec2", "s3", "sts", "ssm")}
PREFIX = {"emr": "elasticmapreduce", "ec2": "ec2", "s3": "s3", "sts": "sts", "ssm": "ssm"}
SOURCES = {path: ast.parse(path.read_text()) for path in sorted((ROOT / "hubspec").rglob("*.py"))}


def called() -> set[str]:
    """Return the first argument of every `.call("X", ...)`."""
    found = set()
    for tree in SOURCES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "call":
                assert isinstance(node.args[0], ast.Constant), "the name of a call is written out"
                found.add(str(node.args[0].value))
    return found


def allowed(need: Need) -> dict[str, str | list[str]]:
    """Return IAM action -> resource."""
    return {action: statement["Resource"] for statement in policy(need)["Statement"] for action in statement["Action"]}


@pytest.mark.parametrize("need", NEEDS)
def test_the_files_are_what_the_command_prints(
    need: Need, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["hubspec", "iam", need])
    main()
    assert capsys.readouterr().out == (POLICIES / f"{need}.json").read_text()
    assert f"[{need}.json]({need}.json)" in (POLICIES / "README.md").read_text()


@pytest.mark.parametrize("need", NEEDS)
def test_a_policy_is_one(need: Need) -> None:
    """Keys, versions and forms of the IAM policy grammar, as far as these policies use it."""
    document = json.loads((POLICIES / f"{need}.json").read_text())

    assert set(document) == {"Version", "Statement"}
    assert document["Version"] == "2012-10-17"
    ids = [statement["Sid"] for statement in document["Statement"]]
    assert len(ids) == len(set(ids))
    for statement in document["Statement"]:
        assert {"Sid", "Effect", "Action", "Resource"} <= set(statement) <= {
            "Sid", "Effect", "Action", "Resource", "Condition",
        }  # fmt: skip
        assert re.fullmatch(r"[A-Za-z0-9]+", statement["Sid"])
        assert statement["Effect"] == "Allow"
        for resource in statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]:
            assert resource == "*" or re.fullmatch(r"arn:aws:(elasticmapreduce|ec2|s3|ssm):\*?:\*?:\S+", resource)
    for action in allowed(need):
        assert re.fullmatch(r"(elasticmapreduce|ec2|s3|ssm):[A-Za-z]+", action), "no wildcard in an action"


def test_every_call_made_is_in_the_table_and_the_other_way_round() -> None:
    by_a_person = {"RevokeSecurityGroupIngress"}

    assert called() == set(CALLS) - by_a_person


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_an_operation_of_its_client(name: str) -> None:
    call = CALLS[name]
    assert CLIENTS[call.client].meta.method_to_api_mapping[call.method] == name
    # Service Authorization Reference for Amazon S3: some of its actions have names of their own.
    named = {"ListObjectsV2": "ListBucket", "GetPublicAccessBlock": "GetBucketPublicAccessBlock"}
    assert call.action == f"{PREFIX[call.client]}:{named.get(name, name)}"
    on_cluster = {"ClusterId", "JobFlowId", "JobFlowIds", "ResourceId"}
    members = set(CLIENTS[call.client].meta.service_model.operation_model(name).input_shape.members)
    assert (call.scope == "cluster") == (call.client == "emr" and bool(members & on_cluster))


def test_an_audit_changes_nothing() -> None:
    assert all(re.fullmatch(r"\w+:(Describe|List|Get)\w+", action) for action in allowed("audit"))
    assert set(allowed("audit").items()) <= set(allowed("smoke").items()) & set(allowed("remediate").items())


def requests() -> Iterator[str]:
    """Yield each request to AWS of the case files that could be carried out as it stands."""
    for kind in KINDS:
        for path in (ROOT / "tests" / "cases" / kind).glob("*.yaml"):
            case = yaml.safe_load(path.read_text(encoding="utf-8"))
            for actions in [*case.get("actions", {}).values(), *case.get("undeclared", {}).values()]:
                for action in actions:
                    for safety, request in action.items():
                        if safety != "manual" and re.match(r"(elasticmapreduce|ec2|s3|iam):[A-Z]", request):
                            yield request


def test_remediation_is_allowed_what_the_actions_name() -> None:
    named = {request.split()[0] for request in requests()}

    assert named
    assert named <= set(allowed("remediate"))
    waiting = {call.action for call in CALLS.values() if call.needs == ("remediate",)}
    by_hand = {"ec2:RevokeSecurityGroupIngress"}
    assert waiting - by_hand <= named, "allowed, though no action needs it"


def test_only_the_session_knows_boto3() -> None:
    knows = {
        path.relative_to(ROOT).as_posix()
        for path, tree in SOURCES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and any(name.name.split(".")[0] in {"boto3", "botocore"} for name in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in {"boto3", "botocore"})
    }  # fmt: skip
    assert knows == {"hubspec/cluster/clients.py", "hubspec/cluster/session.py"}
