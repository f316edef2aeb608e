"""EMR calls about steps: AddJobFlowSteps, ListSteps, DescribeStep, CancelSteps."""

from __future__ import annotations

from typing import Any

from emr import checks
from emr.api import PAGE, Clusters
from emr.cluster import OPEN, Cluster
from emr.errors import invalid, validation
from emr.front import Front, Request
from emr.step import Step

IDS_LIMIT, CANCEL_LIMIT = 10, 256
CLOSED = "A job flow that is shutting down, terminated, or finished may not be modified."
OPTIONS = ("SEND_INTERRUPT", "TERMINATE_PROCESS")


class Steps:
    """The calls that concern steps."""

    def __init__(self, front: Front, clusters: Clusters) -> None:
        """Take over the calls answered here."""
        self._clusters = clusters
        front.answers |= {
            "AddJobFlowSteps": self.add,
            "ListSteps": self.list,
            "DescribeStep": self.describe,
            "CancelSteps": self.cancel,
        }

    def add(self, request: Request) -> dict[str, Any]:
        """Queue steps: all of a call, or none."""
        cluster = self._clusters.of(request)
        with cluster.changed:
            if cluster.state not in OPEN or cluster.wish:
                raise validation(CLOSED)
            level, role = cluster.moto.step_concurrency_level, request.get("ExecutionRoleArn")
            steps = checks.new_steps(request.get("Steps", []), level, role)
            if not steps:
                raise validation("Steps must not be empty.")
            if len(cluster.pending) + len(cluster.running) + len(steps) > checks.ACTIVE_LIMIT:
                raise validation(checks.TOO_MANY)
            cluster.add(steps)
        return {"StepIds": [step.id for step in steps]}

    def list(self, request: Request) -> dict[str, Any]:
        """Answer 50 steps, newest first, from the one that Marker names on; or the steps that StepIds names."""
        cluster, ids, states = self._clusters.of(request), request.get("StepIds") or [], request.get("StepStates") or []
        if ids and states:
            raise invalid("Cannot specify both StepIds and StepStates.")
        if len(ids) > IDS_LIMIT:
            raise invalid(f"At most {IDS_LIMIT} StepIds can be specified.")
        with cluster.changed:
            if ids:
                return {"Steps": [_one(cluster, number).told() for number in ids]}
            newest = [step for step in reversed(cluster.steps) if not states or step.state in states]
            first = _place(newest, cluster, request.get("Marker"))
            page = [step.told() for step in newest[first : first + PAGE]]
        more = {"Marker": newest[first + PAGE].id} if len(newest) > first + PAGE else {}
        return {"Steps": page} | more

    def describe(self, request: Request) -> dict[str, Any]:
        """Answer one step."""
        cluster = self._clusters.of(request)
        with cluster.changed:
            step = _one(cluster, request.get("StepId"))
            return {"Step": step.told() | ({"ExecutionRoleArn": step.role} if step.role else {})}

    def cancel(self, request: Request) -> dict[str, Any]:
        """Cancel steps; whether one that runs has ended is told by its state later."""
        cluster, option = self._clusters.of(request), request.get("StepCancellationOption", OPTIONS[0])
        ids = request.get("StepIds", [])
        if option not in OPTIONS:
            raise validation(f"StepCancellationOption must be one of {', '.join(OPTIONS)}.")
        if not 1 <= len(ids) <= CANCEL_LIMIT:
            raise validation(f"Between 1 and {CANCEL_LIMIT} StepIds must be specified.")
        with cluster.changed:
            return {"CancelStepsInfoList": [self._cancel(cluster, number, option) for number in ids]}

    @staticmethod
    def _cancel(cluster: Cluster, number: str, option: str) -> dict[str, str]:
        step = cluster.by_id.get(number)
        if step is None or step.over:
            reason = "the step does not exist" if step is None else f"the step is {step.state}"
            return {"StepId": number, "Status": "FAILED", "Reason": reason}
        cluster.cancel(step, kill=option == OPTIONS[1])
        return {"StepId": number, "Status": "SUBMITTED"}


def _one(cluster: Cluster, number: str | None) -> Step:
    if number not in cluster.by_id:
        raise invalid(f"Step id '{number}' is not valid.")
    return cluster.by_id[number]


def _place(steps: list[Step], cluster: Cluster, marker: str | None) -> int:
    """Answer where a page begins. A step that left the filter's states since still has its place among the others."""
    if marker is None:
        return 0
    if marker not in cluster.by_id:
        raise invalid(f"Marker '{marker}' is not valid.")
    before = {step.id for step in cluster.steps[cluster.steps.index(cluster.by_id[marker]) + 1 :]}
    return sum(step.id in before for step in steps)
