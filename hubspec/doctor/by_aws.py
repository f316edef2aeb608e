"""Checks of the doors that need AWS alone. Neither is looked through: a step or a command leaves its marks on the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.by_aws import NAMES
from hubspec.cluster.steps import StepDoor
from hubspec.doctor.model import Check, Finding, Findings, State, fails, parted
from hubspec.errors import DoorError

_INSIDE = ("container.running", "container.conda", "container.hub", "container.proxy")
_ROLE = "give the cluster's instance profile AmazonSSMManagedInstanceCore, and see on the node: sudo systemctl status amazon-ssm-agent"


@dataclass(frozen=True)
class ByAws:
    """What such doors are judged by."""

    aws: EmrDoor
    steps: StepDoor

    def checks(self, chosen: str) -> Iterator[Check]:
        """Yield the check of each; `chosen` is the name of the door that was."""
        for name in NAMES:
            needed = name == chosen
            row = f"door.{name}" if needed else f"other doors.{name}"
            # Of one that nobody chose, the cluster's being unknown is told elsewhere already.
            yield Check((row,), self._tried(name, row, needed=needed), ("aws.DescribeCluster",), needed)

    def _tried(self, name: str, row: str, *, needed: bool) -> Callable[[], Findings]:
        look = {"step": self._step, "ssm": self._ssm}[name]

        def run() -> Findings:
            try:
                found = look()
            except DoorError as error:
                yield fails(row, *parted(str(error)), needed=needed)
                return
            # What is tried by a look alone is no reason for the doctor to say that an audit could not.
            yield Finding(row, State.UNTRIED, f"{found} (docs/iam/door-{name}.json)", needed=False)

        return run

    def _step(self) -> str:
        place = self.steps.scratch
        self.steps.logs("")
        return f"a script would go to {place}, and its answer come with the step's log; no step is submitted to try it"

    def _ssm(self) -> str:
        masters = [str(one["Ec2InstanceId"]) for one in self.aws.masters()]
        if not masters:
            raise DoorError("AWS lists no master instance that runs")
        wanted = [{"Key": "InstanceIds", "Values": masters}]
        told = self.aws.session.call("DescribeInstanceInformation", Filters=wanted)["InstanceInformationList"]
        state = {one["InstanceId"]: one.get("PingStatus", "?") for one in told}
        for one in masters:
            if one not in state:
                raise DoorError(f"SSM does not know the master instance {one}: {_ROLE}")
            if state[one] != "Online":
                raise DoorError(f"the SSM agent of {one} is {state[one]}: {_ROLE}")
        return f"the SSM agent of {', '.join(masters)} is online; no command is sent to try it"


def sealed(chosen: str) -> Check:
    """Return the check that says why nothing is told of the container where such a door was chosen."""
    why = f"a look through {chosen} leaves its marks on the cluster; an audit takes it"
    return Check(
        _INSIDE, lambda: iter([Finding(row, State.UNTRIED, why, needed=False) for row in _INSIDE]), needed=False
    )
