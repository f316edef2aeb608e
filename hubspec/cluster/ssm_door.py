"""A script carried by Systems Manager: SendCommand to the master instance, its sealed answer out of the invocation, or out of S3.

Source of fact: SSM API 2014-11-06 (SendCommand, GetCommandInvocation: the first 24,000 characters of stdout), User Guide
'Understanding command statuses'.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hubspec.cluster import ssm_faults
from hubspec.cluster.answer import Said
from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.logs import NotThereError
from hubspec.cluster.made import Made
from hubspec.cluster.seal import Seal
from hubspec.cluster.session import PAUSE, ROUNDS, THROTTLED, RefusedError
from hubspec.cluster.steps import StepDoor
from hubspec.errors import DoorError

DOCUMENT = "AWS-RunShellScript"
LONGEST = 60_000
"""Characters of a script: a document may have 64 KB with all that is put into it."""
DELIVERY = 30
"""Seconds in which the agent has to take a command, the least that SSM can be told."""
GRACE, ARRIVAL = 15.0, 60.0
"""Seconds more than it may run in which its end must be known, and in which its output must be in S3."""
FIRST, POLL, PATIENCE = 0.2, 2.0, 10.0
SETTLE = 2.0
"""Seconds in which the agent has brought what a command said that was left before its end was known."""
_GOING = {"Pending", "InProgress", "Delayed", "Cancelling"}
_NOT_YET = "InvocationDoesNotExist"


@dataclass(frozen=True)
class _Sent:
    """A command that was sent, and where its output goes in S3, s3://BUCKET/PREFIX/; empty for nowhere."""

    command: str
    instance: str
    place: str

    @property
    def output(self) -> Iterator[str]:
        """Yield the URI of each stream, as the agent writes them."""
        for stream in ("stdout", "stderr") if self.place else ():
            yield f"{self.place}{self.command}/{self.instance}/awsrunShellScript/0.awsrunShellScript/{stream}"


class SsmCarrier:
    """Carries by commands to the master instance, as root. `steps` knows where an answer may lie in S3 for a moment."""

    name, trip, user = "ssm", "SSM command", "root"

    def __init__(self, aws: EmrDoor, steps: StepDoor, say: Callable[[str], None], *, made: Made | None = None) -> None:
        """Nothing is sent yet. `made` says when the run was interrupted, and has that wait for what is taken back here."""
        self._aws, self._session, self._steps, self._say = aws, aws.session, steps, say
        self._made = made or Made()

    def carry(self, seal: Seal, script: str, limit: float) -> Said:
        """Return the answer to a script. What it left in S3 is removed and a command under way cancelled, however this ends.

        Raises DoorError, with the next step.
        """
        if len(script) > LONGEST:
            raise DoorError(
                f"what is to be run has {len(script)} characters, and SSM takes {LONGEST} at most: give --door step"
            )
        with self._made.making():
            return self._carry(seal, script, limit)

    def _carry(self, seal: Seal, script: str, limit: float) -> Said:
        instance, place = self._instance(), ""
        with contextlib.suppress(DoorError):
            place = f"{self._steps.scratch}ssm/"
        sent = self._send(instance, script, limit, place)
        ended = False
        try:
            told = self._end(sent, limit)
            ended = True
            return seal.opened(told["StandardOutputContent"]) or self._rest(sent, told, seal)
        finally:
            if not ended:
                self._cancel(sent)
                # The agent brings to S3 what a command has said, also of one that is cancelled, or that nobody may ask about.
                time.sleep(SETTLE if sent.place else 0)
            for uri in sent.output:
                self._remove(uri)

    def _instance(self) -> str:
        """Return the id of the master instance; of several that of the name that the cluster tells."""
        masters = self._aws.masters()
        name = self._aws.describe().get("MasterPublicDnsName")
        named = [one for one in masters if name in {one.get("PublicDnsName"), one.get("PrivateDnsName")}]
        found = (named or masters)[:1]
        if not found:
            raise DoorError(f"AWS lists no master instance of {self._aws.cluster_id} that runs")
        return str(found[0]["Ec2InstanceId"])

    def _send(self, instance: str, script: str, limit: float, place: str) -> _Sent:
        bucket, _, prefix = place.removeprefix("s3://").rstrip("/").partition("/")
        where = {"OutputS3BucketName": bucket, "OutputS3KeyPrefix": prefix} if place else {}
        given = {"commands": [script], "executionTimeout": [str(math.ceil(limit))]}
        for left in reversed(range(ROUNDS)):
            try:
                answer = self._session.call(
                    "SendCommand", once=True, InstanceIds=[instance], DocumentName=DOCUMENT, Parameters=given,
                    TimeoutSeconds=DELIVERY, Comment="hubspec: looks at the hub's container", **where,
                )  # fmt: skip
            except RefusedError as error:
                if error.code not in THROTTLED or not left:
                    raise ssm_faults.refused(error, instance) from None
                self._wait(PAUSE)
            else:
                return _Sent(str(answer["Command"]["CommandId"]), instance, place)
        raise AssertionError  # the last round returns or raises

    def _end(self, sent: _Sent, limit: float) -> dict[str, Any]:
        """Return the invocation at its end. Raises DoorError where it has none in time, or another than success."""
        begun = told = time.monotonic()
        pause, status = FIRST, "Pending"
        while True:
            self._wait(pause)
            pause = min(pause * 1.5, POLL)
            found: dict[str, Any] = {}
            try:
                asked = sent.command, sent.instance
                found = self._session.call("GetCommandInvocation", CommandId=asked[0], InstanceId=asked[1])
                status = found["Status"]
            except RefusedError as error:
                if error.code != _NOT_YET:
                    raise
            spent = time.monotonic() - begun
            if status not in _GOING:
                if status != "Success":
                    raise ssm_faults.ended(found, sent.instance, limit)
                return found
            if spent > (min(limit, DELIVERY) if status == "Pending" else limit + DELIVERY + GRACE):
                raise ssm_faults.late(sent.instance, status, spent)
            if time.monotonic() - told > PATIENCE:
                told = time.monotonic()
                self._say(f"SSM command {sent.command} on {sent.instance}: {status}")

    def _rest(self, sent: _Sent, told: dict[str, Any], seal: Seal) -> Said:
        """Return the answer out of S3: it is longer than what an invocation tells. Raises DoorError."""
        if not seal.begun(told["StandardOutputContent"]):
            raise ssm_faults.no_answer(told)
        if not sent.place:
            raise ssm_faults.no_place()
        until, pause, uri = time.monotonic() + ARRIVAL, FIRST, next(sent.output)
        while True:
            with contextlib.suppress(NotThereError):
                said = seal.opened(self._steps.read(uri))
                if said:
                    return said
            if time.monotonic() > until:
                raise ssm_faults.not_in_s3(uri, ARRIVAL)
            self._wait(pause)
            pause = min(pause * 1.5, POLL)

    def _wait(self, seconds: float) -> None:
        if self._made.stopped.wait(seconds):
            raise DoorError("the look at the container was interrupted")

    def _cancel(self, sent: _Sent) -> None:
        try:
            self._session.call("CancelCommand", CommandId=sent.command)
        except DoorError as error:
            self._say(f"the command {sent.command} could not be cancelled: {error}")

    def _remove(self, uri: str) -> None:
        try:
            self._steps.remove(uri)
        except DoorError as error:
            self._say(f"{uri} could not be removed (its content is sealed): {error}")
