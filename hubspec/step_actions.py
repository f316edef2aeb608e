"""What puts a step right: it is submitted again as declared, or a person is told why it cannot be. Pure."""

from __future__ import annotations

import json

from hubspec.masked import MASK
from hubspec.model import Absent, Action, Drift, Pattern, Present

WAITS = {"PENDING", "RUNNING", "CANCEL_PENDING"}


def fix(drift: Drift) -> list[Action]:
    """Return what submits the step again as declared; a person decides about one that runs, or that must not be."""
    step, seen = drift.expected, drift.observed
    stated = step.stated()
    state = getattr(seen.resource, "state", None) if isinstance(seen, Present) else None
    if step.ensure == "absent":
        return forget(seen.resource.name if isinstance(seen, Present) else step.name)
    if state in WAITS:
        return [_manual(f"the step is {state}: wait for its end, then audit again", "DescribeStep")]
    if not {difference.field for difference in drift.differences} - {"when", "duration"}:
        return [_manual("find out why it ran then, and so long; a step that ran cannot be changed", "DescribeStep")]
    name = getattr(step, "named", None) or step.name
    jar, arguments = stated.get("jar"), stated.get("arguments") or []
    if why := _unknown(name, jar, arguments):
        return [_manual(f"submit it again; {why}, so it is not known how", "AddJobFlowSteps")]
    made = {"Name": name, "ActionOnFailure": "CONTINUE", "HadoopJarStep": {"Jar": jar, "Args": arguments}}
    request = f"elasticmapreduce:AddJobFlowSteps {json.dumps([made], ensure_ascii=False)}"
    actions = [Action(sentence=f"submit the step {name} again", door="aws", request=request, safety="unsafe")]
    if stated.get("when") == "at launch" and isinstance(seen, Absent):
        sentence = "give it to the cluster at its launch too: what is added later goes with the cluster"
        actions.append(_manual(sentence, "RunJobFlow"))
    return actions


def _unknown(name: object, jar: object, arguments: list[object]) -> str:
    """Return why a declaration is no step that can be submitted; nothing where it is one."""
    if isinstance(name, Pattern) or not isinstance(jar, str) or any(isinstance(one, Pattern) for one in arguments):
        return "its declaration states no name, jar and arguments of its own"
    if any(MASK in str(one) for one in arguments):
        return "its arguments hold what looks like a secret, which EMR would show for ever and hubspec does not keep"
    return ""


def forget(name: str) -> list[Action]:
    """Return what a person should do about a step that nobody declared."""
    sentence = f"find out who submitted {name}; declare it, cancel it where it still waits, or mend what it ran"
    return [_manual(sentence, "DescribeStep")]


def _manual(sentence: str, call: str) -> Action:
    return Action(sentence=sentence, door="aws", request=f"elasticmapreduce:{call}", safety="manual")
