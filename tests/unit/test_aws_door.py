"""The AWS door over a real connection: pages, limits, throttling, refusals; and a step whose answer was lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hubspec.cluster import session as sessions
from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.clients import ATTEMPTS
from hubspec.cluster.session import ROUNDS, NoAnswerError, RefusedError, Session
from hubspec.cluster.steps import StepDoor
from hubspec.errors import DoorError, UnknownClusterError
from hubspec.model import Unreadable
from tests.unit.aws_server import LOST, Refusal, serving, session

CLUSTER = {"Cluster": {"Id": "j-1", "Status": {"State": "WAITING"}, "LogUri": "s3n://logs/emr/"}}
THROTTLED = Refusal("ThrottlingException", "Rate exceeded")


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait between rounds, and between botocore's attempts, for no time at all."""
    monkeypatch.setattr(sessions, "PAUSE", 0)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    monkeypatch.setattr("botocore.retries.adaptive.ClientRateLimiter.on_sending_request", lambda *_, **__: None)


def pages(count: int, size: int = 50) -> list[dict[str, Any]]:
    """Return the pages of a listing of that many steps."""
    steps = [{"Id": f"s-{number}", "Name": f"n{number}", "Status": {"State": "COMPLETED"}} for number in range(count)]
    made: list[dict[str, Any]] = [
        {"Steps": steps[at : at + size], "Marker": str(at + size)} for at in range(0, count, size)
    ]
    made[-1].pop("Marker")
    return made


def test_three_thousand_steps_are_sixty_pages() -> None:
    with serving({"ListSteps": pages(3000), "DescribeCluster": [CLUSTER]}) as (variables, asked):
        door = EmrDoor("j-1", settings=variables)
        listing = door.ask("ListSteps DescribeCluster")["ListSteps"]
        door.ask("ListSteps DescribeCluster")
        door.describe()

    assert len(listing["Steps"]) == 3000
    assert listing["Cut"] == ""
    assert Counter(call for call, _ in asked) == {"ListSteps": 60, "DescribeCluster": 1}
    assert door.trips == {"aws ListSteps": 60, "aws DescribeCluster": 1}
    assert [arguments.get("Marker") for call, arguments in asked if call == "ListSteps"][:3] == [None, "50", "100"]


def test_a_listing_that_was_cut_off_says_so() -> None:
    with serving({"ListSteps": pages(120)}) as (variables, asked):
        listing = EmrDoor("j-1", settings=variables, step_limit=70).ask("ListSteps")["ListSteps"]

    assert len(listing["Steps"]) == 100
    assert listing["Cut"] == "only the newest 100 steps were listed; more with --step-limit"
    assert len(asked) == 2


def test_a_listing_that_ends_at_its_limit_is_whole() -> None:
    with serving({"ListSteps": pages(100)}) as (variables, _):
        listing = EmrDoor("j-1", settings=variables, step_limit=100).ask("ListSteps")["ListSteps"]

    assert (len(listing["Steps"]), listing["Cut"]) == (100, "")


def test_ten_times_throttled_in_a_row_is_lived_through() -> None:
    said: list[str] = []
    with serving({"ListSteps": [THROTTLED] * 10 + pages(3)}) as (variables, asked):
        listing = EmrDoor("j-1", settings=variables, progress=said.append).ask("ListSteps")["ListSteps"]

    assert len(listing["Steps"]) == 3
    assert len(asked) == 11
    assert said[:2] == ["AWS throttles ListSteps: trying again"] * 2


def test_throttled_for_ever_is_unreadable_even_after_some_pages() -> None:
    with serving({"ListSteps": [*pages(100)[:1], THROTTLED]}) as (variables, asked):
        answer = EmrDoor("j-1", settings=variables).ask("ListSteps")["ListSteps"]

    assert isinstance(answer, Unreadable)
    assert answer.reason.startswith("AWS throttled ListSteps: something else in this account asks too much")
    assert answer.reason.endswith("(after 50 steps)")
    assert len(asked) == 1 + ATTEMPTS * ROUNDS


REFUSED = [
    ("AccessDeniedException", "AWS refuses ListSteps: allow elasticmapreduce:ListSteps (not this time)"),
    ("ExpiredTokenException", "AWS does not accept the credentials (ExpiredTokenException): sign in again"),
    ("InternalServerError", "AWS refused ListSteps: InternalServerError: not this time"),
]


@pytest.mark.parametrize(("code", "reason"), REFUSED)
def test_a_refusal_is_a_reason(code: str, reason: str) -> None:
    with serving({"ListSteps": [Refusal(code)]}) as (variables, _):
        assert EmrDoor("j-1", settings=variables).ask("ListSteps")["ListSteps"] == Unreadable(reason)


def test_an_unknown_cluster_ends_it() -> None:
    unknown = Refusal("InvalidRequestException", "Cluster id 'j-1' is not valid.")
    with serving({"ListSteps": [unknown], "DescribeCluster": [unknown]}) as (variables, _):
        for call in ("ListSteps", "DescribeCluster"):
            with pytest.raises(UnknownClusterError, match="there is no cluster j-1"):
                EmrDoor("j-1", settings=variables).ask(call)


