"""Steps of our own: submitted, watched, cancelled, and their output read; a script for them in S3, and its removal."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from hubspec.cluster import logs
from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.logs import NotThereError
from hubspec.cluster.session import THROTTLED, NoAnswerError, RefusedError
from hubspec.errors import DoorError
from hubspec.model import Detail

MOST = 64 * 1024 * 1024
"""Bytes of a step's output that are read as a whole."""
ADDS = 3
"""How often a step is submitted where AWS throttled it, or did not answer and does not list it."""


class StepDoor:
    """Steps through the EMR API (2009-03-31), as one more way to work on a cluster. Nothing here is read only.

    `scratch` is where a script may be put, s3://BUCKET/PREFIX/; without it, hubspec/ below the cluster's log URI.
    """

    def __init__(self, aws: EmrDoor, scratch: str | None = None) -> None:
        """Nothing is asked of AWS yet."""
        self._aws, self._session, self._given = aws, aws.session, scratch

    @property
    def command(self) -> str:
        """Return what it asks, for the evidence of a record."""
        return f"{self._aws.command}: elasticmapreduce:AddJobFlowSteps, ListSteps"

    @cached_property
    def scratch(self) -> str:
        """Return where a script may be put. Raises DoorError where nobody said, and the cluster has no log URI."""
        where = self._given or self._aws.describe().get("LogUri") or ""
        bucket = urlsplit(where).netloc
        if not bucket or not where.startswith(("s3://", "s3n://", "s3a://")):
            raise DoorError(
                "there is no place for a script: the cluster has no log URI in S3; give --scratch s3://BUCKET/PREFIX/"
            )
        path = urlsplit(where).path.strip("/")
        return f"s3://{bucket}/" + "".join(f"{part}/" for part in (path, "" if self._given else "hubspec") if part)

    @property
    def region(self) -> str:
        """Return the region of the cluster, which is in the name of script-runner.jar's bucket. Raises DoorError."""
        return self._session.region

    def put(self, name: str, text: str) -> str:
        """Put a file into the scratch folder, and return its URI. Raises DoorError."""
        bucket, key = _split(self.scratch + name)
        self._session.call("PutObject", Bucket=bucket, Key=key, Body=text.encode())
        return f"s3://{bucket}/{key}"

    def read(self, uri: str) -> str:
        """Return a text in S3. Raises NotThereError, DoorError."""
        return logs.plain(self._session, uri, MOST)

    def remove(self, uri: str) -> None:
        """Remove what `put` put there. Raises DoorError."""
        bucket, key = _split(uri)
        self._session.call("DeleteObject", Bucket=bucket, Key=key)

    def submit(self, name: str, jar: str, arguments: list[str], *, new_name: bool = True) -> str:
        """Submit one step that ends nothing when it fails, and return its id. Raises DoorError.

        AWS may have taken a step whose answer was lost: where its name is new, it is looked for by that before it is
        submitted again (AddJobFlowSteps has no idempotency token); where it is not, it is not submitted again.
        """
        step = {"Name": name, "ActionOnFailure": "CONTINUE", "HadoopJarStep": {"Jar": jar, "Args": arguments}}
        for left in reversed(range(ADDS)):
            try:
                answer = self._session.call("AddJobFlowSteps", once=True, JobFlowId=self._aws.cluster_id, Steps=[step])
                return str(answer["StepIds"][0])
            except (RefusedError, NoAnswerError) as error:
                if isinstance(error, RefusedError) and error.code not in THROTTLED:
                    raise
                taken = self._newest(name) if new_name else None
                if not new_name and isinstance(error, NoAnswerError):
                    raise
                if taken:
                    return taken
                if not left:
                    raise
        raise AssertionError  # the last round returns or raises

    def _newest(self, name: str) -> str | None:
        steps = self._session.call("ListSteps", ClusterId=self._aws.cluster_id)["Steps"]
        return next((str(step["Id"]) for step in steps if step["Name"] == name), None)

    def status(self, step: str) -> dict[str, Any]:
        """Return the `Status` of a step by its id. Raises DoorError."""
        found = self._session.call("ListSteps", ClusterId=self._aws.cluster_id, StepIds=[step])["Steps"]
        if not found:
            raise DoorError(f"AWS does not list the step {step} that was submitted")
        status: dict[str, Any] = found[0]["Status"]
        return status

    def before(self, step: str) -> list[str]:
        """Return the names of the steps before a step that waits, newest first, as far as AWS lists them at once. Raises DoorError."""
        states = ["PENDING", "RUNNING"]
        found = self._session.call("ListSteps", ClusterId=self._aws.cluster_id, StepStates=states)["Steps"]
        at = next((number for number, one in enumerate(found, 1) if one["Id"] == step), len(found))
        return [str(one["Name"]) for one in found[at:]]

    def cancel(self, step: str) -> None:
        """Ask for the end of a step, waiting or running. Raises DoorError where that is refused."""
        answer = self._session.call(
            "CancelSteps", ClusterId=self._aws.cluster_id, StepIds=[step], StepCancellationOption="TERMINATE_PROCESS"
        )
        for told in answer.get("CancelStepsInfoList", []):
            if told.get("Status") == "FAILED":
                raise DoorError(f"{step} cannot be cancelled: {told.get('Reason', json.dumps(told))}")

    def logs(self, step: str) -> str:
        """Return the folder of a step's logs in S3. Raises DoorError where the cluster keeps none there."""
        where = logs.folder(self._aws.describe().get("LogUri"), self._aws.cluster_id, step)
        if where is None:
            raise DoorError("the cluster has no log URI in S3, so the output of a step cannot be read")
        return where

    def output(self, step: str, *, whole: bool = False) -> str | None:
        """Return the last lines of a step's stdout from S3, or all; None where it has not arrived.

        Raises DoorError, and so where all is more than MOST bytes.
        """
        where = self.logs(step)
        try:
            lines, kept = (MOST, MOST) if whole else (logs.LINES["stdout"], logs.KEPT)
            text, size = logs.tail(self._session, f"{where}stdout.gz", lines, kept)
        except NotThereError:
            return None
        if whole and size > MOST:
            raise DoorError(f"{where}stdout.gz is longer than the {MOST} bytes that are read of it")
        return text

    def explain(self, step: str, ended: datetime | None) -> tuple[Detail, ...]:
        """Return the last lines of a step's logs, or until when to wait for them."""
        where = logs.folder(self._aws.describe().get("LogUri"), self._aws.cluster_id, step)
        return logs.explain(self._session, where, ended)


def _split(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")
