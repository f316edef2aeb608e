"""A look through SSM over a real connection: each end that a command can come to, each refusal, and an answer that is too long."""

from __future__ import annotations

import subprocess
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from hubspec.cluster import session as sessions
from hubspec.cluster import ssm_door
from hubspec.cluster.answer import Said
from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.logs import NotThereError
from hubspec.cluster.made import Made
from hubspec.cluster.seal import Seal
from hubspec.cluster.session import ROUNDS
from hubspec.cluster.ssm_door import SsmCarrier
from hubspec.errors import DoorError
from tests.unit.aws_server import Refusal, serving

SEAL = Seal()
ANSWER = subprocess.run(
    ["sh"], input=SEAL.script("exec sh -c 'echo here; exit 3'", b"", 20), capture_output=True, text=True, check=True
).stdout
MASTERS: list[dict[str, Any]] = [
    {"Ec2InstanceId": "i-1", "PublicDnsName": "one"},
    {"Ec2InstanceId": "i-2", "PublicDnsName": "two"},
]
NOT_YET = Refusal("InvocationDoesNotExist", "")
ID = "c0000000-0000-0000-0000-000000000001"
PLACE = "s3://bucket/hubspec/"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once, and give up soon."""
    for name, seconds in (
        ("FIRST", 0.01),
        ("POLL", 0.01),
        ("PAUSE", 0),
        ("SETTLE", 0),
        ("ARRIVAL", 0.3),
        ("DELIVERY", 30),
        ("GRACE", 0),
    ):
        monkeypatch.setattr(ssm_door, name, seconds)
    monkeypatch.setattr(sessions, "PAUSE", 0)


@dataclass
class Scratch:
    """Stands for S3: what the agent put there."""

    place: str = PLACE
    kept: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    @property
    def scratch(self) -> str:
        if not self.place:
            raise DoorError("there is no place")
        return self.place

    def read(self, uri: str) -> str:
        if not self.kept:
            raise NotThereError(uri)
        return self.kept.pop(0)

    def remove(self, uri: str) -> None:
        self.removed.append(uri)


def told(status: str, details: str = "", **other: Any) -> dict[str, Any]:
    return {"Status": status, "StatusDetails": details or status, "StandardOutputContent": "", "StandardErrorContent": "",
            "ResponseCode": -1} | other  # fmt: skip


def carry(
    invocations: list[Any],
    scratch: Scratch | None = None,
    *,
    send: list[Any] | None = None,
    limit: float = 20,
    masters: list[Any] = MASTERS,
) -> tuple[Said | DoorError, list[tuple[str, dict[str, Any]]], list[str]]:
    """Return what comes of a look, what was asked of AWS, and what was said meanwhile."""
    said: list[str] = []
    answers = {
        "DescribeCluster": [{"Cluster": {"Id": "j-1", "MasterPublicDnsName": "two"}}],
        "ListInstances": [{"Instances": masters}],
        "SendCommand": send or [{"Command": {"CommandId": ID}}],
        "GetCommandInvocation": invocations,
        "CancelCommand": [{}],
    }
    with serving(answers) as (variables, asked):
        carrier = SsmCarrier(EmrDoor("j-1", settings=variables), scratch or Scratch(), said.append)  # type: ignore[arg-type] # it does what is used
        try:
            found: Said | DoorError = carrier.carry(SEAL, "echo script", limit)
        except DoorError as error:
            found = error
    return found, asked, said


def test_the_answer_of_the_instance_that_the_cluster_names() -> None:
    scratch = Scratch()
    found, asked, _ = carry(
        [NOT_YET, told("Pending"), told("InProgress"), told("Success", StandardOutputContent=ANSWER)], scratch
    )

    assert found == Said(3, b"here\n", b"", found.took if isinstance(found, Said) else -1)
    sent = next(arguments for call, arguments in asked if call == "SendCommand")
    assert sent["InstanceIds"] == ["i-2"]
    assert sent["Parameters"] == {"commands": ["echo script"], "executionTimeout": ["20"]}
    assert (sent["OutputS3BucketName"], sent["OutputS3KeyPrefix"]) == ("bucket", "hubspec/ssm")
    assert [uri.rpartition("/")[2] for uri in scratch.removed] == ["stdout", "stderr"]
    assert "CancelCommand" not in {call for call, _ in asked}


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (told("Failed", "Undeliverable"), r"SSM cannot deliver to i-2: its agent does not answer; see: aws ssm .*,Values=i-2; or give --door step"),
        (told("TimedOut", "Delivery Timed Out"), "the SSM agent of i-2 did not take the command in time"),
        (told("TimedOut", "DeliveryTimedOut"), "the SSM agent of i-2 did not take the command in time"),
        (told("TimedOut", "Execution Timed Out"), "which ran for longer than 20 s: give it more with --deadline"),
        (told("Failed", "Terminated"), "SSM ended the command on i-2 before it came to it"),
        (told("Cancelled", "Cancelled"), "somebody cancelled the command on i-2"),
        (told("Failed", "Access Denied"), "SSM let nobody run the command on i-2"),
        (told("Failed", "Invalid Platform"), "does not run Linux"),
        (told("Failed", ResponseCode=127, StandardErrorContent="a\nsh: not found\n"), r"ended as Failed \(status 127; sh: not found\)"),
        (told("Success", StandardErrorContent="no space left"), r"printed no answer \(no space left\)"),
        (Refusal("AccessDeniedException", "no"), "AWS refuses GetCommandInvocation: allow ssm:GetCommandInvocation"),
    ],
)  # fmt: skip
def test_each_end_has_its_own_words(end: Any, words: str) -> None:
    scratch = Scratch()
    found, _, _ = carry([end], scratch)

    assert isinstance(found, DoorError)
    with pytest.raises(DoorError, match=words):
        raise found
    assert len(scratch.removed) == 2, "whatever the agent may have put into S3 is removed"


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (Refusal("InvalidInstanceId"), "SSM does not know the master instance i-2, or it does not run: its role needs AmazonSSMManagedInstanceCore"),
        (Refusal("InvalidDocument"), "there is no document AWS-RunShellScript in this region: give --door step"),
        (Refusal("UnsupportedPlatformType"), "does not run Linux"),
        (Refusal("MaxDocumentSizeExceeded"), "longer than SSM takes: give --door step"),
        (Refusal("AccessDeniedException", "no"), "AWS refuses SendCommand: allow ssm:SendCommand .*; or give another --door"),
    ],
)  # fmt: skip
def test_each_refusal_has_its_next_step(refusal: Any, words: str) -> None:
    found, asked, _ = carry([told("Success")], send=[refusal])

    with pytest.raises(DoorError, match=words):
        raise found if isinstance(found, DoorError) else AssertionError(found)
    assert {call for call, _ in asked} == {"DescribeCluster", "ListInstances", "SendCommand"}


def test_a_command_that_is_throttled_was_not_sent_and_is_sent_again() -> None:
    slow = Refusal("ThrottlingException", "Rate exceeded")
    found, asked, _ = carry(
        [told("Success", StandardOutputContent=ANSWER)], send=[slow, slow, {"Command": {"CommandId": ID}}]
    )

    assert isinstance(found, Said)
    assert Counter(call for call, _ in asked)["SendCommand"] == ROUNDS == 3


@pytest.mark.parametrize(
    ("status", "words"), [("Pending", "did not take the command in time"), ("InProgress", "is still InProgress after")]
)
def test_a_command_without_an_end_is_cancelled(status: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssm_door, "GRACE", -30)
    found, asked, _ = carry([told(status)], limit=0.2)

    with pytest.raises(DoorError, match=words):
        raise found if isinstance(found, DoorError) else AssertionError(found)
    assert [arguments for call, arguments in asked if call == "CancelCommand"] == [{"CommandId": ID}]


def test_a_long_answer_comes_out_of_s3_once_it_is_there_whole() -> None:
    short = told("Success", StandardOutputContent=ANSWER[: len(ANSWER) // 2])
    scratch = Scratch(kept=[ANSWER[:-300], ANSWER])
    found, _, _ = carry([short], scratch)

    assert isinstance(found, Said)
    assert found.out == b"here\n"
    assert scratch.removed[0] == f"{PLACE}ssm/{ID}/i-2/awsrunShellScript/0.awsrunShellScript/stdout"


def test_a_long_answer_is_never_cut_silently() -> None:
    short = told("Success", StandardOutputContent=ANSWER[: len(ANSWER) // 2])
    never, _, _ = carry([short], Scratch())
    nowhere, asked, _ = carry([short], Scratch(""))

    with pytest.raises(
        DoorError, match=r"longer than the 24,000 characters .* may the cluster's instance profile write there"
    ):
        raise never if isinstance(never, DoorError) else AssertionError(never)
    with pytest.raises(DoorError, match=r"there is no place in S3 for it: .* give --scratch"):
        raise nowhere if isinstance(nowhere, DoorError) else AssertionError(nowhere)
    assert "OutputS3BucketName" not in next(arguments for call, arguments in asked if call == "SendCommand")


def test_a_script_that_ssm_does_not_take_is_not_sent() -> None:
    with (
        serving({}) as (variables, asked),
        pytest.raises(DoorError, match="has 70000 characters, and SSM takes 60000 at most: give --door step"),
    ):
        SsmCarrier(EmrDoor("j-1", settings=variables), Scratch(), print).carry(SEAL, "x" * 70_000, 20)  # type: ignore[arg-type] # the same
    assert asked == []


def test_no_master_that_runs() -> None:
    found, _, _ = carry([told("Success")], masters=[])
    with pytest.raises(DoorError, match="AWS lists no master instance of j-1 that runs"):
        raise found if isinstance(found, DoorError) else AssertionError(found)


def test_an_interrupted_run_waits_until_a_command_under_way_is_cancelled() -> None:
    made, answers = Made(), {
        "DescribeCluster": [{"Cluster": {"Id": "j-1"}}], "ListInstances": [{"Instances": MASTERS}],
        "SendCommand": [{"Command": {"CommandId": ID}}], "GetCommandInvocation": [told("InProgress")], "CancelCommand": [{}],
    }  # fmt: skip
    calls: list[str] = []
    with serving(answers) as (variables, asked):

        def interrupt() -> None:
            made.stop(print)
            calls.extend(call for call, _ in asked)

        carrier = SsmCarrier(EmrDoor("j-1", settings=variables), Scratch(), print, made=made)  # type: ignore[arg-type] # the same
        timer = threading.Timer(0.3, interrupt)
        timer.start()
        with pytest.raises(DoorError, match="interrupted"):
            carrier.carry(SEAL, "echo", 60)
        timer.join()
        with pytest.raises(DoorError, match="interrupted"):
            carrier.carry(SEAL, "echo", 60)

    assert calls.count("SendCommand") == calls.count("CancelCommand") == 1
    assert Counter(call for call, _ in asked)["SendCommand"] == 1, "nothing more is begun"
