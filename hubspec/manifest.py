"""`manifest.json`: what went into a run, how it ended, the head of its chain, and the SHA-256 of every file that it left."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import Field, ValidationError

from hubspec.chain import END, INPUTS, RECORD, Chain, canonical
from hubspec.model import Record, Value

SCHEMA = 1
"""Version of a manifest."""
PIECE = 65_536
"""Bytes of a file that are read at once."""
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
    parts: list[str] = Field(
        [], description="Folders below with a manifest of their own: of such, `files` has only that and its signature."
    )


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


def files(folder: Path, parts: Collection[str] = ()) -> dict[str, Path]:
    """Return name -> path of every file below a folder but the manifest and its signature; a link is one, unfollowed.

    Of what is in the `parts`, the manifest and its signature alone.
    """
    own = {MANIFEST, SIGNATURE}
    found = {name: path for name, path in _below(folder, "", frozenset(parts)) if name not in own}
    return {name: found[name] for name in sorted(found)}


def _below(folder: Path, name: str, parts: Collection[str]) -> Iterator[tuple[str, Path]]:
    try:
        there = list(folder.iterdir())
    except PermissionError:  # what is in it will be missing
        return
    for path in there:
        here = f"{name}{path.name}"  # relative_to takes a third of a second for 12,000
        if path.is_symlink() or not path.is_dir():
            yield here, path
        elif here not in parts:
            yield from _below(path, f"{here}/", parts)
        else:
            own = (path / MANIFEST, path / SIGNATURE)
            yield from ((f"{here}/{one.name}", one) for one in own if one.is_symlink() or one.exists())


def written(folder: Path, inputs: dict[str, Any], end: dict[str, Any], head: str, parts: Collection[str] = ()) -> bytes:
    """Write `manifest.json` over what is in the folder, and return its bytes. Raises OSError.

    `parts` are folders below that have a manifest already, which vouches for what is in them.
    """
    listed = {}
    for name, path in files(folder, parts).items():
        listed[name] = measured(path)
    told = Manifest(inputs=inputs, end=end, head=head, files=listed, parts=sorted(parts))
    text = told.model_dump_json(indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return text.encode()


def every(folder: Path, told: Manifest) -> Iterator[tuple[str, File]]:
    """Yield each file that a manifest vouches for, by itself or through those of its parts. Raises OSError, ValueError."""
    yield from told.files.items()
    for part in told.parts:
        at = folder / part
        yield from ((f"{part}/{name}", file) for name, file in every(at, read((at / MANIFEST).read_bytes())))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):  # of two values for one name another reader takes the other
        raise KeyError(pairs)
    return found


def measured(path: Path) -> File:
    """Return what a file is now. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    # Not hashlib.file_digest, which clears 256 KiB for each of thousands of small files.
    with path.open("rb", buffering=0) as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
    return File(sha256=digest.hexdigest(), bytes=size)


def read(content: bytes) -> Manifest:
    """Return the manifest in these bytes. Raises ValueError, with a sentence, where they are none."""
    try:
        data = json.loads(content, object_pairs_hook=_once)
        version = data["hubspec_manifest"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        message = f"is no manifest of a report: it is not the JSON that was written{where}"
        raise ValueError(message) from None
    if version != SCHEMA:
        message = f"is a manifest of schema {version!r}, and this hubspec reads schema {SCHEMA}"
        raise ValueError(message)
    try:
        told = Manifest.model_validate(data)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        message = f"is no whole manifest: {place} is missing or of another sort"
        raise ValueError(message) from None
    for part in told.parts:
        if elsewhere(part) or f"{part}/{MANIFEST}" not in told.files:
            message = f"is no whole manifest: its part {part!r} is elsewhere, or without a manifest"
            raise ValueError(message)
    return told


def elsewhere(name: str) -> bool:
    """Say whether a name is none of something below the folder of a manifest."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or str(path) != name or name == "."
