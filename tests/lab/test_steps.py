"""Steps audited on the lab: each really ran there, and the audit talks to its AWS end point as to AWS."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import emr
import pytest

from lab.breaks import aws
from lab.breaks.model import Scene
from tests.conftest import ROOT, Audit, Run

STEPS = "checks/test_steps.py"


def held(audit: Audit, on: Scene, cluster: str, folder: Path, steps: dict[str, Any], *args: str, **policy: Any) -> Run:
    """Audit the steps of a cluster against these declarations, as on AWS."""
    baseline = {"extends": str(ROOT / "baselines" / "emr.yaml"), "steps": steps}
    if policy:
        baseline["undeclared"] = {"step": {"policy": "report", **policy}}
    path = folder / "steps.yaml"
    path.write_text(json.dumps(baseline, ensure_ascii=False))  # JSON is YAML
    return audit("--cluster", cluster, "--baseline", str(path), *args, checks=STEPS, env=on.lab.aws_env)


def test_a_cluster_launched_with_a_step_that_fails_shows_the_scripts_own_error(
    on: Scene, audit: Audit, tmp_path: Path
) -> None:
    script = "#!/bin/bash\nset -e\necho adding users\necho \"useradd: group 'analysts' does not exist\" >&2\nexit 6\n"
    bad = emr.step("add users", emr.put(on, "bad.sh", script), jar=emr.SCRIPT_RUNNER)
    with emr.cluster(on, emr.step("before", "true"), bad) as cluster:
        emr.logs_arrived(on, cluster, "stderr.gz")
        wanted = {"add users": {"state": "COMPLETED", "when": "at launch"}, "before": {"state": "COMPLETED"}}
        run = held(audit, on, cluster, tmp_path, wanted)

    error = "useradd: group 'analysts' does not exist"
    latest = run.folder / "latest"
    (drifted,) = [record for record in run.records if record["outcome"] == "drifted"]
    attachments = [path.read_text() for path in (latest / "allure-results").glob("*-attachment.txt")]
    assert run.code == 1
    assert drifted["resource"] == "add users"
    assert drifted["differences"] == [{"field": "state", "wanted": "COMPLETED", "found": "FAILED"}]
    assert error in run.text
    assert "waitProcessCompletion ended with exit code 6" in run.text
    assert error in (latest / "junit.xml").read_text()
    assert error.replace("'", "&#39;") in (latest / "report.html").read_text()
    assert any(error in text for text in attachments)
    assert "adding users" not in run.text, "stdout is shown where stderr is empty only"


def test_what_failed_lately_and_was_not_declared(on: Scene, audit: Audit, tmp_path: Path) -> None:
    with emr.cluster(on, emr.step("stray", "ls", "/no/such/folder")) as cluster:
        emr.logs_arrived(on, cluster, "stderr.gz")
        run = held(audit, on, cluster, tmp_path, {"other": {"ensure": "absent"}}, failed_within="1h")

    assert run.code == 1
    assert re.search(r"undeclared steps: stray \(s-\w+\)", run.text)
    assert "No such file or directory" in run.text


def test_a_log_that_is_not_there_yet_says_until_when_to_wait(on: Scene, audit: Audit, tmp_path: Path) -> None:
    aws.control({"change": {"log_delay": 600}}, on)
    try:
        with emr.cluster(on, emr.step("fails", "false")) as cluster:
            run = held(audit, on, cluster, tmp_path, {"fails": {"state": "COMPLETED"}})
    finally:
        aws.control({"restore": ["log_delay"]}, on)

    assert run.code == 1
    assert re.search(r"no log is in s3://\S+ yet: EMR brings them .* look again after \d\d:\d\d:\d\d UTC", run.text)


def test_a_cluster_without_a_log_uri(on: Scene, audit: Audit, tmp_path: Path) -> None:
    with emr.cluster(on, emr.step("fails", "false"), LogUri=None) as cluster:
        run = held(audit, on, cluster, tmp_path, {"fails": {"state": "COMPLETED"}})

    assert run.code == 1
    assert "the cluster has no log URI in S3: its step logs are on the master node only" in run.text


def test_a_log_bucket_that_is_gone(on: Scene, audit: Audit, tmp_path: Path) -> None:
    with emr.cluster(on, emr.step("fails", "false"), LogUri="s3://hubspec-no-such-bucket/") as cluster:
        run = held(audit, on, cluster, tmp_path, {"fails": {"state": "COMPLETED"}})

    assert run.code == 1
    assert "the log bucket hubspec-no-such-bucket does not exist, so the cluster's logs are lost" in run.text


def test_of_two_hundred_megabytes_only_the_end_is_shown(on: Scene, audit: Audit, tmp_path: Path) -> None:
    with emr.cluster(on, emr.step("fails", "ls", "/no/such/folder")) as cluster:
        emr.logs_arrived(on, cluster, "stderr.gz")
        (key,) = [key for key in emr.logs(on, cluster) if key.endswith("stderr.gz")]
        noise = gzip.compress(b"all is well here, line after line after line\n" * 222_222)
        emr.put(on, key, noise * 20 + gzip.compress(b"and then the disk was full\n"), emr.LOGS)
        run = held(audit, on, cluster, tmp_path, {"fails": {"state": "COMPLETED"}})

    (record,) = [record for record in run.records if record["outcome"] == "drifted"]
    assert run.code == 1
    assert "and then the disk was full" in run.text
    assert "200000" in record["details"][2]["title"] or "199999" in record["details"][2]["title"]
    assert len(json.dumps(record)) < 10_000


def test_names_made_to_break_something_are_names(on: Scene, audit: Audit, tmp_path: Path) -> None:
    names = ['it\'s "quoted" & <b>bold</b>', "two\nlines", "🦆 $(reboot)", "x" * 256, "ends with (s-1)"]
    with emr.cluster(on, *(emr.step(name, "true") for name in names)) as cluster:
        run = held(audit, on, cluster, tmp_path, {name: {"state": "COMPLETED"} for name in names}, failed_within="1h")

    assert run.code == 0, run.text
    assert run.outcomes() == {"compliant": len(names) + 1}
    assert {record["resource"] for record in run.records} == {*names, "*"}


@pytest.mark.parametrize(
    ("call", "permission"),
    [("ListSteps", "elasticmapreduce:ListSteps"), ("DescribeCluster", "elasticmapreduce:DescribeCluster")],
)
def test_a_call_that_is_denied_names_its_permission(on: Scene, audit: Audit, call: str, permission: str) -> None:
    aws.control({"deny": [call]}, on)
    try:
        run = audit("--cluster", "lab", checks=STEPS)
    finally:
        aws.control({"allow": [call]}, on)

    assert run.code == 11
    assert f"AWS refuses {call}: allow {permission}" in run.text
    assert run.outcomes().keys() <= {"compliant", "unreadable"}


def test_without_the_right_to_read_logs_a_failure_says_so(on: Scene, audit: Audit, tmp_path: Path) -> None:
    with emr.cluster(on, emr.step("fails", "false")) as cluster:
        aws.control({"deny": ["s3:GetObject"]}, on)
        try:
            run = held(audit, on, cluster, tmp_path, {"fails": {"state": "COMPLETED"}})
        finally:
            aws.control({"allow": ["s3:GetObject"]}, on)

    assert run.code == 1
    assert "AWS refuses GetObject: allow s3:GetObject" in run.text


def test_ten_times_throttled_in_a_row(on: Scene, audit: Audit) -> None:
    aws.control({"throttle": {"ListSteps": 10}}, on)
    run = audit("--cluster", "lab", checks=STEPS)

    assert run.code == 0, run.text
    assert "AWS throttles ListSteps: trying again" in run.text


def test_a_terminated_cluster_still_tells_of_its_steps(on: Scene, audit: Audit, tmp_path: Path) -> None:
    with emr.cluster(on, emr.step("once", "true")) as cluster:
        pass  # its end is the case
    run = held(audit, on, cluster, tmp_path, {"once": {"state": "COMPLETED"}})
    whole = audit("--cluster", cluster, checks="checks/test_cluster.py", env=on.lab.aws_env)

    assert run.code == 0, run.text
    assert whole.code == 1
    assert re.search(r"found   TERMINAT", whole.text)


def test_a_cluster_that_is_starting(on: Scene, audit: Audit, tmp_path: Path) -> None:
    slow = emr.put(on, "slow.sh", "#!/bin/bash\nsleep 30\n")
    action = {"Name": "slow", "ScriptBootstrapAction": {"Path": slow}}
    with emr.cluster(on, emr.step("later", "true"), wait=False, BootstrapActions=[action]) as cluster:
        run = held(audit, on, cluster, tmp_path, {"later": {"state": "COMPLETED"}})

    assert run.code == 1
    assert re.search(r"is still (STARTING|BOOTSTRAPPING), so no step has run yet", run.text)


def test_three_thousand_steps_in_their_pages_and_three_more_calls(on: Scene, audit: Audit, tmp_path: Path) -> None:
    client = aws.client(on, "emr")
    with emr.cluster(on, StepConcurrencyLevel=64) as cluster:
        for batch in range(12):
            steps = [emr.step(f"number {batch * 250 + number}", "true") for number in range(250)]
            client.add_job_flow_steps(JobFlowId=cluster, Steps=steps)
            emr.ended(on, cluster)
        aws.control({"calls": True}, on)
        wanted = {"all": {"named": {"matches": "number .+"}, "counts": "every", "state": "COMPLETED", "when": "later"}}
        run = held(audit, on, cluster, tmp_path, wanted)
        calls = aws.control({"calls": True}, on)["calls"]

    assert run.code == 0, run.text
    assert any("all 3000 of them" in record["message"] for record in run.records)
    assert calls.count("elasticmapreduce:ListSteps") == 60
    assert len(calls) <= 60 + 3


def test_a_listing_that_is_cut_off_is_told_of(on: Scene, audit: Audit, tmp_path: Path) -> None:
    with emr.cluster(on, emr.step("first", "true"), *(emr.step(f"n {n}", "true") for n in range(60))) as cluster:
        wanted = {"first": {"state": "COMPLETED"}, "n 59": {"state": "COMPLETED"}}
        run = held(audit, on, cluster, tmp_path, wanted, "--step-limit", "50")

    assert run.code == 11
    assert "only the newest 50 steps were listed; more with --step-limit" in run.text
    assert {record["resource"]: record["outcome"] for record in run.records if record["check"] == "declared"} == {
        "first": "unreadable",
        "n 59": "compliant",
    }
    assert "notice: " in run.text


def test_no_secret_of_a_step_reaches_an_artefact(on: Scene, audit: Audit, tmp_path: Path) -> None:
    canary = "c4n4ry-7d1e9b"
    script = f"#!/bin/bash\nset -x\nDB_PASSWORD={canary} false\n"
    leak = emr.step(
        "leaks", emr.put(on, "leak.sh", script), "--password", canary, f"token={canary}", jar=emr.SCRIPT_RUNNER
    )
    with emr.cluster(on, leak) as cluster:
        emr.logs_arrived(on, cluster, "stderr.gz")
        saved = tmp_path / "seen.json"
        wanted = {"leaks": {"state": "COMPLETED", "arguments": ["x"]}}
        run = held(audit, on, cluster, tmp_path, wanted, "--save-snapshot", str(saved))

    files = [path for path in (*run.folder.rglob("*"), saved) if path.is_file()]
    assert run.code == 1
    assert "DB_PASSWORD=***" in run.text
    assert canary not in run.text
    assert [path for path in files if canary in path.read_text(errors="replace")] == []
    assert len(files) > 5


def test_a_snapshot_keeps_what_a_failed_step_said(on: Scene, audit: Audit, tmp_path: Path) -> None:
    with emr.cluster(on, emr.step("fails", "ls", "/no/such/folder")) as cluster:
        emr.logs_arrived(on, cluster, "stderr.gz")
        saved = tmp_path / "seen.json"
        held(audit, on, cluster, tmp_path, {"fails": {"state": "COMPLETED"}}, "--save-snapshot", str(saved))
    later = audit("--snapshot", str(saved), "--baseline", str(tmp_path / "steps.yaml"), checks=STEPS)

    assert later.code == 1
    assert "No such file or directory" in later.text


def test_an_audit_asks_for_no_more_than_its_policy_allows(on: Scene, audit: Audit) -> None:
    aws.control({"calls": True}, on)
    run = audit("--cluster", "lab")
    made = set(aws.control({"calls": True}, on)["calls"])
    policy = json.loads((ROOT / "docs" / "iam" / "audit.json").read_text())
    allowed = {action for statement in policy["Statement"] for action in statement["Action"]}

    assert run.code == 0, run.text
    assert made - allowed == set()
    assert len(made) >= 6
