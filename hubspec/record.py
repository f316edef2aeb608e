"""From a verdict to a record: the one object that every report is made from."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hubspec.masked import masked, masked_fields, masked_sentence, masked_value
from hubspec.model import Action, AtLeast, AtLeastNumber, AtMost, Detail, IsSet, Outcome, Pattern, Record
from hubspec.printable import printable
from hubspec.verdict import Verdict

_SIMPLE = re.compile(r"(?:[^\s'\"|&;<>()$`{}*?\[\]~#\\]|'[^']*'| )+")
"""A command without anything that only a shell understands, but for single quotes."""


def record(verdict: Verdict, *, run: str, test: str) -> Record:
    """Return the record of one verdict. `run` is the id of the run, `test` pytest's node id."""
    check, reading = verdict.check, verdict.reading
    expected: dict[str, Any] = {}
    if check.resource:
        stated = check.resource.stated()
        expected = {name: shown_value(value, name) for name, value in stated.items() if name in (check.fields or ())}
        expected = {"ensure": check.resource.ensure} | expected
    first = verdict.before or verdict
    found = _found(verdict, expected)
    was = found if first is verdict else _found(first, expected)
    # What was wrong, where it is not any more; what is wrong, where it still is.
    wrong = first if verdict.outcome is Outcome.FIXED else verdict
    actions = dict.fromkeys((*first.actions, *(() if verdict.outcome is Outcome.FIXED else verdict.actions)))
    waiver = verdict.waiver
    return Record(
        run=run,
        cluster=plain(verdict.cluster),
        kind=check.kind,
        resource=masked(check.name),
        check=check.sort,
        test=test,
        control=check.control_id,
        title=check.control.title,
        severity=check.control.severity,
        why=check.control.why,
        tags=check.control.tags,
        outcome=verdict.outcome,
        message=masked_sentence(plain(verdict.reason)),
        expected=expected,
        before=was,
        after=found,
        differences=[
            {
                "field": plain(difference.field),
                "wanted": shown_value(difference.wanted),
                "found": shown_value(difference.found),
            }
            for difference in wrong.differences
        ],
        actions=[_told(_action(action, reading.container, verdict.results)) for action in actions],
        details=[_detail(detail) for detail in verdict.details],
        waiver=masked_fields(waiver.model_dump(include={"reason", "owner", "ticket", "since", "until"}, by_alias=True))
        if waiver
        else None,
        declared_at=str(check.place),
        door=reading.door,
        evidence=_evidence(reading.evidence),
        started=reading.started,
        took=round(reading.took, 4),
    )


@lru_cache(maxsize=64)  # one look is the evidence of thousands of checks
def _evidence(text: str) -> str:
    return masked_sentence(plain(text))


def _found(verdict: Verdict, expected: dict[str, Any]) -> dict[str, Any] | None:
    """Return field -> value found, None where nothing was looked at."""
    if verdict.outcome in {Outcome.UNREADABLE, Outcome.NOT_APPLICABLE}:
        return None
    found = shown_value(verdict.found) if verdict.found is not None else None
    if not verdict.check.resource:
        return found
    if found is None:
        return {"ensure": "absent"}
    return {"ensure": "present"} | {name: value for name, value in found.items() if name in expected}


def _detail(detail: Detail) -> dict[str, str]:
    told = {"title": masked(plain(detail.title)), "text": masked(plain(detail.text))}
    image = base64.b64encode(detail.image).decode()
    return told | ({"image": f"data:image/jpeg;base64,{image}"} if image else {})


def _action(action: Action, container: str, results: Mapping[str, str]) -> dict[str, Any]:
    command = action.request
    if action.door == "container":
        inside = command if _SIMPLE.fullmatch(command) else f"sh -c {shlex.quote(command)}"
        command = f"sudo docker exec -it {shlex.quote(container)} {inside}"
    elif action.door == "engine":
        command = f"sudo {command}"
    return action.model_dump() | {"command": command, "result": results.get(action.request)}


def _told(action: dict[str, Any]) -> dict[str, Any]:
    return {key: masked_sentence(one) if isinstance(one, str) else one for key, one in plain(action).items()}


def shown_value(value: Any, key: str = "") -> Any:
    """Return a value as a record shows it: plain, and without secrets."""
    return masked_value(plain(value), key)


def plain(value: Any) -> Any:
    """Return a value as UTF-8 JSON can hold it; a pattern becomes {matches: REGEX}, half a character its escape."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Pattern | AtMost | AtLeast | AtLeastNumber | IsSet):
        return value.model_dump()
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value


def shown(value: Any) -> str:
    """Return a value for one line of a terminal: nothing in it can move the cursor or start a new line."""
    if value is None:
        return "nothing"
    if isinstance(value, dict) and set(value) == {"matches"}:
        return f"a text that matches {printable(value['matches'])}"
    if isinstance(value, dict) and set(value) == {"at_most"}:
        return f"at most {printable(value['at_most'])}"
    if isinstance(value, dict) and set(value) == {"set"}:
        return "set" if value["set"] else "not set"
    if isinstance(value, dict) and set(value) == {"at_least"}:
        return f"at least {printable(str(value['at_least']))}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return printable(text)
