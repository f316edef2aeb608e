"""A part of a merged report: the report that one run left of one cluster or of several, read a line at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from hubspec import manifest
from hubspec.errors import HubspecError
from hubspec.manifest import MANIFEST, RECORDS
from hubspec.model import RECORD_SCHEMA, Record, Run
from hubspec.report.formats import RUN

CLUSTERS = "clusters"
"""The folder of a merged report that holds the reports it was made of."""
LONGEST = 64 * 1024 * 1024
"""Bytes of a line of `records.jsonl`: what is longer is no record, and would take the memory of all others."""

_WAIVER = dict.fromkeys(("key", "state", "sentence", "owner", "ticket", "declared_at"), str) | {
    "checks": int,
    "drifting": int,
    "shared": bool,
}
"""What a merged report needs of a waiver."""


class PartError(HubspecError):
    """A part cannot be used; the sentence says why. It costs the part, and no other."""


@dataclass(frozen=True)
class Part:
    """One report, and the manifest that vouches for it: its head and its SHA-256, empty where there is none."""

    folder: Path
    run: Run
    head: str = ""
    sha256: str = ""

    @property
    def file(self) -> Path:
        """Return its records.jsonl."""
        return self.folder / RECORDS

    def records(self) -> Iterator[tuple[bytes, Record]]:
        """Yield each line of `records.jsonl`, without its end, and the record in it. Raises PartError."""
        return records(self.file)


def records(path: Path) -> Iterator[tuple[bytes, Record]]:
    """Yield each line of a file of records, without its end, and the record in it. Raises PartError."""
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST):
                number += 1
                yield line.removesuffix(b"\n"), _record(line, number)
    except FileNotFoundError:
        raise PartError(f"{RECORDS} is missing") from None
    except OSError as error:
        raise PartError(f"{RECORDS} cannot be read: {error.strerror}") from None


def opened(folder: Path) -> Part:
    """Return the part in a folder, as its run left it. Raises PartError where it is damaged, cut short or altered."""
    found = run(folder)
    try:
        vouched = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        return Part(folder, found)
    except OSError as error:
        raise PartError(f"{MANIFEST} cannot be read: {error.strerror}") from None
    try:
        told = manifest.read(vouched)
    except ValueError as error:
        raise PartError(f"{MANIFEST} {error}") from None
    for name in (RECORDS, RUN):
        if name not in told.files or _digest(folder / name) != told.files[name].sha256:
            raise PartError(f"{name} is not as its run left it: `python -m hubspec verify` says what was changed")
    return Part(folder, found, told.head, hashlib.sha256(vouched).hexdigest())


def run(folder: Path) -> Run:
    """Return the run that left a report. Raises PartError."""
    try:
        found = Run.model_validate_json((folder / RUN).read_bytes())
    except FileNotFoundError:
        why = "is missing" if folder.is_dir() else "is not there, for there is no such folder"
        raise PartError(f"{RUN} {why}: a run of this version leaves it when it ends") from None
    except OSError as error:
        raise PartError(f"{RUN} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise PartError(f"{RUN} is no run: {_first(error)}") from None
    for waiver in found.waivers:
        if not all(isinstance(waiver.get(key), sort) for key, sort in _WAIVER.items()):
            raise PartError(f"{RUN} is no run: a waiver in it is none")
    return found


def _record(line: bytes, number: int) -> Record:
    where = f"{RECORDS}: line {number}"
    if len(line) >= LONGEST:
        raise PartError(f"{where} has no end within {LONGEST:,} bytes")
    if not line.endswith(b"\n"):
        raise PartError(f"{where} is cut short")
    try:
        record = Record.model_validate_json(line)
    except ValidationError as error:
        raise PartError(f"{where} is no record: {_first(error)}") from None
    if record.schema_version != RECORD_SCHEMA:
        raise PartError(f"{where} is of schema {record.schema_version}, and this hubspec reads {RECORD_SCHEMA}")
    return record


def _first(error: ValidationError) -> str:
    # The value itself stays out: it can be long, and a part from elsewhere can hold anything.
    fault = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".removeprefix(": ")


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise PartError(f"{path.name} cannot be read: {error.strerror}") from None
