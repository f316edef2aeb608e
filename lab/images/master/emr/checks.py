"""What EMR accepts as a step: its own limits, its own sentences."""

from __future__ import annotations

import random
import re
import string
from typing import Any

from emr.errors import Refused, invalid, validation
from emr.step import Step

ACTIONS = ("TERMINATE_JOB_FLOW", "TERMINATE_CLUSTER", "CANCEL_AND_WAIT", "CONTINUE")
NAME_LIMIT, STRING_LIMIT, TOTAL_LIMIT, ACTIVE_LIMIT, LEVEL_LIMIT = 256, 10_280, 10_240, 256, 256
IDLE = range(60, 604_801)
# XmlString of botocore's model, where a character beyond the first plane is two.
PATTERN = "[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\r\\n\\t]*"
ALLOWED = re.compile("[\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff\r\n\t]*")
TOO_MANY = "Maximum number of active steps(State = 'Running', 'Pending' or 'Cancel_Pending') for cluster exceeded."


def new_steps(
    given: list[dict[str, Any]], level: int, role: str | None = None, *, at_launch: bool = False
) -> list[Step]:
    """Answer steps made of `Steps` of a call, for a cluster of that StepConcurrencyLevel. Raises: Refused."""
    return [_step(entry, f"steps.{number}.member", level, role, at_launch) for number, entry in enumerate(given, 1)]


def level(value: object) -> int:
    """Answer a StepConcurrencyLevel. Raises: Refused where it is out of bounds."""
    if not isinstance(value, int) or not 1 <= value <= LEVEL_LIMIT:
        raise validation(f"StepConcurrencyLevel must be between 1 and {LEVEL_LIMIT}.")
    return value


def idle(policy: dict[str, Any]) -> None:
    """Accept an auto-termination policy. Raises: Refused where its time is out of bounds."""
    if policy.get("IdleTimeout") not in IDLE:
        raise validation(f"IdleTimeout must be between {IDLE.start} and {IDLE.stop - 1} seconds.")


def _step(entry: dict[str, Any], where: str, level: int, role: str | None, at_launch: bool) -> Step:  # noqa: FBT001
    jar = entry.get("HadoopJarStep") or {}
    if entry.get("StepMonitoringConfiguration"):
        raise invalid("the lab does not have StepMonitoringConfiguration: its logs go to the cluster's LogUri")
    _text(entry.get("Name"), f"{where}.name", NAME_LIMIT)
    _text(jar.get("Jar"), f"{where}.hadoopJarStep.jar", STRING_LIMIT)
    args = jar.get("Args") or []
    for number, text in enumerate(args, 1):
        _text(text, f"{where}.hadoopJarStep.args.{number}.member", STRING_LIMIT)
    properties = {pair.get("Key", ""): pair.get("Value", "") for pair in jar.get("Properties") or []}
    texts = [jar["Jar"], jar.get("MainClass") or "", *args, *properties, *properties.values()]
    if sum(map(len, texts)) > TOTAL_LIMIT:
        raise validation(
            f"The string values passed into HadoopJarStep cannot exceed a total of {TOTAL_LIMIT} characters."
        )
    return Step(
        id="s-" + "".join(random.choices(string.ascii_uppercase + string.digits, k=13)),  # noqa: S311 - a name
        name=entry["Name"],
        jar=jar["Jar"],
        args=list(args),
        action=_action(entry.get("ActionOnFailure"), where, level),
        properties=properties,
        main_class=jar.get("MainClass"),
        role=role,
        at_launch=at_launch,
    )


def _action(given: str | None, where: str, level: int) -> str:
    action = given or "TERMINATE_CLUSTER"
    if action not in ACTIONS:
        raise _broken(action, f"{where}.actionOnFailure", f"satisfy enum value set: [{', '.join(ACTIONS)}]")
    if level > 1 and action != "CONTINUE":
        raise validation(
            f"ActionOnFailure {action} is not valid: only CONTINUE is supported when StepConcurrencyLevel is greater than 1."
        )
    return action


def _text(value: object, where: str, limit: int) -> None:
    if not isinstance(value, str):
        raise _broken("null", where, "not be null")
    if len(value) > limit:
        raise _broken(value, where, f"have length less than or equal to {limit}")
    if not ALLOWED.fullmatch(value):
        raise _broken(value, where, f"satisfy regular expression pattern: {PATTERN}")


def _broken(value: str, where: str, must: str) -> Refused:
    told = "null" if value == "null" else f"'{value}'"
    return validation(
        f"1 validation error detected: Value {told} at '{where}' failed to satisfy constraint: Member must {must}"
    )
