"""A secret in every place where one can be: it is in no report, no log, no traceback and nowhere on the terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hubs import answer, running
from planted import SECRET, secret

from tests.conftest import Audit, Run
from tests.unit.aws_server import serving

LOUD = (
    *("-vv", "-l", "--showlocals", "--tb=long", "-rA", "--log-level", "DEBUG", "-o", "log_cli=true"),
    *("-o", "log_cli_level=DEBUG", "--report", "all", "-p", "planted"),
)
BASELINE = f"""
extends: EMR
accounts: directory
users:
  ana: {{uid: 1}}
kernels:
  python3: {{command: /opt/conda/bin/python3, runs: true}}
configs:
  /etc/jupyter/conf/jupyterhub_config.py: {{settings: {{JupyterHub.port: 1, JupyterHub.db_url: "mysql://hub:{secret("declared-database")}@db/hub"}}}}
  /etc/jupyter/conf/config.json: {{settings: {{kernel_python_credentials.username: x}}}}
  /etc/jupyter/conf/broken.json: {{settings: {{a: 1}}}}
services:
  report: {{admin: true, url: "https://u:{secret("declared-service")}@h", command: [run, --token, {secret("declared-argument")}]}}
routes:
  /x/?token={secret("test-id")}: {{target: "http://h"}}
steps:
  load: {{state: COMPLETED, arguments: [--password, {secret("declared-step")}]}}
