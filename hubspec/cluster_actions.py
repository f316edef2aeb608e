"""What puts an EMR cluster right, as requests to AWS: its tags, its end, its security groups. The rest is settled at launch.

`hubspec.cluster.calls` holds the IAM action and the boto3 method of each request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from hubspec.duration import seconds
from hubspec.model import Absent, Action, AtMost, Difference, Drift


def fix(drift: Drift) -> list[Action]:
    """Return what sets tags, protection and time-outs, what a person does about open ports, and what needs a launch."""
    if isinstance(drift.observed, Absent):
        return []
    actions, launch = [], []
    for difference in drift.differences:
        field, _, key = difference.field.partition(".")
        if field == "tags":
            actions += _tag(key, difference)
        elif field in _FIX:
            actions.append(_FIX[field](difference))
        else:
            launch.append(difference.field)
    if launch:
        sentence = f"{', '.join(sorted(launch))}: settled at launch; launch a cluster as declared and retire this one"
        actions.append(_do(sentence, "elasticmapreduce:RunJobFlow", "manual"))
    # What is taken away comes last, so that a tag is set before another goes.
    return sorted(actions, key=lambda action: ["safe", "unsafe", "manual"].index(action.safety))


def forget(name: str) -> list[Action]:
    """Return what a person should do about an application or a tag that nobody declared."""
    word, _, key = name.partition(" ")
    if word == "tag":
        return [_do(f"remove the tag {key}", f"elasticmapreduce:RemoveTags {key}", "unsafe")]
    sentence = f"declare the application {key}, or launch a cluster without it"
    return [_do(sentence, "elasticmapreduce:RunJobFlow", "manual")]


def _tag(key: str, difference: Difference) -> list[Action]:
    wanted, found = difference.wanted, difference.found
    if not key:  # the whole mapping: either side has none
        keys: Iterable[str] = found if wanted is None else ()
        return [action for one in keys if not one.startswith("aws:") for action in forget(f"tag {one}")]
    if wanted is None:
        return forget(f"tag {key}")
    if isinstance(wanted, str):
        return [_do(f"set the tag {key}", f"elasticmapreduce:AddTags {key}={wanted}", "safe")]
    sentence = f"choose the value of the tag {key}: it must match {wanted.matches}"
    return [_do(sentence, f"elasticmapreduce:AddTags {key}=VALUE", "manual")]


def _protection(difference: Difference) -> Action:
    request = "elasticmapreduce:SetTerminationProtection"
    if difference.wanted:
        return _do("switch termination protection on", f"{request} true", "safe")
    return _do("switch termination protection off: any call can end the cluster then", f"{request} false", "unsafe")


def _last_step(difference: Difference) -> Action:
    request = "elasticmapreduce:SetKeepJobFlowAliveWhenNoSteps"
    if difference.wanted:
        sentence = "let the cluster end after its last step: it ends now where no step runs"
        return _do(sentence, f"{request} false", "unsafe")
    return _do("keep the cluster after its last step", f"{request} true", "unsafe")


def _idle(difference: Difference) -> Action:
    wanted = difference.wanted.at_most if isinstance(difference.wanted, AtMost) else difference.wanted
    if wanted is None:
        sentence = "let the cluster live on however long it is idle"
        return _do(sentence, "elasticmapreduce:RemoveAutoTerminationPolicy", "unsafe")
    sentence = f"let the cluster end when it was idle for {wanted}"
    return _do(sentence, f"elasticmapreduce:PutAutoTerminationPolicy IdleTimeout={seconds(wanted)}", "unsafe")


def _ports(difference: Difference) -> Action:
    wanted, found = difference.wanted or [], difference.found or []
    if set(found) <= set(wanted):
        missing = ", ".join(port for port in wanted if port not in found)
        sentence = f"open {missing} to the world, or take it out of the baseline"
        return _do(sentence, "ec2:AuthorizeSecurityGroupIngress", "manual")
    sentence = (
        f"{', '.join(found)} is open to the world, and {', '.join(wanted) or 'nothing'} should be: allow a narrower"
        " block for whoever needs the port, then revoke the rules that are told under 'open to the world'"
    )
    return _do(sentence, "ec2:RevokeSecurityGroupIngress", "manual")


_FIX: dict[str, Callable[[Difference], Action]] = {
    "termination_protected": _protection,
    "auto_terminate": _last_step,
    "idle_timeout": _idle,
    "world_ports": _ports,
}


def _do(sentence: str, request: str, safety: Literal["safe", "unsafe", "manual"]) -> Action:
    return Action(sentence=sentence, door="aws", request=request, safety=safety)
