"""The jobs of deploy/, each by the linter of its own ecosystem; systemd and the image are tried in tests/lab/test_night.py."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from crontab import CronTab

from hubspec.cluster.calls import Need
from hubspec.configured import configured
from hubspec.iam import policy
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
TEMPLATES = sorted((DEPLOY / "aws").glob("*.yaml"))


def lints(*command: str | Path) -> None:
    """Assert that a tool of the development environment finds nothing."""
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


class _Cfn(yaml.SafeLoader):
    """Reads CloudFormation's short forms as the text that they hold."""


def _plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    assert isinstance(node, yaml.SequenceNode)
    return loader.construct_sequence(node, deep=True)


_Cfn.add_multi_constructor("!", _plain)


def read(path: Path) -> Any:
    """Return the document of a file; of several the list."""
    found = list(yaml.load_all(path.read_text(), _Cfn))
    return found[0] if len(found) == 1 else found


def states(template: Path) -> dict[str, Any]:
    """Return the state machine of a template, with something for each of its substitutions."""
    properties = read(template)["Resources"]["Night"]["Properties"]
    text = properties["DefinitionString"]
    for name in properties["DefinitionSubstitutions"]:
        text = text.replace(f"${{{name}}}", "4" if name == "Parts" else f"a-{name}")
    assert "${" not in text
    found: dict[str, Any] = json.loads(text)
    return found


def commands(value: Any) -> Iterator[str]:
    """Yield the text of each `sh -c` of a document."""
    if isinstance(value, dict):
        for one in value.values():
            yield from commands(one)
    elif isinstance(value, list):
        if value[:2] == ["sh", "-c"]:
            yield value[2]
        for one in value:
            yield from commands(one)


def jobs(path: Path) -> Iterator[CronTab]:
    """Yield the jobs of a crontab of the system, in which a user stands before the command."""
    yield from CronTab(tab=path.read_text(), user=False)


def scripts() -> Iterator[tuple[str, str]]:
    """Yield each shell script in deploy/, with where it is."""
    github = read(DEPLOY / "github" / "nightly.yml")
    for name, job in github["jobs"].items():
        yield from ((f"github {name}", step["run"]) for step in job["steps"] if "run" in step)
    gitlab = read(DEPLOY / "gitlab" / "nightly.gitlab-ci.yml")
    for name, job in gitlab.items():
        if isinstance(job, dict):
            yield from ((f"gitlab {name}", line) for line in [*job.get("before_script", []), *job.get("script", [])])
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        yield from ((f"kubernetes {path.stem}", text) for text in commands(read(path)))
    for path in TEMPLATES:
        yield from ((f"aws {path.stem}", text) for text in commands(states(path)))
    yield from (("cron", job.command) for job in jobs(DEPLOY / "cron" / "hubspec"))
    yield from (
        (f"container {name}", (DEPLOY / "container" / name).read_text()) for name in ("audit-part", "audit-merge")
    )


SCRIPTS = list(scripts())


def test_the_image() -> None:
    lints("hadolint", "deploy/container/Dockerfile")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_the_templates_of_cloudformation(template: Path) -> None:
    lints("cfn-lint", "--regions", "us-east-1", "eu-west-1", "--", template)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_a_night_of_a_template_ends_with_the_merge(template: Path) -> None:
    machine = states(template)
    at, seen = machine["StartAt"], []
    while at:
        seen.append(at)
        at = machine["States"][at].get("Next", "")

    assert set(seen) == set(machine["States"])
    assert seen[-2:] == ["Audit", "Merge"]
    assert "Catch" not in machine["States"]["Merge"], "its exit code is the night's"
    assert "States.ALL" in json.dumps(machine["States"]["Audit"]), "a part that drifts keeps nobody from joining"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_allows_what_the_policy_allows(template: Path) -> None:
    role = read(template)["Resources"]["AuditRole"]["Properties"]
    given = {one["PolicyName"]: one["PolicyDocument"]["Statement"] for one in role["Policies"]}
    wanted: dict[str, Need] = {"audit": "door-ssm", "results": "results"}

    assert set(given) == set(wanted)
    for name, need in wanted.items():
        assert [(one["Sid"], one["Action"]) for one in given[name]] == [
            (one["Sid"], one["Action"]) for one in policy(need)["Statement"]
        ]
        for one, other in zip(given[name], policy(need)["Statement"], strict=True):
            assert (one["Resource"] == "*") == (other["Resource"] == "*")
            assert name == "results" or ("Condition" in one) == ("Condition" in other)


@pytest.mark.parametrize("name", ["cronjob", "fleet"])
def test_the_jobs_of_kubernetes(name: str) -> None:
    found = read(DEPLOY / "kubernetes" / f"{name}.yaml")
    for one in found if isinstance(found, list) else [found]:
        kubernetes_validate.validate(one, "1.30", strict=True)
        assert CronTab(tab=f"{one['spec']['schedule']} true\n")[0].is_valid()
        pod = one["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"]
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_the_workflow_of_github() -> None:
    lints("check-jsonschema", "--builtin-schema", "vendor.github-workflows", "deploy/github/nightly.yml")
    lints("zizmor", "--offline", "--no-progress", "--config", "tests/zizmor.yml", "deploy/github/nightly.yml")


def test_the_pipeline_of_gitlab() -> None:
    path = "deploy/gitlab/nightly.gitlab-ci.yml"
    lints("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", path)


def test_the_line_of_cron() -> None:
    (job,) = jobs(DEPLOY / "cron" / "hubspec")

    assert job.is_valid()
    assert job.user == "hubspec"
    assert job.frequency_per_year() in {365, 366}
    assert "%" not in job.command, "cron takes it for the end of a line"


def test_every_script_is_found() -> None:
    assert {where.split()[0] for where, _ in SCRIPTS} == {"github", "gitlab", "kubernetes", "aws", "cron", "container"}


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no shellcheck on this machine")
@pytest.mark.parametrize(("where", "script"), SCRIPTS)
def test_a_script_is_sound(where: str, script: str) -> None:
    # SC2046: the words of seq are meant to be many. The shells of GitHub and GitLab stop at what fails.
    command = ["shellcheck", "--shell=sh", "--exclude=SC2046", "-"]
    done = subprocess.run(command, input=f"set -e\n{script}\n", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{where}: {done.stdout}"


def test_the_sample_of_settings_is_read() -> None:
    found = configured(DEPLOY, "hubspec.toml")

    assert found.layer.values["--cluster"]
    assert found.tables


def test_the_line_of_the_service_is_one_of_pytest() -> None:
    lines = (DEPLOY / "systemd" / "hubspec.service").read_text().splitlines()
    (line,) = [one.removeprefix("ExecStart=") for one in lines if one.startswith("ExecStart=")]

    assert shlex.split(line) == ["/opt/hubspec/.venv/bin/pytest", "checks/"]
