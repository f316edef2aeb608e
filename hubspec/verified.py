"""What is to be said of a report that was verified: what is not as its run left it, and what could not be told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hubspec.manifest import Manifest
from hubspec.printable import printable

INTACT, ALTERED, NOT_TOLD = 0, 1, 11
SHOWN = 20
"""How many sentences the terminal shows; the JSON document has all."""


@dataclass(frozen=True)
class Fault:
    """One thing that is not as the run left it; `line`, `record` and `test` where it is a record."""

    file: str
    sentence: str
    line: int = 0
    record: str = ""
    test: str = ""


@dataclass
class Report:
    """What was found of one folder. `untold`: what could not be found out, which is never taken for intact."""

    folder: Path
    faults: list[Fault] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    manifest: Manifest | None = None
    signature: str = ""
    records: int = 0
    below: int = 0
    """Files that the manifests of its parts vouch for."""

    @property
    def code(self) -> int:
        """Return the exit code."""
        return ALTERED if self.faults else NOT_TOLD if self.untold else INTACT


def lines(report: Report) -> Iterator[str]:
    """Yield the lines of a terminal."""
    for fault in report.faults[:SHOWN]:
        yield printable(fault.sentence)
    if len(report.faults) > SHOWN:
        yield f"and {len(report.faults) - SHOWN} more; --json has all"
    yield from map(printable, report.untold)
    if report.manifest:
        inputs, end = report.manifest.inputs, report.manifest.end
        yield printable(f"run {inputs.get('run')} of {end.get('finished')}, exit code {end.get('exit_code')}")
        yield printable(f"head {report.manifest.head}")
    if report.signature:
        yield printable(report.signature)
    count = f"{report.records} records, {len(report.manifest.files) + report.below if report.manifest else 0} files"
    word = {INTACT: f"as its run left it: {count}", ALTERED: "altered", NOT_TOLD: "not all of it could be verified"}
    yield f"{printable(report.folder)}: {word[report.code]}"


def as_json(report: Report) -> str:
    """Return the same as a JSON document."""
    verdict = {INTACT: "intact", ALTERED: "altered", NOT_TOLD: "not told"}[report.code]
    document: dict[str, Any] = {"hubspec_verify": 1, "folder": str(report.folder), "verdict": verdict}
    told = report.manifest
    document |= {"run": told.inputs.get("run"), "head": told.head} if told else {"run": None, "head": None}
    document |= {"records": report.records, "signature": report.signature, "untold": report.untold}
    return json.dumps(document | {"faults": [asdict(fault) for fault in report.faults]}, indent=1)