def steps(variables: dict[str, str], scratch: str | None = None) -> StepDoor:
    return StepDoor(EmrDoor("j-1", settings=variables, deadline=5), scratch)


def test_a_step_whose_answer_was_lost_is_not_submitted_twice() -> None:
    listed = {"Steps": [{"Id": "s-9", "Name": "mine 1"}, {"Id": "s-8", "Name": "mine"}]}
    with serving({"AddJobFlowSteps": [LOST], "ListSteps": [listed]}) as (variables, asked):
        assert steps(variables).submit("mine", "command-runner.jar", ["true"]) == "s-8"

    assert [call for call, _ in asked] == ["AddJobFlowSteps", "ListSteps"]


def test_a_step_that_was_throttled_is_submitted_again() -> None:
    answers = {"AddJobFlowSteps": [THROTTLED, {"StepIds": ["s-1"]}], "ListSteps": [{"Steps": []}]}
    with serving(answers) as (variables, asked):
        assert steps(variables).submit("mine", "command-runner.jar", ["it's", "a\nb", "🦆"]) == "s-1"

    (added, *_) = [arguments for call, arguments in asked if call == "AddJobFlowSteps"]
    assert added["Steps"] == [
        {
            "Name": "mine",
            "ActionOnFailure": "CONTINUE",
            "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["it's", "a\nb", "🦆"]},
        }
    ]


@pytest.mark.parametrize(
    ("answer", "error", "calls"),
    [(LOST, NoAnswerError, 6), (THROTTLED, RefusedError, 6), (Refusal("AccessDeniedException"), RefusedError, 1)],
)
def test_a_step_that_cannot_be_submitted(answer: Any, error: type[DoorError], calls: int) -> None:
    with serving({"AddJobFlowSteps": [answer], "ListSteps": [{"Steps": []}]}) as (variables, asked):
        with pytest.raises(error):
            steps(variables).submit("mine", "command-runner.jar", [])
        assert len(asked) == calls


SCRATCH = [
    # log URI, --scratch, where a script is put
    ("s3n://logs/emr/", None, "s3://logs/emr/hubspec/"),
    ("s3://logs", None, "s3://logs/hubspec/"),
    (None, "s3://mine/here", "s3://mine/here/"),
    ("s3://logs/", "s3://mine", "s3://mine/"),
]


@pytest.mark.parametrize(("log_uri", "given", "scratch"), SCRATCH)
def test_where_a_script_is_put(log_uri: str | None, given: str | None, scratch: str) -> None:
    with serving({"DescribeCluster": [{"Cluster": {"LogUri": log_uri} if log_uri else {}}]}) as (variables, _):
        assert steps(variables, given).scratch == scratch


def test_nowhere_to_put_a_script() -> None:
    with serving({"DescribeCluster": [{"Cluster": {}}]}) as (variables, _):
        with pytest.raises(DoorError, match="give --scratch s3://BUCKET/PREFIX/"):
            _ = steps(variables).scratch
        with pytest.raises(DoorError, match="has no log URI in S3"):
            steps(variables).output("s-1")


def test_a_step_that_cannot_be_cancelled_says_why() -> None:
    told = {"CancelStepsInfoList": [{"StepId": "s-1", "Status": "FAILED", "Reason": "it has ended"}]}
    with (
        serving({"CancelSteps": [told]}) as (variables, _),
        pytest.raises(DoorError, match="s-1 cannot be cancelled: it has ended"),
    ):
        steps(variables).cancel("s-1")


def test_the_region_is_the_clients() -> None:
    assert session({"AWS_DEFAULT_REGION": "eu-west-3"}).region == "eu-west-3"


REGIONS = [
    # AWS_DEFAULT_REGION, AWS_REGION, that of the profile, and which is asked
    ("eu-west-1", "eu-west-2", "eu-west-3", "eu-west-1"),
    ("", "eu-west-2", "eu-west-3", "eu-west-2"),
    (None, "eu-west-2", None, "eu-west-2"),
    (None, None, "eu-west-3", "eu-west-3"),
    (None, "", "eu-west-3", "eu-west-3"),
]


@pytest.mark.parametrize("said", REGIONS)
def test_which_region_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: tuple[str | None, str | None, str | None, str]
) -> None:
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)  # it keeps what the first who asked had
    (tmp_path / "config").write_text(f"[default]\nregion = {said[2]}\n" if said[2] else "")
    variables = {"AWS_DEFAULT_REGION": said[0], "AWS_REGION": said[1], "AWS_CONFIG_FILE": str(tmp_path / "config")}
    for name, value in variables.items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert Session().region == said[3]
    assert Session(settings={"AWS_DEFAULT_REGION": "ap-east-1"}).region == "ap-east-1", "--region counts first"
