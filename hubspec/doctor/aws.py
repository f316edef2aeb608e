"""Checks of AWS: who asks, where, and each call that an audit makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hubspec.baseline import Baseline
from hubspec.cluster import logs
from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.calls import CALLS
from hubspec.cluster.logs import NotThereError
from hubspec.cluster.session import NoAnswerError
from hubspec.doctor import machine
from hubspec.doctor.clock import verdict
from hubspec.doctor.model import Check, Findings, fails, mind, parted, spared, works
from hubspec.errors import DoorError, HubspecError, ShutError
from hubspec.kinds import KINDS
from hubspec.kinds.cluster import NEEDS
from hubspec.model import Unreadable

POLICY = "docs/iam/audit.json"
_NO_STEP = "s-HUBSPECDOCTOR"


def checks(door: EmrDoor, baseline: Baseline) -> Iterator[Check]:
    """Yield the checks of the AWS API. What the baseline does not ask for is not needed."""
    yield from way(door)
    asked = {name for kind in ("cluster", "step") for name in _asked(baseline, kind)}
    for name, call in CALLS.items():
        if "audit" in call.needs and name in _TOLD:
            before = () if name == "DescribeCluster" else ("aws.DescribeCluster",)
            needed = name == "DescribeCluster" or name in asked
            yield Check((f"aws.{name}",), _call(door, name, needed=needed), ("aws.credentials", *before), needed)
    yield Check(("aws.GetObject",), lambda: log(door), ("aws.DescribeCluster",), needed=False)


def way(door: EmrDoor) -> Iterator[Check]:
    """Yield the checks of what any call to AWS needs."""
    yield Check(("aws.region", "aws.endpoint"), lambda: region(door))
    yield Check(("proxy.aws",), lambda: machine.of_aws(lambda: door.session.endpoint("emr")), ("aws.region",))
    yield Check(("clock.aws", "aws.credentials"), lambda: credentials(door), ("aws.region", "proxy.aws"))


def _asked(baseline: Baseline, kind: str) -> list[str]:
    declared = baseline.resources[kind].values()
    policy = baseline.policy(kind)
    return KINDS[kind].probe(declared, policy).split() if declared or policy.policy != "ignore" else []


def region(door: EmrDoor) -> Findings:
    """Tell the region and the end point."""
    try:
        yield works("aws.region", door.session.region)
    except DoorError as error:
        yield fails("aws.region", *parted(str(error)))
        return
    yield works("aws.endpoint", door.session.endpoint("emr"))


def credentials(door: EmrDoor) -> Findings:
    """Tell whose the credentials are, and how far AWS's clock is."""
    session = door.session
    try:
        who = session.call("GetCallerIdentity")
    except ShutError:
        raise
    except NoAnswerError as error:
        yield verdict("clock.aws", session.apart, "AWS")
        # A private network may lead to EMR and not to STS, which nothing else asks.
        yield mind("aws.credentials", f"whose they are cannot be told: {error}")
        return
    except DoorError as error:
        yield verdict("clock.aws", session.apart, "AWS")
        yield fails("aws.credentials", *parted(str(error)))
        return
    yield verdict("clock.aws", session.apart, "AWS")
    yield works("aws.credentials", f"{who.get('Arn', '?')}, account {who.get('Account', '?')}")


def _call(door: EmrDoor, name: str, *, needed: bool) -> Callable[[], Findings]:
    row = f"aws.{name}"

    def run() -> Findings:
        try:
            answer = door.ask(name)[name]
        except HubspecError as error:
            what, then = parted(str(error))
            yield fails(row, what, f"{then}; is that the id, and is {door.session.region} its region?", needed=needed)
            return
        if isinstance(answer, Unreadable):
            yield fails(row, *_refused(name, door.errors.get(name) or DoorError(answer.reason)), needed=needed)
        else:
            yield works(row, _TOLD[name](answer), needed=needed)

    return run


def _refused(name: str, error: DoorError) -> tuple[str, str]:
    what, then = parted(str(error))
    if what == f"AWS refuses {name}":
        fields = [field for field, calls in NEEDS.items() if name in calls.split()]
        lost = f"; without it {', '.join(fields)} cannot be read" if fields else ""
        return f"{what} {then.partition(' ')[2].partition(' ')[2]}", f"allow {CALLS[name].action} ({POLICY}){lost}"
    return what, then


def log(door: EmrDoor) -> Findings:
    """Tell whether the logs of steps can be read: a log that is not there is asked for."""
    where = logs.folder(door.describe().get("LogUri"), door.cluster_id, _NO_STEP)
    if where is None:
        yield spared("aws.GetObject", "the cluster has no log URI in S3, so a step that failed tells none of its words")
        return
    try:
        logs.tail(door.session, f"{where}stderr.gz", 1)
    except NotThereError:
        yield works("aws.GetObject", f"the logs in {where.partition(_NO_STEP)[0]} may be read", needed=False)
    except DoorError as error:
        then = f"allow {CALLS['GetObject'].action} ({POLICY}); without it a step that failed tells none of its words"
        yield fails("aws.GetObject", str(error), then, needed=False)
    else:
        yield works("aws.GetObject", needed=False)


def _cluster(about: Any) -> str:
    state = about.get("Status", {}).get("State", "?")
    hubs = [
        f"JupyterHub {one.get('Version', '?')}"
        for one in about.get("Applications", [])
        if one.get("Name") == "JupyterHub"
    ]
    return ", ".join([state, about.get("ReleaseLabel", "no release"), *hubs])


_TOLD: dict[str, Callable[[Any], str]] = {
    "DescribeCluster": _cluster,
    "ListSteps": lambda answer: f"{len(answer['Steps'])} steps{' or more' if answer['Cut'] else ''}",
    "ListInstances": lambda answer: f"{len(answer)} master nodes" if len(answer) != 1 else "1 master node",
    "ListBootstrapActions": lambda answer: f"{len(answer)} bootstrap actions",
    "GetAutoTerminationPolicy": lambda answer: "a policy" if answer else "no policy",
    "DescribeSecurityConfiguration": lambda answer: "none is named" if answer == "{}" else "there is one",
    "DescribeSecurityGroups": lambda answer: f"{len(answer)} groups",
    "GetManagedPrefixListEntries": lambda answer: f"{len(answer)} prefix lists are named",
}
"""Call -> what is said of its answer."""
