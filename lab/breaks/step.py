"""Breaks of the cluster's steps: real runs that went wrong, and a past that is told otherwise."""

from __future__ import annotations

from functools import partial

from lab.breaks import aws
from lab.breaks.model import UNREADABLE, Break, Scene, Step

CLIENT, WHO = "lab: docker client", "lab: who runs steps"
VERSION = ("sudo", "docker", "version", "--format")
COMMAND = "command-runner.jar"
FAILED, FOREIGN, BLOCKER, STUCK = "nightly report", "load a jar", "nightly copy", "nightly clean-up"
STRAYS = (FAILED, FOREIGN, BLOCKER, STUCK)
DAY, HOUR, MINUTE = 86_400, 3_600, 60
OFTEN = 200


def whole(scene: Scene) -> None:
    """Bring the steps to what the launch left: nothing of a break waits, runs, or is told."""
    aws.control({"allow": ["ListSteps"], "throttle": {"ListSteps": 0}}, scene)
    names = (CLIENT, WHO, *STRAYS)
    going = [step["Id"] for step in aws.steps(scene, *names) if "EndDateTime" not in step["Status"]["Timeline"]]
    if going:
        emr = aws.client(scene, "emr")
        emr.cancel_steps(ClusterId=scene.lab.cluster_id, StepIds=going, StepCancellationOption="TERMINATE_PROCESS")
    aws.wait(scene, *names)
    aws.control({"forget_steps": list(names), "restore": ["steps", "age", "lengthen"]}, scene)


def fail(scene: Scene) -> None:
    """Run the declared step again, in a way that fails."""
    aws.submit(scene, CLIENT, COMMAND, *VERSION, "{{.Client.NoSuchField}}")
    aws.wait(scene, CLIENT)


def other_arguments(scene: Scene) -> None:
    """Run the declared step again, with another argument."""
    aws.submit(scene, CLIENT, COMMAND, *VERSION, "{{.Server.Version}}")
    aws.wait(scene, CLIENT)


def late(scene: Scene) -> None:
    """Leave a run after the launch only."""
    ready = aws.cluster(scene)["Status"]["Timeline"]["ReadyDateTime"]
    if any(step["Status"]["Timeline"]["CreationDateTime"] <= ready for step in aws.steps(scene, CLIENT)):
        aws.control({"forget_steps": CLIENT}, scene)
    aws.submit(scene, CLIENT, COMMAND, *VERSION, "{{.Client.Version}}")
    aws.wait(scene, CLIENT)


def stray_failed(scene: Scene) -> None:
    """Run a step that nobody declared, and that fails."""
    aws.submit(scene, FAILED, COMMAND, "ls", "/no/such/folder")
    aws.wait(scene, FAILED)


def stray_jar(scene: Scene) -> None:
    """Submit a step with a jar of somebody's own."""
    aws.submit(scene, FOREIGN, "s3://hubspec-lab-scripts/tools.jar", "load")
    aws.wait(scene, FOREIGN)


def stuck(scene: Scene) -> None:
    """Leave a step waiting behind one that does not end, since longer than it is."""
    aws.submit(scene, BLOCKER, COMMAND, "sleep", "86400")
    aws.submit(scene, STUCK, COMMAND, "true")
    aws.control({"age": {"step": STUCK, "by": 45 * MINUTE}}, scene)


def _step(name: str, sentence: str, apply: Step, field: str = "", resource: str = "docker-client") -> Break:
    return Break(name, sentence, "step", resource, apply, whole, field)


def _told(name: str, sentence: str, request: dict[str, object], field: str = "") -> Break:
    return _step(name, sentence, partial(_control, request), field)


def _control(request: dict[str, object], scene: Scene) -> None:
    aws.control(request, scene)


TABLE = (
    _step("step-failed", "the newest run of a declared step failed", fail, "state"),
    _told("step-missing", "a declared step is not among the cluster's steps", {"forget_steps": CLIENT}),
    _told("step-old", "a declared step ran too long ago", {"age": {"step": CLIENT, "by": 400 * DAY}}, "age"),
    _told("step-long", "a declared step took too long", {"lengthen": {"step": CLIENT, "by": HOUR}}, "duration"),
    _step("step-arguments", "the newest run of a declared step had other arguments", other_arguments, "arguments"),
    _step("step-late", "a step of the launch ran only afterwards", late, "when"),
    _step("step-stray-failed", "a step that nobody declared failed", stray_failed, resource="*"),
    _step("step-stray-jar", "a step that nobody declared runs a foreign jar", stray_jar, resource="*"),
    _step("step-stuck", "a step waits since 45 minutes behind one that does not end", stuck, resource="*"),
    Break(
        "steps-denied",
        "AWS refuses to list the steps",
        "step",
        "",
        partial(_control, {"deny": ["ListSteps"]}),
        whole,
        exit_code=UNREADABLE,
    ),
    Break(
        "steps-throttled",
        "AWS has been asked for the steps too often, for longer than anybody waits",
        "step",
        "",
        partial(_control, {"throttle": {"ListSteps": OFTEN}}),
        whole,
        exit_code=UNREADABLE,
    ),
)
