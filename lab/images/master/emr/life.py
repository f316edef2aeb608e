"""What a cluster does in its life: STARTING, BOOTSTRAPPING, RUNNING and WAITING, and one of two ends."""

from __future__ import annotations

import signal
import threading
import time
import traceback
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from emr import run, scripts
from emr.cluster import Cluster
from emr.step import Step


def begin(cluster: Cluster) -> None:
    """Let a cluster live, in a thread of its own."""
    threading.Thread(target=_live, args=(cluster,), name=cluster.id, daemon=True).start()


def utcnow() -> datetime:
    """Answer the time as moto keeps it: UTC without a zone."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


def _live(cluster: Cluster) -> None:
    try:
        _boot(cluster)
        with cluster.changed:
            while cluster.wish is None:
                _start_steps(cluster)
                _settle(cluster)
                if cluster.wish is None:
                    cluster.changed.wait()
    except Exception as error:  # noqa: BLE001 - the cluster ends, and says so
        traceback.print_exc()
        cluster.terminate("TERMINATED_WITH_ERRORS", "INTERNAL_ERROR", str(error))
    _end(cluster)


def _boot(cluster: Cluster) -> None:
    cluster.enter("BOOTSTRAPPING")
    for number, action in enumerate(cluster.bootstrap, 1):
        code = _bootstrap(cluster, number, action) if cluster.wish is None else 1
        if code:
            text = (
                f"On the master instance ({cluster.master}), bootstrap action {number} returned a non-zero return code"
            )
            cluster.terminate("TERMINATED_WITH_ERRORS", "BOOTSTRAP_FAILURE", text)
            return
    with cluster.changed:
        cluster.moto.ready_datetime = utcnow()


def _bootstrap(cluster: Cluster, number: int, action: dict[str, Any]) -> int:
    # The clusters share one node, so unlike on EMR the folder has the cluster's name in it.
    logs = run.make_folder(run.LOGS / "bootstrap-actions" / cluster.id / str(number))
    work = run.make_folder(run.WORK / "bootstrap-actions" / cluster.id)

    def started(child: Any) -> None:  # noqa: ANN401 - a process
        with cluster.changed:
            cluster.booting = child
            if cluster.wish:
                run.stop(child, signal.SIGKILL, descendants=True)

    try:
        argv = [*scripts.script(action["ScriptPath"], cluster.account, work), *action["Args"]]
        code = run.process(argv, logs, work, started)
    except (scripts.CannotRunError, OSError) as error:
        code = 1
        (logs / "stderr").write_text(f"{error}\n")
    (logs / "controller").write_text(f"bootstrap action {number} completed with exit code {code}\n")
    cluster.push(f"node/{cluster.master}/bootstrap-actions/{number}", logs)
    return code


def _start_steps(cluster: Cluster) -> None:
    while cluster.pending and len(cluster.running) < cluster.moto.step_concurrency_level:
        step = cluster.pending.popleft()
        cluster.running.add(step)
        step.state, step.started = "RUNNING", time.time()
        threading.Thread(target=_work, args=(cluster, step), name=step.id, daemon=True).start()


def _settle(cluster: Cluster) -> None:
    if cluster.pending or cluster.running:
        if cluster.state != "RUNNING":
            cluster.enter("RUNNING", message="Running step")
    elif not cluster.keep_alive:
        failed = any(step.state == "FAILED" for step in cluster.steps)
        words = "Steps completed with errors" if failed else "Steps completed"
        cluster.wish = ("TERMINATED", "ALL_STEPS_COMPLETED", words)
    elif cluster.state != "WAITING":
        ready = "after last step completed" if cluster.steps else "to run steps"
        cluster.enter("WAITING", message=f"Cluster ready {ready}.")


def _work(cluster: Cluster, step: Step) -> None:
    def started(child: Any) -> None:  # noqa: ANN401 - a process
        with cluster.changed:
            step.process = child
            if step.ending:
                run.stop(child, signal.SIGKILL, descendants=True)

    def program(folder: Path, path: str) -> list[str]:
        return scripts.program(step, cluster.account, cluster.region, folder, path)

    try:
        code = run.step(step, program, started)
        logs = run.log_folder(step)
        if step.failure and cluster.log_uri:
            below = f"{cluster.id}/steps/{step.id}/{run.where_it_says_why(logs)}.gz"
            step.failure["LogFile"] = f"{cluster.log_uri.rstrip('/')}/{below}"
        cluster.push(f"steps/{step.id}", logs)
    except Exception as error:  # noqa: BLE001 - whatever happened, the step comes to an end, and the next one starts
        traceback.print_exc()
        code, step.failure = 1, {"Reason": "Internal error of the lab's step runner.", "Message": str(error)}
    with cluster.changed:
        cluster.running.discard(step)
        if step.ending:
            step.end(step.ending, "Cancelled by user" if step.ending == "CANCELLED" else "Job terminated")
        else:
            step.end("FAILED" if code else "COMPLETED")
            if code:
                _react(cluster, step)
        cluster.changed.notify_all()


def _react(cluster: Cluster, step: Step) -> None:
    """Do as ActionOnFailure says. Source of fact: StepConfig of the API; 'Using termination protection'."""
    if step.action == "CONTINUE" or cluster.moto.step_concurrency_level > 1:
        return
    if step.action != "CANCEL_AND_WAIT" and not (cluster.moto.termination_protected and cluster.keep_alive):
        cluster.terminate("TERMINATED_WITH_ERRORS", "STEP_FAILURE", "Shut down as step failed")
    cluster.cancel_pending()


def _end(cluster: Cluster) -> None:
    state, code, message = cluster.wish or ("TERMINATED", "", "")
    with cluster.changed:
        cluster.enter("TERMINATING", code, message)
        cluster.cancel_pending()
        for step in cluster.running:
            step.ending = step.ending or "INTERRUPTED"
            run.stop(step.process, signal.SIGKILL, descendants=True)
        while cluster.running:
            cluster.changed.wait()
        cluster.moto.end_datetime = utcnow()
        for group in cluster.moto.instance_groups:
            group.state, group.end_date_time = "TERMINATED", cluster.moto.end_datetime
        ids = [instance.ec2_instance_id for instance in cluster.moto.ec2_instances]
        if ids:
            cluster.moto.emr_backend.ec2_backend.terminate_instances(ids)
        cluster.enter(state, code, message)
