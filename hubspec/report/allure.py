"""`allure-results/`: a result for each check, with its evidence and pictures as attachments and its next actions as steps.

Source: Allure's file format, version 2, as allure-python-commons 2.16 has it in its model2.
"""

from __future__ import annotations

import base64
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from hubspec.model import Outcome, Record, Run
from hubspec.printable import printable, printable_lines
from hubspec.report.common import about, dumps, identity, seen, uid, waived
from hubspec.report.text import scene

_STATUS = {
    Outcome.COMPLIANT: "passed",
    Outcome.FIXED: "passed",
    Outcome.DRIFTED: "failed",
    Outcome.UNREADABLE: "broken",
    Outcome.WAIVED: "skipped",
    Outcome.NOT_APPLICABLE: "skipped",
}
_SEVERITY = {"low": "minor", "medium": "normal", "high": "critical", "critical": "blocker"}
_DONE = {"done": "passed", "failed": "failed", "unknown": "broken"}
"""First word of an action's result -> the status of its step; any other was not done."""
_LANGUAGE = f"cpython{platform.python_version_tuple()[0]}"
_LINKS = ("https://", "http://")
_FOUND = {Outcome.DRIFTED, Outcome.WAIVED, Outcome.FIXED}
"""Outcomes whose evidence is attached: a file each, which thousands that are as declared need not have."""


def render(records: Sequence[Record], run: Run) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file. The same records and run give the same files."""
    several = len({record.cluster for record in records}) > 1
    sources = {one.id: (one.title, one.source) for one in run.frameworks}
    told: dict[tuple[Any, ...], tuple[list[dict[str, str]], list[dict[str, str]]]] = {}
    met: Counter[str] = Counter()
    for record in records:
        key = (
            record.cluster,
            record.kind,
            record.control,
            record.severity,
            repr(record.tags),
            record.test.partition("[")[0],
        )
        if key not in told:
            told[key] = _labels(record, several=several), _links(record, sources)
        id_ = uid(*identity(record))
        met[id_] += 1
        yield from _files(record, id_, uid(run.id, id_, met[id_]), *told[key])


def _files(
    record: Record, history: str, id_: str, labels: list[dict[str, str]], links: list[dict[str, str]]
) -> Iterator[tuple[str, bytes]]:
    attachments = []
    for number, (title, mime, ending, content) in enumerate(_attachments(record)):
        source = f"{id_}-{number}-attachment.{ending}"
        attachments.append({"name": title, "source": source, "type": mime})
        yield source, content
    started = round(record.started.timestamp() * 1000)
    module, _, test = record.test.partition("::")
    name = printable(f"{record.cluster}: {about(record)} ({record.control})")
    folders = tuple(printable(part) for part in module.split("/"))
    result = {
        "uuid": id_,
        "historyId": history,
        "testCaseId": uid(record.kind, record.check, record.control),
        "name": name,
        "fullName": printable(f"{module.removesuffix('.py').replace('/', '.')}#{test.partition('[')[0]}"),
        "titlePath": folders,
        "status": _STATUS[record.outcome],
        "stage": "finished",
        "description": printable_lines(f"{record.title}\n\n{record.why}"),
        "start": started,
        "stop": started + round(record.took * 1000),
        "parameters": [
            {"name": key, "value": printable(getattr(record, key))} for key in ("cluster", "resource", "control")
        ],
        "labels": [*labels, *_outcome(record)],
        "links": [*links, *_issue(record)],
        "steps": [_step(action, started) for action in record.actions],
        "attachments": attachments,
    }
    if record.outcome is not Outcome.COMPLIANT:
        result["statusDetails"] = {"message": printable(waived(record) or record.message), "trace": scene(record)}
    yield f"{id_}-result.json", dumps(result).encode()


def _attachments(record: Record) -> Iterator[tuple[str, str, str, bytes]]:
    """Yield title, media type, file ending and content of each."""
    if record.outcome in _FOUND:
        yield "evidence", "application/json", "json", dumps(seen(record)).encode()
    for detail in record.details:
        title = printable(detail["title"])
        if "image" in detail:
            yield title, "image/jpg", "jpg", base64.b64decode(detail["image"].partition(",")[2])
        elif record.outcome is not Outcome.COMPLIANT:
            yield title, "text/plain", "txt", printable_lines(detail["text"]).encode()


def _labels(record: Record, *, several: bool) -> list[dict[str, str]]:
    """Return a control's severity and requirements, and where its check belongs."""
    module = record.test.partition("::")[0].removesuffix(".py")
    folder, _, file = module.rpartition("/")
    told = [
        ("severity", _SEVERITY[record.severity]),
        *(
            ("tag", name)
            for name in (record.control, *(f"{key}:{id_}" for key, ids in record.tags.items() for id_ in ids))
        ),
        ("feature", record.kind),
        ("parentSuite", record.cluster if several else folder.replace("/", ".")),
        ("suite", file),
        ("package", module.replace("/", ".")),
        ("framework", "pytest"),
        ("language", _LANGUAGE),
        ("cluster", record.cluster),
        ("kind", record.kind),
        *((key, ", ".join(ids)) for key, ids in record.tags.items()),
    ]
    return [_label(name, value) for name, value in told if value]


def _outcome(record: Record) -> Iterator[dict[str, str]]:
    yield _label("outcome", record.outcome.value)
    if record.change:
        yield _label("change", record.change)
    if record.waiver:
        yield _label("waiver", waived(record))


def _label(name: str, value: str) -> dict[str, str]:
    return {"name": printable(name), "value": printable(value)}


def _links(record: Record, sources: dict[str, tuple[str, str]]) -> list[dict[str, str]]:
    """Return where a control's requirements are published."""
    found = [(*sources[name], ids) for name, ids in record.tags.items() if name in sources and ids]
    return [
        {"type": "link", "url": source, "name": printable(f"{title}: {', '.join(ids)}")}
        for title, source, ids in found
        if source.startswith(_LINKS)
    ]


def _issue(record: Record) -> Iterator[dict[str, str]]:
    ticket = str(record.waiver["ticket"]) if record.waiver else ""
    if ticket.startswith(_LINKS):
        yield {"type": "issue", "url": ticket, "name": printable(ticket)}


def _step(action: dict[str, Any], at: int) -> dict[str, Any]:
    """Return an action as a step: skipped where it was not done."""
    result = printable(action.get("result") or "")
    parameters = {"command": printable(action["command"])} | ({"result": result} if result else {})
    return {
        "name": printable(f"{action['sentence']} ({action['safety']})"),
        "status": _DONE.get(result.partition(" ")[0], "skipped"),
        "parameters": [{"name": name, "value": value} for name, value in parameters.items()],
        "start": at,
        "stop": at,
    }
