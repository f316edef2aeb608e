"""`records.csv`: a row a record, as RFC 4180 has it, in which no cell is a formula when a spreadsheet opens it.

Source: RFC 4180; OWASP, 'CSV Injection'.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator

from hubspec.model import Record, Run
from hubspec.printable import printable_lines
from hubspec.report.common import dumps, remediation

COLUMNS: dict[str, Callable[[Record], object]] = {
    "cluster": lambda record: record.cluster,
    "kind": lambda record: record.kind,
    "resource": lambda record: record.resource,
    "check": lambda record: record.check,
    "control": lambda record: record.control,
    "title": lambda record: record.title,
    "severity": lambda record: record.severity.value,
    "outcome": lambda record: record.outcome.value,
    "change": lambda record: record.change or "",
    "since": lambda record: record.since.isoformat() if record.since else "",
    "message": lambda record: record.message,
    "requirements": lambda record: "; ".join(f"{name} {id_}" for name, ids in record.tags.items() for id_ in ids),
    "expected": lambda record: dumps(record.expected),
    "before": lambda record: dumps(record.before),
    "after": lambda record: dumps(record.after),
    "differences": lambda record: dumps(record.differences) if record.differences else "",
    "next": remediation,
    "waived by": lambda record: record.waiver["owner"] if record.waiver else "",
    "waived until": lambda record: record.waiver["until"] if record.waiver else "",
    "ticket": lambda record: record.waiver["ticket"] if record.waiver else "",
    "reason": lambda record: record.waiver["reason"] if record.waiver else "",
    "why": lambda record: record.why,
    "declared at": lambda record: record.declared_at,
    "door": lambda record: record.door,
    "evidence": lambda record: record.evidence,
    "started": lambda record: record.started.isoformat(),
    "took": lambda record: record.took,
    "test": lambda record: record.test,
    "run": lambda record: record.run,
}
FORMULA = "=+-@\uff1d\uff0b\uff0d\uff20"
"""What a spreadsheet begins a formula with, and the wide forms that some take for the same."""


def render(records: Iterable[Record], run: Run) -> Iterator[str]:  # noqa: ARG001 - every format takes the run
    """Yield the head and a row for each record; every cell in quotes, lines ended by CR LF."""
    line = csv.writer(_Echo(), quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow
    yield line(COLUMNS)
    for record in records:
        yield line([text(column(record)) for column in COLUMNS.values()])


class _Echo:
    """What the writer of the standard library writes to: it gives the row back."""

    def write(self, row: str) -> str:
        return row


def text(value: object) -> str:
    """Return a value as a cell that stays text: with an apostrophe before it where it would be a formula."""
    shown = printable_lines(str(value))
    return f"'{shown}" if shown.lstrip()[:1] in FORMULA and shown.strip() else shown