cluster:
  bootstrap_actions: {{b: s3://b/other.sh}}
  tags: {{page: none, db_password: {secret("declared-tag")}}}
  configurations: {{jupyter-s3-conf: {{x: none}}}}
undeclared:
  service: {{policy: report}}
  route: {{policy: report}}
  step: {{policy: report}}
  config: {{policy: report, forbid: ["*"]}}
"""
TIMES = {"CreationDateTime": 1767323045.0, "StartDateTime": 1767323046.0, "EndDateTime": 1767323047.0}
STEPS = [
    {
        "Id": "s-1", "Name": "load",
        "Config": {
            "Jar": f"s3://b/x.jar?X-Amz-Signature={secret('signed-jar')}",
            "Args": ["--password", secret("step-argument"), f"--token={secret('step-assigned')}", f"https://u:{secret('step-url')}@h/x", f"https://h/?token={secret('step-query')}"],
        },
        "Status": {
            "State": "FAILED", "Timeline": TIMES, "StateChangeReason": {"Message": f"password={secret('step-reason')}"},
            "FailureDetails": {"Reason": "x", "Message": f"cannot open s3://b/x?X-Amz-Signature={secret('signed-message')}&x=1", "LogFile": "s3://b/l"},
        },
    },
    {"Id": "s-2", "Name": f"fetch https://u:{secret('step-name')}@h", "Config": {"Jar": "command-runner.jar", "Args": []}, "Status": {"State": "FAILED", "Timeline": TIMES}},
]  # fmt: skip
CLUSTER = {
    "Cluster": {
        "Id": "j-SECRETS", "Name": "c", "Status": {"State": "WAITING", "Timeline": {"ReadyDateTime": 1767323045.0}}, "Applications": [{"Name": "JupyterHub", "Version": "1"}],
        "Tags": [{"Key": "db_password", "Value": secret("tag")}, {"Key": "page", "Value": f"https://u:{secret('tag-url')}@h"}],
        "Configurations": [{"Classification": "jupyter-s3-conf", "Properties": {"s3.secret": secret("launch-property"), "x": f"-Dpassword={secret('launch-value')}"}}],
        "LogUri": f"s3://b/?X-Amz-Signature={secret('log-uri')}", "MasterPublicDnsName": "h",
    }
}  # fmt: skip
BOOTSTRAP = {"BootstrapActions": [{"Name": "b", "ScriptPath": f"s3://b/x.sh?X-Amz-Signature={secret('bootstrap-script')}", "Args": ["--password", secret("bootstrap-argument")]}]}  # fmt: skip
AWS: dict[str, list[Any]] = {
    "DescribeCluster": [CLUSTER], "ListSteps": [{"Steps": STEPS}], "ListBootstrapActions": [BOOTSTRAP],
    "ListInstanceGroups": [{"InstanceGroups": []}], "ListInstances": [{"Instances": []}],
}  # fmt: skip
SERVICES = {"report": {"name": "report", "admin": False, "url": f"https://u:{secret('service-url')}@h", "prefix": "/", "command": ["run", "--token", secret("service-argument")], "pid": 0, "info": {"token": secret("service-info")}}}  # fmt: skip
ROUTES = {"/x/": {"routespec": "/x/", "target": f"http://u:{secret('hub-route-target')}@h:1/?token={secret('hub-route-query')}", "data": {"token": secret("route-data")}}}  # fmt: skip
HUB = {
    "": answer(200, b'{"version": "1.5.0"}'), "/": answer(200, b'{"version": "1.5.0"}'), "/users": answer(200, json.dumps([{"name": "ana", "admin": True, "groups": [], "auth_state": {"access_token": secret("auth-state")}, "server": None, "pending": None, "servers": {}}]).encode()),
    "/services": answer(200, json.dumps(SERVICES).encode()), "/proxy": answer(200, json.dumps(ROUTES).encode()),
    "/groups": answer(500, f"could not connect to postgresql://hub:{secret('hub-error')}@db/hub, token={secret('hub-error-token')}".encode()),
}  # fmt: skip
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n-----END OPENSSH PRIVATE KEY-----\n"


EMR = Path(__file__).parents[2] / "baselines" / "emr.yaml"
PLANTED = set(
    re.findall(
        r"secret\([\"']([a-z-]+)[\"']\)",
        Path(__file__).read_text() + (Path(__file__).parent / "planted.py").read_text(),
    )
)


def look(audit: Audit, folder: Path, *args: str, broken: str = "") -> Run:
    """Audit a cluster that is full of secrets, as loudly as can be."""
    (folder / "secrets.yaml").write_text(BASELINE.replace("EMR", str(EMR)))
    (folder / "key").write_text(KEY % secret("private-key"))
    (folder / "sudo").write_text(secret("sudo-file"))
    with running(HUB, folder) as hub, serving(AWS) as (variables, asked):
        options = {
            "--cluster": "j-SECRETS", "--baseline": str(folder / "secrets.yaml"), "--door": "docker", "--hub-url": hub.url, "--hub-fingerprint": hub.fingerprint,
            "--ssh-key": str(folder / "key"), "--sudo-password-file": str(folder / "sudo"), "--save-snapshot": str(folder / "reports" / "seen.json"), "--deadline": "5",
        }  # fmt: skip
        words = [word for pair in options.items() for word in pair]
        env = {
            "HUBSPEC_HUB_TOKEN": secret("hub-token"), "HUBSPEC_SUDO_PASSWORD": secret("sudo-password"), "HUBSPEC_TEST_BREAK": broken, "PYTHONPATH": str(Path(__file__).parent),
            **variables, "AWS_SECRET_ACCESS_KEY": secret("aws-secret"), "AWS_SESSION_TOKEN": secret("aws-session"),
        }  # fmt: skip
        run = audit(*words, *LOUD, *args, env=env)
        assert broken == "hub" or {f"token {secret('hub-token')}"} < {token for _, token in hub.asked}
    assert {"DescribeCluster", "ListSteps", "ListBootstrapActions"} <= {call for call, _ in asked}
    return run


def leaks(run: Run) -> dict[str, list[str]]:
    """Return place -> where its secret was found, on the terminal or in a file."""
    files = [path for path in run.folder.rglob("*") if path.is_file()]
    texts = {str(path.relative_to(run.folder)): path.read_text(errors="replace") for path in files}
    found: dict[str, set[str]] = {}
    for name, text in {"terminal": run.text, **texts}.items():
        for place in re.findall(rf"{SECRET}-([a-z-]+)-5e7a91d0", text):
            found.setdefault(place, set()).add(name)
    return {place: sorted(names) for place, names in found.items()}


def test_no_secret_of_an_audit_is_anywhere(audit: Audit, tmp_path: Path) -> None:
    run = look(audit, tmp_path)

    assert leaks(run) == {}
    assert run.code == 1
    assert len(list((run.folder / "latest").rglob("*"))) > 50
    # It was there, and what is shown in its place is shown.
    seen = {(record["kind"], record["resource"]): json.dumps(record) for record in run.records}
    assert "--token=***" in seen["step", "load"]
    assert "mysql://hub:***@db/hub" in seen["config", "/etc/jupyter/conf/jupyterhub_config.py"]
    assert "http://u:***@h:1/?token=***" in seen["route", "*"]
    assert run.text.count("***") > 20


def test_a_secret_that_is_not_masked_would_be_found(audit: Audit, tmp_path: Path) -> None:
    found = leaks(look(audit, tmp_path, broken="mask"))

    assert len(found) > 25
    assert found.keys() <= PLANTED
    assert {"terminal", "seen.json"} < {name for names in found.values() for name in names}


@pytest.mark.parametrize("place", ["hub", "parse", "report"])
def test_no_secret_is_told_where_something_breaks_down(place: str, audit: Audit, tmp_path: Path) -> None:
    run = look(audit, tmp_path, broken=place)

    assert leaks(run) == {}
    assert run.code != 0


@pytest.mark.parametrize(
    "args",
    [
        ["--hub-url", f"https://admin:{secret('option-url')}@127.0.0.1:1"],
        ["--hub-url", f"https://127.0.0.1:1/?token={secret('option-query')}"],
        ["--hub-url", f"ftp://admin:{secret('option-scheme')}@h"],
        ["--scratch", f"https://b/?X-Amz-Signature={secret('option-scratch')}"],
        ["--cluster", f"https://u:{secret('option-cluster')}@h"],
        ["--hub-ulr", f"https://u:{secret('option-unknown')}@h"],
        [f"--hub-tokn={secret('option-secret')}"],
    ],
)
def test_no_secret_of_the_command_line_is_told(args: list[str], audit: Audit) -> None:
    env = {
        "HUBSPEC_HUB_TOKEN": secret("hub-token"),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/nonexistent",
    }
    cluster = [] if args[0] == "--cluster" else ["--cluster", "j-A"]
    run = audit(*cluster, *args, *LOUD[:-2], checks="checks/test_hub_users.py", env=env)

    assert run.code != 0
    assert leaks(run) == {}
