"""`manifest.json`: what went into a run, how it ended, the head of its chain, and the SHA-256 of every file that it left."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from hubspec.chain import END, INPUTS, RECORD, Chain, canonical
from hubspec.model import Record, Value

SCHEMA = 1
"""Version of a manifest."""
MANIFEST, SIGNATURE, CHAIN, RECORDS = "manifest.json", "manifest.json.sig", "chain.jsonl", "records.jsonl"


class File(Value):
    """One file of a report."""

    sha256: str
    bytes: int


class Manifest(Value):
    """What vouches for a report. The chain begins with `inputs` and stops with `end`, as `canonical` writes them."""

    hubspec_manifest: int = SCHEMA
    inputs: dict[str, Any] = Field(description="What the run was made of: baselines, options, versions.")
    end: dict[str, Any] = Field(description="How it ended: when, its exit code, and how many records it has.")
    head: str = Field(description="The last hash of the chain.")
    files: dict[str, File] = Field(description="Path below the folder -> what the file was when the run ended.")


def chained(inputs: Mapping[str, Any], lines: Iterable[tuple[Record, str]], end: Mapping[str, Any]) -> tuple[str, str]:
    """Return the text of `chain.jsonl` and the head of the chain, for records with their lines of `records.jsonl`."""
    chain = Chain()
    text = "".join(links(chain, inputs, ((record, line.encode()) for record, line in lines), end))
    return text, chain.head


def links(
    chain: Chain, inputs: Mapping[str, Any], lines: Iterable[tuple[Record, bytes]], end: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the lines of `chain.jsonl` as the records come, so that nobody has to hold them; the chain then has its head."""
    yield chain.add(INPUTS, canonical(inputs)).line()
    for record, line in lines:
        named = f"{record.control} {record.kind} {record.resource} of {record.cluster}"
        yield chain.add(RECORD, line, record=named, test=record.test).line()
    yield chain.add(END, canonical(end)).line()


def files(folder: Path) -> dict[str, Path]:
    """Return name -> path of every file below a folder but the manifest and its signature; a link is one, unfollowed."""
    own, above = {MANIFEST, SIGNATURE}, f"{folder.as_posix()}/"  # relative_to takes a third of a second for 12,000
    there = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    found = {path.as_posix().removeprefix(above): path for path in there}
    return {name: found[name] for name in sorted(found) if name not in own}


def written(folder: Path, inputs: dict[str, Any], end: dict[str, Any], head: str) -> bytes:
    """Write `manifest.json` over what is in the folder, and return its bytes. Raises OSError."""
    listed = {}
    for name, path in files(folder).items():
        with path.open("rb") as file:
            listed[name] = File(sha256=hashlib.file_digest(file, "sha256").hexdigest(), bytes=file.tell())
    text = Manifest(inputs=inputs, end=end, head=head, files=listed).model_dump_json(indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return text.encode()


def read(content: bytes) -> Manifest:
    """Return the manifest in these bytes. Raises ValueError, with a sentence, where they are none."""
    try:
        data = json.loads(content)
        version = data["hubspec_manifest"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        message = f"is no manifest of a report: it is not the JSON that was written{where}"
        raise ValueError(message) from None
    if version != SCHEMA:
        message = f"is a manifest of schema {version!r}, and this hubspec reads schema {SCHEMA}"
        raise ValueError(message)
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        message = f"is no whole manifest: {place} is missing or of another sort"
        raise ValueError(message) from None
