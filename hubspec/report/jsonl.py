"""`records.jsonl`: one record a line, as docs/schemas/record.schema.json describes it."""

from __future__ import annotations

from collections.abc import Iterable

from hubspec.model import Record


def render(records: Iterable[Record]) -> str:
    """Return the records as JSON lines, in their order."""
    return "".join(map(line, records))


def line(record: Record) -> str:
    """Return one record as a line."""
    return f"{record.model_dump_json()}\n"
