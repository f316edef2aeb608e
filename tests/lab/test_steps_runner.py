"""The lab's step runner, held against EMR's own words by a real AWS client: states, times, limits, logs, ends."""

from __future__ import annotations

import gzip
import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import lab
from lab import engine, inside
from lab.house import CONTROL
from lab.model import MASTER, Lab

if TYPE_CHECKING:
    from docker import DockerClient

LIMIT = 30.0
RUNNER = "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar"
SCRIPTS, LOGS = "hubspec-lab-scripts", "hubspec-lab-logs"
OVER = {"COMPLETED", "FAILED", "CANCELLED", "INTERRUPTED"}
ENDED = {"TERMINATED", "TERMINATED_WITH_ERRORS"}
MASTER_ONLY = [{"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}]
Launch = Callable[..., str]
T = TypeVar("T")


@pytest.fixture(scope="module")
def here() -> Lab:
    return lab.up(print)


@pytest.fixture(scope="module")
def engine_client(here: Lab) -> Iterator[DockerClient]:
    found = engine.connect()
    assert found is not None
    assert here.master
    yield found
    found.close()


def client(here: Lab, service: str, **config: Any) -> Any:
    env = here.aws_env
    keys = {"aws_access_key_id": env["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": env["AWS_SECRET_ACCESS_KEY"]}
    where = {"endpoint_url": env["AWS_ENDPOINT_URL"], "region_name": env["AWS_REGION"]}
    return boto3.client(service, config=Config(**config), **where, **keys)


@pytest.fixture(scope="module")
def emr(here: Lab) -> Any:
    return client(here, "emr")


@pytest.fixture(scope="module")
def s3(here: Lab) -> Any:
    return client(here, "s3")


@pytest.fixture(scope="module")
def control(engine_client: DockerClient) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Give the way behind the API, which is the lab's own cluster's."""
    return lambda request: json.loads(inside.must(engine_client, MASTER, CONTROL, stdin=json.dumps(request)))


@pytest.fixture
def launch(emr: Any) -> Iterator[Launch]:
    """Give what launches a cluster of the test's own; whatever is left of them is terminated."""
    made: list[str] = []

    def run(*steps: dict[str, Any], keep: bool = True, protect: bool = False, **other: Any) -> str:
        instances = {
            "InstanceGroups": MASTER_ONLY,
            "KeepJobFlowAliveWhenNoSteps": keep,
            "TerminationProtected": protect,
        }
        named = {"Name": "hubspec test", "ReleaseLabel": "emr-7.1.0", "JobFlowRole": "r", "ServiceRole": "s"}
        where = {"LogUri": f"s3://{LOGS}/test"} | other
        asked = {key: value for key, value in where.items() if value is not None}
        answer = emr.run_job_flow(**named, Instances=instances, Steps=list(steps), **asked)
        made.append(answer["JobFlowId"])
        return made[-1]

    yield run
    emr.set_termination_protection(JobFlowIds=made, TerminationProtected=False)
    emr.terminate_job_flows(JobFlowIds=made)
    for number in made:
        until(lambda number=number: state(emr, number) in ENDED)


@pytest.fixture
def script(s3: Any) -> Iterator[Callable[[str | bytes], str]]:
    """Give what puts a script into S3 and answers its URI."""
    keys: list[str] = []

    def put(text: str | bytes) -> str:
        keys.append(f"test-{uuid.uuid4().hex}.sh")
        s3.put_object(Bucket=SCRIPTS, Key=keys[-1], Body=text if isinstance(text, bytes) else text.encode())
        return f"s3://{SCRIPTS}/{keys[-1]}"

    yield put
    for key in keys:
        s3.delete_object(Bucket=SCRIPTS, Key=key)


def until(look: Callable[[], T], limit: float = LIMIT) -> T:
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + limit
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
    return found


def step(*args: str, name: str = "a step", jar: str = "command-runner.jar", action: str = "CONTINUE") -> dict[str, Any]:
    return {"Name": name, "ActionOnFailure": action, "HadoopJarStep": {"Jar": jar, "Args": list(args)}}


def add(emr: Any, cluster: str, *steps: dict[str, Any]) -> list[str]:
    return list(emr.add_job_flow_steps(JobFlowId=cluster, Steps=list(steps))["StepIds"])


def about(emr: Any, cluster: str, number: str) -> dict[str, Any]:
    return dict(emr.describe_step(ClusterId=cluster, StepId=number)["Step"])


def states(emr: Any, cluster: str) -> list[str]:
    """Return the states of the newest 50 steps, oldest first."""
    return [one["Status"]["State"] for one in reversed(emr.list_steps(ClusterId=cluster)["Steps"])]


def state(emr: Any, cluster: str) -> str:
    return str(emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]["State"])


def done(emr: Any, cluster: str, *steps: dict[str, Any]) -> dict[str, Any]:
    """Submit steps, wait for the end of the last one, and return it."""
    number = add(emr, cluster, *steps)[-1]
    return until(lambda: (found := about(emr, cluster, number))["Status"]["State"] in OVER and found)


def log(s3: Any, cluster: str, number: str, stream: str = "stdout") -> str:
    """Wait for a log in S3 and return it."""
    key = f"test/{cluster}/steps/{number}/{stream}.gz"
    until(lambda: s3.list_objects_v2(Bucket=LOGS, Prefix=key)["KeyCount"])
    return gzip.decompress(s3.get_object(Bucket=LOGS, Key=key)["Body"].read()).decode()


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    """Return code and message of the refusal of a call."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_command_runs_as_hadoop_without_a_shell(emr: Any, s3: Any, launch: Launch) -> None:
    cluster = launch()
    hostile = ["a b", "$HOME", ";false", "'q\"", "*", "", "ü \N{PARTY POPPER}", "new\nline", "{{.ID}}"]
    ran = done(emr, cluster, step("id", "-un"), step("printf", "<%s>", *hostile))
    before = emr.list_steps(ClusterId=cluster)["Steps"][1]

    assert ran["Status"]["State"] == "COMPLETED"
    assert ran["Config"] == {"Jar": "command-runner.jar", "Properties": {}, "Args": ["printf", "<%s>", *hostile]}
    assert "FailureDetails" not in ran["Status"]
    assert log(s3, cluster, before["Id"]) == "hadoop\n"
    assert log(s3, cluster, ran["Id"]) == "".join(f"<{text}>" for text in hostile)


@pytest.mark.parametrize(
    "case",
    [
        ('#!/bin/bash\necho "$(id -un) $0 $*"', "hadoop /mnt/var/lib/hadoop/steps/{id}/{name} a b c\n"),
        ("#!/usr/bin/python3\nimport sys\nprint(sys.argv[1:])", "['a b', 'c']\n"),
        ("echo no first line; echo ${BASH_VERSION%%.*}", "no first line\n5\n"),
    ],
)
def test_a_script_from_s3(emr: Any, s3: Any, launch: Launch, script: Any, case: tuple[str, str]) -> None:
    text, said = case
    cluster, uri = launch(), script(text)
    ran = done(emr, cluster, step(uri, "a b", "c", jar=RUNNER))

    assert ran["Status"]["State"] == "COMPLETED"
    assert log(s3, cluster, ran["Id"]) == said.format(id=ran["Id"], name=uri.rpartition("/")[2])


def test_a_script_on_the_node(emr: Any, s3: Any, launch: Launch) -> None:
    cluster = launch()
    ran = done(
        emr, cluster, step("bash", "-c", "echo echo here > /tmp/here.sh"), step("file:///tmp/here.sh", jar=RUNNER)
    )

    assert log(s3, cluster, ran["Id"]) == "here\n"


@pytest.mark.parametrize(
    "case",
    [
        ("command-runner.jar", [], "needs the command"),
        ("command-runner.jar", ["no-such-command"], 'Cannot run program "no-such-command"'),
        ("s3://somewhere/my.jar", ["x"], "s3://somewhere/my.jar: unknown jar"),
        ("/home/hadoop/script-runner.jar", ["x"], "unknown jar"),
        (RUNNER.replace("us-east-1", "eu-west-1"), [f"s3://{SCRIPTS}/who.sh"], "region eu-west-1"),
        (RUNNER, [], "needs a script"),
        (RUNNER, [f"s3://{SCRIPTS}/no-such.sh"], "no-such.sh does not exist"),
        (RUNNER, ["s3://no-such-bucket/x.sh"], "cannot be read"),
        (RUNNER, ["/no/such/file"], "No such file"),
    ],
)
def test_what_cannot_run_fails_and_says_why(
    emr: Any, s3: Any, launch: Launch, case: tuple[str, list[str], str]
) -> None:
    jar, args, told = case
    cluster = launch()
    ran = done(emr, cluster, step(*args, jar=jar), step("true"), step(*args, jar=jar))
    failure = ran["Status"]["FailureDetails"]

    assert states(emr, cluster) == ["FAILED", "COMPLETED", "FAILED"]
    assert told in failure["Message"]
    assert failure["LogFile"] == f"s3://{LOGS}/test/{cluster}/steps/{ran['Id']}/stderr.gz"
    assert told in log(s3, cluster, ran["Id"], "stderr")
    assert "Step failed with exitCode 1" in log(s3, cluster, ran["Id"], "controller")


def test_a_binary_is_no_script(emr: Any, launch: Launch, script: Any) -> None:
    ran = done(emr, launch(), step(script(b"\x7fELF\0\1\2\xff" * 100), jar=RUNNER))

    assert ran["Status"]["FailureDetails"]["Reason"] == "The script is not executable text."


def test_a_failure_ends_with_its_last_words(emr: Any, s3: Any, launch: Launch) -> None:
    cluster = launch()
    ran = done(emr, cluster, step("bash", "-c", "echo out; echo first >&2; echo 'the last: <b>' >&2; exit 3"))
    failure, controller = ran["Status"]["FailureDetails"], log(s3, cluster, ran["Id"], "controller")

    assert ran["Status"]["State"] == "FAILED"
    assert (failure["Reason"], failure["Message"]) == ("Unknown Error.", "the last: <b>")
    assert log(s3, cluster, ran["Id"], "stderr") == "first\nthe last: <b>\n"
    assert "waitProcessCompletion ended with exit code 3" in controller
    assert "WARN Step failed with exitCode 3 and took 0 seconds" in controller


def test_a_failure_without_words_points_at_the_controller(emr: Any, s3: Any, launch: Launch) -> None:
    cluster = launch()
    ran = done(emr, cluster, step("bash", "-c", "kill -9 $$"))

    assert ran["Status"]["FailureDetails"] == {
        "Reason": "Unknown Error.",
        "LogFile": f"s3://{LOGS}/test/{cluster}/steps/{ran['Id']}/controller.gz",
    }
    assert "exit code 137" in log(s3, cluster, ran["Id"], "controller")


def test_the_times_are_in_order(emr: Any, launch: Launch) -> None:
    cluster = launch(step("sleep", "0.3", name="at launch"))
    until(lambda: state(emr, cluster) == "WAITING")
    later = done(emr, cluster, step("true"))
    first, life = emr.list_steps(ClusterId=cluster)["Steps"][1], emr.describe_cluster(ClusterId=cluster)["Cluster"]
    times, ready = first["Status"]["Timeline"], life["Status"]["Timeline"]["ReadyDateTime"]

    assert life["Status"]["Timeline"]["CreationDateTime"] <= times["CreationDateTime"] <= ready
    assert ready <= times["StartDateTime"] <= times["EndDateTime"]
    assert (times["EndDateTime"] - times["StartDateTime"]).total_seconds() >= 0.3
    assert later["Status"]["Timeline"]["CreationDateTime"] > ready


def test_a_step_that_waits_has_no_times_yet(emr: Any, launch: Launch) -> None:
    cluster = launch(step("sleep", "60"), step("true"))
    until(lambda: states(emr, cluster) == ["RUNNING", "PENDING"])
    waiting, running = (one["Status"] for one in emr.list_steps(ClusterId=cluster)["Steps"])

    assert state(emr, cluster) == "RUNNING"
    assert list(waiting["Timeline"]) == ["CreationDateTime"]
    assert sorted(running["Timeline"]) == ["CreationDateTime", "StartDateTime"]
    assert waiting["StateChangeReason"] == {}


def test_logs_come_after_the_delay(emr: Any, s3: Any, launch: Launch, control: Any, engine_client: Any) -> None:
    cluster = launch()
    control({"change": {"log_delay": 2}})
    try:
        ran = done(emr, cluster, step("echo", "hello"))
        where = f"test/{cluster}/steps/{ran['Id']}/"
        at_once = s3.list_objects_v2(Bucket=LOGS, Prefix=where)["KeyCount"]
        on_node = inside.must(engine_client, MASTER, f"cat /mnt/var/log/hadoop/steps/{ran['Id']}/stdout")
        said = log(s3, cluster, ran["Id"])
    finally:
        control({"restore": ["log_delay"]})
    after = [entry["Key"] for entry in s3.list_objects_v2(Bucket=LOGS, Prefix=where)["Contents"]]

    assert (at_once, on_node, said) == (0, "hello\n", "hello\n")
    assert after == [f"{where}controller.gz", f"{where}stdout.gz"], "an empty stream gives no file"


def test_without_a_log_uri_nothing_is_uploaded(emr: Any, s3: Any, launch: Launch) -> None:
    cluster = launch(LogUri=None)
    ran = done(emr, cluster, step("ls", "/no/such"))

    assert "LogUri" not in emr.describe_cluster(ClusterId=cluster)["Cluster"]
    assert "LogFile" not in ran["Status"]["FailureDetails"]
    assert s3.list_objects_v2(Bucket=LOGS, Prefix=f"test/{cluster}")["KeyCount"] == 0


def test_the_runner_outlives_its_bucket(emr: Any, s3: Any, launch: Launch, engine_client: Any) -> None:
    bucket = f"hubspec-test-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    cluster = launch(LogUri=f"s3n://{bucket}")
    s3.delete_bucket(Bucket=bucket)
    done(emr, cluster, step("echo", "lost"))
    said = engine_client.containers.get(MASTER)
    until(lambda: f"could not go to s3n://{bucket}/{cluster}" in said.logs(tail=50).decode())

    assert done(emr, cluster, step("true"))["Status"]["State"] == "COMPLETED"


@pytest.mark.parametrize(
    "name", ['it\'s "quoted" $(x) `y` \\', "two\nlines\tand a tab", "\N{PARTY POPPER} ünï", "n" * 256]
)
def test_any_name_comes_back_as_it_was(emr: Any, launch: Launch, name: str) -> None:
    assert done(emr, launch(), step("true", name=name))["Name"] == name


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (step("true", name="n" * 257), "Member must have length less than or equal to 256"),
        (step("true", name="bell\a"), "Member must satisfy regular expression pattern"),
        (step("true", "x\x00"), "'steps.1.member.hadoopJarStep.args.2.member'"),
        (step("x" * 10_223), "10240 characters"),
        (step("true", action="GIVE_UP"), "Member must satisfy enum value set"),
    ],
)
def test_a_step_beyond_the_limits_is_refused(emr: Any, launch: Launch, given: dict[str, Any], told: str) -> None:
    cluster = launch()
    code, message = refused(lambda: add(emr, cluster, step("true"), given))

    assert code == "ValidationException"
    assert told.replace("steps.1", "steps.2") in message
    assert states(emr, cluster) == [], "all of a call, or none"


def test_10_240_characters_are_not_too_many(emr: Any, launch: Launch) -> None:
    assert (
        done(emr, launch(), step("true", "x" * (10_240 - len("command-runner.jartrue"))))["Status"]["State"]
        == "COMPLETED"
    )


def test_256_steps_wait_or_run_at_most(emr: Any, launch: Launch) -> None:
    cluster = launch(step("sleep", "60"))
    ids = add(emr, cluster, *[step("true")] * 255)
    told = refused(lambda: add(emr, cluster, step("true")))
    emr.cancel_steps(ClusterId=cluster, StepIds=ids[:1])

    assert told[0] == "ValidationException"
    assert told[1].startswith("Maximum number of active steps")
    assert len(add(emr, cluster, step("true"))) == 1


def test_one_at_a_time_and_then_three(emr: Any, launch: Launch) -> None:
    cluster = launch(*[step("sleep", "0.2")] * 3)
    until(lambda: states(emr, cluster) == ["COMPLETED"] * 3)
    spans = [one["Status"]["Timeline"] for one in reversed(emr.list_steps(ClusterId=cluster)["Steps"])]

    assert all(one["EndDateTime"] <= two["StartDateTime"] for one, two in itertools.pairwise(spans))
    assert emr.modify_cluster(ClusterId=cluster, StepConcurrencyLevel=3)["StepConcurrencyLevel"] == 3
    assert emr.describe_cluster(ClusterId=cluster)["Cluster"]["StepConcurrencyLevel"] == 3
    add(emr, cluster, *[step("sleep", "60")] * 4)
    assert until(lambda: states(emr, cluster)[3:] == ["RUNNING", "RUNNING", "RUNNING", "PENDING"])


def test_more_at_once_demands_continue(emr: Any, launch: Launch) -> None:
    cluster = launch(StepConcurrencyLevel=2)
    code, message = refused(lambda: add(emr, cluster, step("true", action="CANCEL_AND_WAIT")))

    assert (code, "ActionOnFailure CANCEL_AND_WAIT is not valid" in message) == ("ValidationException", True)
    assert refused(lambda: launch(step("true", action="TERMINATE_CLUSTER"), StepConcurrencyLevel=2))[0] == code
    for level in (0, 257):
        assert refused(lambda level=level: emr.modify_cluster(ClusterId=cluster, StepConcurrencyLevel=level))[0] == code


@pytest.mark.parametrize(
    "case",
    [
        ("CONTINUE", False, ["FAILED", "COMPLETED"], "WAITING"),
        ("CANCEL_AND_WAIT", False, ["FAILED", "CANCELLED"], "WAITING"),
        ("TERMINATE_CLUSTER", False, ["FAILED", "CANCELLED"], "TERMINATED_WITH_ERRORS"),
        ("TERMINATE_JOB_FLOW", False, ["FAILED", "CANCELLED"], "TERMINATED_WITH_ERRORS"),
        ("TERMINATE_CLUSTER", True, ["FAILED", "CANCELLED"], "WAITING"),
    ],
)
def test_what_a_failure_brings(emr: Any, launch: Launch, case: tuple[str, bool, list[str], str]) -> None:
    action, protect, then, ends = case
    cluster = launch(step("false", action=action), step("true", action=action), protect=protect)
    until(lambda: state(emr, cluster) == ends)

    assert states(emr, cluster) == then
    if ends != "WAITING":
        why = emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]["StateChangeReason"]
        assert why == {"Code": "STEP_FAILURE", "Message": "Shut down as step failed"}


def test_cancelling(emr: Any, s3: Any, launch: Launch, engine_client: Any) -> None:
    cluster = launch()
    polite = step("bash", "-c", "trap 'echo bye; exit 9' TERM; sleep 300 & wait")
    deaf = step("bash", "-c", "trap '' TERM; exec -a hubspec-deaf sleep 301 & wait; sleep 302")
    first, second, third = add(emr, cluster, polite, deaf, step("true", action="CANCEL_AND_WAIT"))
    until(lambda: about(emr, cluster, first)["Status"]["State"] == "RUNNING")
    until(lambda: b"sleep" in engine_client.containers.get(MASTER).exec_run("pgrep -a -f 'sleep 300'").output)
    asked = emr.cancel_steps(ClusterId=cluster, StepIds=[first, third, "s-NOSUCH"])["CancelStepsInfoList"]

    assert [one["Status"] for one in asked] == ["SUBMITTED", "SUBMITTED", "FAILED"]
    assert about(emr, cluster, third)["Status"]["State"] == "CANCELLED", "one that waits is cancelled at once"
    until(lambda: about(emr, cluster, first)["Status"]["State"] == "CANCELLED")
    assert log(s3, cluster, first) == "bye\n"
    until(lambda: engine_client.containers.get(MASTER).exec_run("pgrep -f hubspec-deaf").exit_code == 0)
    emr.cancel_steps(ClusterId=cluster, StepIds=[second])
    time.sleep(0.5)
    assert about(emr, cluster, second)["Status"]["State"] == "CANCEL_PENDING"
    emr.cancel_steps(ClusterId=cluster, StepIds=[second], StepCancellationOption="TERMINATE_PROCESS")
    until(lambda: about(emr, cluster, second)["Status"]["State"] == "CANCELLED")
    assert engine_client.containers.get(MASTER).exec_run("pgrep -f hubspec-deaf").exit_code == 1
    again = emr.cancel_steps(ClusterId=cluster, StepIds=[second])["CancelStepsInfoList"][0]
    assert (again["Status"], "CANCELLED" in again["Reason"]) == ("FAILED", True)
    assert state(emr, cluster) == "WAITING", "cancelling does not trigger ActionOnFailure"


def test_a_cluster_ends_after_its_last_step(emr: Any, launch: Launch) -> None:
    cluster = launch(step("true"), step("false"), keep=False)
    until(lambda: state(emr, cluster) == "TERMINATED")
    told = emr.describe_cluster(ClusterId=cluster)["Cluster"]

    assert told["AutoTerminate"] is True
    assert told["Status"]["StateChangeReason"]["Code"] == "ALL_STEPS_COMPLETED"
    assert told["Status"]["Timeline"]["EndDateTime"] >= told["Status"]["Timeline"]["ReadyDateTime"]
    assert refused(lambda: add(emr, cluster, step("true"))) == (
        "ValidationException",
        "A job flow that is shutting down, terminated, or finished may not be modified.",
    )
    assert next(one["Id"] for one in emr.list_clusters(ClusterStates=["TERMINATED"])["Clusters"]) == cluster
    assert emr.list_instances(ClusterId=cluster, InstanceStates=["RUNNING"])["Instances"] == []


def test_a_cluster_is_terminated_with_what_runs(emr: Any, launch: Launch) -> None:
    cluster = launch(step("sleep", "300"), step("true"), protect=True)
    until(lambda: states(emr, cluster)[0] == "RUNNING")

    assert refused(lambda: emr.terminate_job_flows(JobFlowIds=[cluster]))[0] == "ValidationException"
    assert states(emr, cluster) == ["RUNNING", "PENDING"]
    emr.set_termination_protection(JobFlowIds=[cluster], TerminationProtected=False)
    emr.terminate_job_flows(JobFlowIds=[cluster])
    until(lambda: state(emr, cluster) == "TERMINATED")
    assert states(emr, cluster) == ["INTERRUPTED", "CANCELLED"]
    why = emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]["StateChangeReason"]
    assert why == {"Code": "USER_REQUEST", "Message": "Terminated by user request"}


def bootstrap(uri: str, *args: str) -> list[dict[str, Any]]:
    return [{"Name": "prepare", "ScriptBootstrapAction": {"Path": uri, "Args": list(args)}}]


def test_bootstrap_actions_run_first(emr: Any, s3: Any, launch: Launch, script: Any) -> None:
    mark = f"/tmp/{uuid.uuid4().hex}"
    uri = script('#!/bin/bash\nsleep 0.3; echo "$(id -un) $2" > "$1"')
    cluster = launch(step("cat", mark), BootstrapActions=bootstrap(uri, mark, "x y"))
    seen = {state(emr, cluster)}
    until(lambda: seen.add(state(emr, cluster)) or state(emr, cluster) == "WAITING")
    ran = emr.list_steps(ClusterId=cluster)["Steps"][0]

    assert seen <= {"STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"}
    assert "BOOTSTRAPPING" in seen
    assert log(s3, cluster, ran["Id"]) == "hadoop x y\n"
    assert emr.list_bootstrap_actions(ClusterId=cluster)["BootstrapActions"] == [
        {"Name": "prepare", "ScriptPath": uri, "Args": [mark, "x y"]}
    ]


def test_a_bootstrap_action_that_fails_ends_the_cluster(emr: Any, s3: Any, launch: Launch, script: Any) -> None:
    cluster = launch(step("true"), BootstrapActions=bootstrap(script("#!/bin/bash\necho no >&2; exit 4")))
    until(lambda: state(emr, cluster) == "TERMINATED_WITH_ERRORS")
    why = emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]
    node = emr.list_instances(ClusterId=cluster)["Instances"][0]["Ec2InstanceId"]
    key = f"test/{cluster}/node/{node}/bootstrap-actions/1/stderr.gz"

    assert why["StateChangeReason"]["Code"] == "BOOTSTRAP_FAILURE"
    assert f"({node}), bootstrap action 1 returned a non-zero return code" in why["StateChangeReason"]["Message"]
    assert "ReadyDateTime" not in why["Timeline"]
    assert states(emr, cluster) == ["CANCELLED"]
    until(lambda: s3.list_objects_v2(Bucket=LOGS, Prefix=key)["KeyCount"])


def test_pages_of_steps(emr: Any, launch: Launch) -> None:
    cluster = launch(StepConcurrencyLevel=16)
    ids = add(emr, cluster, *[step("true" if number % 10 else "false") for number in range(120)])
    first = emr.list_steps(ClusterId=cluster)
    add(emr, cluster, step("true", name="in between"))
    second = emr.list_steps(ClusterId=cluster, Marker=first["Marker"])
    third = emr.list_steps(ClusterId=cluster, Marker=second["Marker"])
    pages = [one["Id"] for page in (first, second, third) for one in page["Steps"]]
    until(lambda: state(emr, cluster) == "WAITING")
    failed = emr.list_steps(ClusterId=cluster, StepStates=["FAILED"])["Steps"]

    assert pages == ids[::-1], "newest first, none twice, none lost"
    assert [len(page["Steps"]) for page in (first, second, third)] == [50, 50, 20]
    assert "Marker" not in third
    assert [one["Id"] for one in failed] == ids[::10][::-1]
    assert [one["Id"] for one in emr.list_steps(ClusterId=cluster, StepIds=ids[:10])["Steps"]] == ids[:10]
    for wrong in ({"StepIds": ids[:11]}, {"StepIds": ids[:1], "StepStates": ["FAILED"]}, {"Marker": "x"}):
        assert refused(lambda wrong=wrong: emr.list_steps(ClusterId=cluster, **wrong))[0] == "InvalidRequestException"


def test_what_is_not_there(emr: Any, launch: Launch) -> None:
    cluster, none = launch(), "j-NOSUCHCLUSTER"
    said = ("InvalidRequestException", f"Cluster id '{none}' is not valid.")
    for call in (
        "describe_cluster",
        "list_steps",
        "list_instances",
        "list_bootstrap_actions",
        "get_auto_termination_policy",
    ):
        assert refused(lambda call=call: getattr(emr, call)(ClusterId=none)) == said
    assert refused(lambda: about(emr, none, "s-X")) == said
    assert refused(lambda: about(emr, cluster, "s-X")) == ("InvalidRequestException", "Step id 's-X' is not valid.")
    assert refused(lambda: add(emr, none, step("true"))) == ("ValidationException", "Specified job flow ID not valid.")
    assert refused(lambda: launch(SecurityConfiguration="none"))[0] == "InvalidRequestException"


def test_clusters_do_not_see_each_other(emr: Any, launch: Launch, here: Lab) -> None:
    one, two = launch(step("sleep", "60")), launch()
    ran = done(emr, two, step("true"))

    until(lambda: states(emr, one) == ["RUNNING"])
    assert refused(lambda: about(emr, one, ran["Id"]))[0] == "InvalidRequestException"
    pages = emr.get_paginator("list_clusters").paginate()
    listed = [cluster["Id"] for page in pages for cluster in page["Clusters"]]
    assert listed[:2] == [two, one]
    assert here.cluster_id in listed


def test_an_auto_termination_policy_is_kept(emr: Any, launch: Launch) -> None:
    cluster = launch(AutoTerminationPolicy={"IdleTimeout": 7200})
    told = emr.get_auto_termination_policy(ClusterId=cluster)["AutoTerminationPolicy"]
    emr.put_auto_termination_policy(ClusterId=cluster, AutoTerminationPolicy={"IdleTimeout": 60})
    changed = emr.get_auto_termination_policy(ClusterId=cluster)["AutoTerminationPolicy"]
    wrong = {"ClusterId": cluster, "AutoTerminationPolicy": {"IdleTimeout": 59}}
    assert (told, changed) == ({"IdleTimeout": 7200}, {"IdleTimeout": 60})
    assert refused(lambda: emr.put_auto_termination_policy(**wrong))[0] == "ValidationException"
    emr.remove_auto_termination_policy(ClusterId=cluster)
    assert "AutoTerminationPolicy" not in emr.get_auto_termination_policy(ClusterId=cluster)


def test_the_lab_s_own_cluster(emr: Any, here: Lab) -> None:
    told = emr.describe_cluster(ClusterId=here.cluster_id)["Cluster"]
    steps = {one["Name"]: one for one in emr.list_steps(ClusterId=here.cluster_id)["Steps"]}
    security = json.loads(emr.describe_security_configuration(Name="hubspec-lab")["SecurityConfiguration"])

    assert {"lab: docker client", "lab: who runs steps"} <= set(steps)
    assert steps["lab: who runs steps"]["Config"]["Args"] == [f"s3://{SCRIPTS}/who.sh", "lab"]
    assert told["InstanceCollectionType"] == "INSTANCE_GROUP"
    assert told["StepConcurrencyLevel"] == 1
    assert (told["AutoTerminate"], told["TerminationProtected"]) == (False, True)
    assert told["Ec2InstanceAttributes"]["IamInstanceProfile"] == "EMR_EC2_DefaultRole"
    assert security["EncryptionConfiguration"]["EnableInTransitEncryption"] is True
    groups = told["Ec2InstanceAttributes"]
    mine = [groups["EmrManagedMasterSecurityGroup"], *groups["AdditionalMasterSecurityGroups"]]
    found = client(here, "ec2").describe_security_groups(GroupIds=mine)["SecurityGroups"]
    blocks = {block["CidrIp"] for group in found for rule in group["IpPermissions"] for block in rule["IpRanges"]}
    assert blocks == {"10.0.0.0/8"}
    assert refused(lambda: emr.list_instance_fleets(ClusterId=here.cluster_id))[0] == "InvalidRequestException"


def test_calls_are_denied_throttled_and_remembered(here: Lab, control: Any) -> None:
    once: dict[str, Any] = {"retries": {"total_max_attempts": 1}}
    emr, ec2, s3 = (client(here, service, **once) for service in ("emr", "ec2", "s3"))
    mine = {"ClusterId": here.cluster_id}
    control({"calls": True, "deny": ["ListSteps", "ec2:DescribeSecurityGroups", "s3:GetObject"]})
    try:
        denied = [
            refused(lambda: emr.list_steps(**mine))[0],
            refused(ec2.describe_security_groups)[0],
            refused(lambda: s3.get_object(Bucket=SCRIPTS, Key="who.sh"))[0],
            refused(lambda: s3.head_object(Bucket=SCRIPTS, Key="who.sh"))[0],
        ]
    finally:
        control({"allow": ["ListSteps", "ec2:DescribeSecurityGroups", "s3:GetObject"]})
    control({"throttle": {"ListSteps": 2}})
    slow = [refused(lambda: emr.list_steps(**mine)) for _ in range(2)]
    emr.list_steps(**mine)
    s3.get_bucket_location(Bucket=LOGS)
    seen = control({"calls": True})["calls"]

    assert denied == ["AccessDeniedException", "UnauthorizedOperation", "AccessDenied", "403"]
    assert slow == [("ThrottlingException", "Rate exceeded")] * 2
    assert seen.count("elasticmapreduce:ListSteps") >= 4, "those that were refused are calls too"
    assert {"ec2:DescribeSecurityGroups", "s3:GetObject", "s3:GetBucketLocation"} <= set(seen)
    assert "s3:GetBucketLocation" not in control({"calls": True})["calls"], "each is told once"


def test_a_thousand_steps_take_seconds(emr: Any, launch: Launch) -> None:
    cluster, begun = launch(StepConcurrencyLevel=64), time.monotonic()
    for _ in range(4):
        until(lambda: len(emr.list_steps(ClusterId=cluster, StepStates=["PENDING"])["Steps"]) == 0)
        until(lambda: len(emr.list_steps(ClusterId=cluster, StepStates=["RUNNING"])["Steps"]) <= 6)
        add(emr, cluster, *[step("true")] * 250)
    until(lambda: state(emr, cluster) == "WAITING", limit=60)
    pages = emr.get_paginator("list_steps").paginate(ClusterId=cluster)

    assert time.monotonic() - begun < 30
    assert [one["Status"]["State"] for page in pages for one in page["Steps"]] == ["COMPLETED"] * 1000
