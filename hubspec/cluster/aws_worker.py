"""What is done to a cluster through AWS: its tags, its protection, when it ends, and a step that is run again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.steps import StepDoor
from hubspec.door import ENDED
from hubspec.errors import DoorError

STEP_LIMIT = 3600
"""Seconds that a step which was submitted again may wait and run."""
POLL = 5.0
"""Seconds between two looks at it, after the first few: AWS lets an account list steps every two seconds at most."""


class AwsWorker:
    """Carries out the actions of door `aws` on one cluster (EMR API 2009-03-31). `stopped`: the run was interrupted."""

    def __init__(self, aws: EmrDoor, steps: StepDoor, stopped: Callable[[], bool]) -> None:
        """Nothing is asked of AWS yet."""
        self._aws, self._steps, self._stopped = aws, steps, stopped

    def act(self, call: str, arguments: str) -> str:
        """Make one call, `elasticmapreduce:Call` and its arguments as an action says them. Raises DoorError."""
        session, id_ = self._aws.session, self._aws.cluster_id
        key, _, value = arguments.partition("=")
        on = arguments == "true"
        match call.rpartition(":")[2]:
            case "AddJobFlowSteps":
                return self._again(json.loads(arguments)[0])
            case "AddTags":
                session.call("AddTags", ResourceId=id_, Tags=[{"Key": key, "Value": value}])
            case "RemoveTags":
                session.call("RemoveTags", ResourceId=id_, TagKeys=[arguments])
            case "SetTerminationProtection":
                session.call("SetTerminationProtection", JobFlowIds=[id_], TerminationProtected=on)
            case "SetKeepJobFlowAliveWhenNoSteps":
                session.call("SetKeepJobFlowAliveWhenNoSteps", JobFlowIds=[id_], KeepJobFlowAliveWhenNoSteps=on)
            case "PutAutoTerminationPolicy":
                session.call("PutAutoTerminationPolicy", ClusterId=id_, AutoTerminationPolicy={key: int(value)})
            case "RemoveAutoTerminationPolicy":
                session.call("RemoveAutoTerminationPolicy", ClusterId=id_)
            case _:
                raise DoorError(f"nothing here knows how to do: {call} {arguments}")
        return ""

    def _again(self, step: dict[str, Any]) -> str:
        jar = step["HadoopJarStep"]
        id_ = self._steps.submit(step["Name"], jar["Jar"], jar["Args"], new_name=False)
        until, pause = time.monotonic() + STEP_LIMIT, 0.5
        while (state := self._steps.status(id_)["State"]) not in ENDED:
            if self._stopped() or time.monotonic() > until:
                raise DoorError(f"{id_} was submitted, and is still {state}; it was left as it is")
            time.sleep(pause)
            pause = min(pause * 2, POLL)
        if state != "COMPLETED":
            raise DoorError(f"{id_} was submitted, and {state}")
        return f"{id_} COMPLETED"
