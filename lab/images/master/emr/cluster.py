"""One cluster as the layer keeps it: its state, its queue of steps, and moto's object, which tells of everything else."""

from __future__ import annotations

import signal
import threading
from collections import deque
from datetime import timezone
from pathlib import Path
from typing import Any

from emr import run
from emr.logs import Pusher
from emr.step import Step

# Steps can be added in these, and in no other.
OPEN = frozenset({"STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"})
TERMINATED_BY_USER = ("TERMINATED", "USER_REQUEST", "Terminated by user request")


class Cluster:
    """One cluster. `changed` guards everything in it, and wakes the thread in which it lives (life.py)."""

    def __init__(self, moto: Any, given: dict[str, Any], steps: list[Step], pusher: Pusher) -> None:  # noqa: ANN401
        """Take moto's object, the input of RunJobFlow and the steps made of it; nothing runs yet."""
        self.moto, self.id, self.log_uri, self.pusher = moto, moto.id, given.get("LogUri"), pusher
        self.account, self.region = moto.emr_backend.account_id, moto.emr_backend.region_name
        self.keep_alive = bool((given.get("Instances") or {}).get("KeepJobFlowAliveWhenNoSteps"))
        self.bootstrap = [_command(entry) for entry in given.get("BootstrapActions") or []]
        self.idle_policy: dict[str, Any] | None = given.get("AutoTerminationPolicy")
        self.changed = threading.Condition(threading.RLock())
        self.steps = list(steps)
        self.pending: deque[Step] = deque(steps)
        self.running: set[Step] = set()
        self.by_id = {step.id: step for step in steps}
        # How it is to end: state, code, message.
        self.wish: tuple[str, str, str] | None = None
        # The process of the bootstrap action that runs.
        self.booting: Any = None
        # Systems Manager's agent on its instances: online, offline (known and silent), or none.
        self.agent = "online"
        # What the lab tells of it in place of the truth, by the names of DescribeCluster; see control.py.
        self.told: dict[str, Any] = {}
        self.moto.keep_job_flow_alive_when_no_steps = self.keep_alive
        self.moto.ready_datetime = self.moto.end_datetime = None
        # The steps of the launch are as old as the cluster, and no older.
        for step in steps:
            step.created = moto.creation_datetime.replace(tzinfo=timezone.utc).timestamp()
        self.enter("STARTING")

    def enter(self, state: str, code: str = "", message: str = "") -> None:
        """Change its state, and why."""
        self.state = self.moto.state = state
        self.reason = ({"Code": code} if code else {}) | ({"Message": message} if message else {})

    def add(self, steps: list[Step]) -> None:
        """Queue steps; `changed` is held."""
        self.steps += steps
        self.pending += steps
        self.by_id |= {step.id: step for step in steps}
        if self.state == "WAITING":
            self.enter("RUNNING", message="Running step")
        self.changed.notify_all()

    def cancel(self, step: Step, *, kill: bool) -> None:
        """Cancel a step that waits at once, and ask one that runs to end; `changed` is held.

        Source of fact: 'Cancel steps' (SIGTERM to the process, SIGKILL to it and its descendants; no ActionOnFailure).
        """
        if step.state == "PENDING":
            self.pending.remove(step)
            step.end("CANCELLED", "Cancelled by user")
        elif not step.over:
            step.state, step.ending = "CANCEL_PENDING", step.ending or "CANCELLED"
            run.stop(step.process, signal.SIGKILL if kill else signal.SIGTERM, descendants=kill)
        self.changed.notify_all()

    def cancel_pending(self) -> None:
        """Cancel every step that waits; `changed` is held."""
        while self.pending:
            self.pending.popleft().end("CANCELLED", "Job terminated")

    def terminate(self, state: str, code: str, message: str) -> None:
        """Ask it to end; the first one who asks says why."""
        with self.changed:
            self.wish = self.wish or (state, code, message)
            run.stop(self.booting, signal.SIGKILL, descendants=True)
            self.changed.notify_all()

    @property
    def master(self) -> str:
        """Answer the EC2 id of its first instance."""
        return self.moto.ec2_instances[0].ec2_instance_id if self.moto.ec2_instances else "i-none"

    def push(self, below: str, folder: Path) -> None:
        """Let a folder of logs go to S3 later."""
        self.pusher.later(self.account, self.log_uri, f"{self.id}/{below}", folder)


def _command(entry: dict[str, Any]) -> dict[str, Any]:
    action = entry.get("ScriptBootstrapAction") or {}
    return {"Name": entry.get("Name", ""), "ScriptPath": action.get("Path", ""), "Args": list(action.get("Args") or [])}
