"""Where the results of runs go: each run's report whole below runs/, its history beside, and a pointer to the newest.

PLACE/runs/20261123T030000Z-1f0c9a2b/ is the report as its run left it; its manifest comes last.
PLACE/history/ is what later runs are compared with. PLACE/latest.json says which run is the newest, when that one is whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hubspec import manifest
from hubspec.cluster.keep import Keep
from hubspec.errors import DoorError, HubspecError
from hubspec.manifest import MANIFEST, RECORDS, SIGNATURE, File, Manifest

NOT_BROUGHT = 20
"""What the exit code of a run is raised by where its results could not be brought to their place."""
UNSENT = "unsent"
"""Folder beside latest/ for reports that are not at their place yet."""
RUNS, HISTORY, LATEST = "runs", "history", "latest.json"
_NAME = re.compile(r"\d{8}T\d{6}Z-[0-9A-Za-z-]{1,8}")
SCHEMA = 1
"""Version of latest.json."""


class UnfitError(HubspecError):
    """A folder holds no report that a run left, or it is not whole: nothing of it is brought anywhere."""


@dataclass(frozen=True)
class Brought:
    """Where a report is now, and what its reader has to know of that place."""

    where: str
    notices: list[str]


@dataclass(frozen=True)
class Whereabouts:
    """Where the results of a run are in the end: at `where`; or, with `trouble`, why they are NOT at this place, and what has them."""

    where: str
    trouble: str = ""
    kept: str = ""

    def code(self, own: int) -> int:
        """Return the exit code of a run that has this one of its own."""
        return own + NOT_BROUGHT * bool(self.trouble)


@dataclass(frozen=True)
class Report:
    """A report in a folder, with what its manifest says of it."""

    folder: Path
    manifest: Manifest
    vouches: bytes
    files: Mapping[str, File]
    """Name -> each file that the manifest vouches for, by itself or through that of a part."""

    @property
    def name(self) -> str:
        """Return its name below runs/: by the time at which the run began, and never that of another run."""
        return named(self._time("started"), self.manifest.inputs["run"])

    @property
    def names(self) -> list[str]:
        """Return the names of its files; the manifest, which vouches for the others, is the last."""
        signed = [SIGNATURE] if (self.folder / SIGNATURE).is_file() else []
        return [*self.files, *signed, MANIFEST]

    def pointer(self) -> dict[str, Any]:
        """Return what latest.json says of it."""
        inputs, end = self.manifest.inputs, self.manifest.end
        return {
            "hubspec_results": SCHEMA,
            "run": inputs["run"],
            "report": f"{RUNS}/{self.name}/",
            "started": inputs["started"],
            "finished": end.get("finished"),
            "exit_code": end.get("exit_code"),
            "clusters": sorted(inputs.get("clusters", {})),
            "outcomes": end.get("outcomes", {}),
            "head": self.manifest.head,
        }

    def _time(self, name: str) -> datetime:
        return datetime.fromisoformat(self.manifest.inputs[name])


def named(started: datetime, run: str) -> str:
    """Return the name below runs/ of the run with this id that began then."""
    return f"{started.astimezone(UTC):%Y%m%dT%H%M%SZ}-{run[:8]}"


def report(folder: Path) -> Report:
    """Return the report in a folder. Raises UnfitError where none is, or where it is not whole."""
    try:
        vouches = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise UnfitError(f"{folder} holds no report of a run: {MANIFEST}: {error.strerror}") from None
    try:
        told = manifest.read(vouches)
        found = Report(folder, told, vouches, dict(manifest.every(folder, told)))
        found.pointer()
        known = _NAME.fullmatch(found.name) and all(isinstance(one, str) for one in found.manifest.inputs["clusters"])
    except OSError as error:
        raise UnfitError(f"{folder} is not as its run left it: {error.filename}: {error.strerror}") from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnfitError(f"{folder / MANIFEST}: {error}") from None
    if found.manifest.end.get("records") and RECORDS not in found.manifest.files:
        raise UnfitError(f"{folder} is not whole: its run could not write {RECORDS}")
    below = manifest.files(folder)
    for name, file in found.files.items():
        path = below.get(name)
        if path is None or path.is_symlink() or path.stat().st_size != file.bytes:
            raise UnfitError(f"{folder} is not as its run left it: {name}; python -m hubspec verify {folder}")
    if not known:
        raise UnfitError(f"{folder / MANIFEST} does not say which run it is of")
    return found


def bring(of: Report, place: Keep, *, ended_now: bool, deadline: float) -> Brought:
    """Bring a report to its place, then the history, then the pointer. It can be done twice.

    `ended_now`: the run that made it ends now, and so is the newest, whatever the clock was. Otherwise the pointer stays
    with a run that finished later. `deadline` is in seconds. Raises DoorError: then the pointer is as it was.
    """
    notices = place.seen_by_all()
    under = f"{RUNS}/{of.name}"
    there = None if ended_now else place.there(f"{under}/{MANIFEST}")
    if there is None:
        place.bring(of.folder, of.names, under, deadline)
    elif there != of.vouches:
        raise DoorError(f"{place.where} has another report of the name {of.name}: it is left as it is")
    for name in of.manifest.files:
        if name.startswith(f"{HISTORY}/"):
            place.write(name, (of.folder / name).read_bytes())
    if ended_now or not _newer(place.there(LATEST), of.pointer()):
        place.write(LATEST, f"{json.dumps(of.pointer(), indent=1)}\n".encode())
    return Brought(f"{place.where.rstrip('/')}/{under}/", notices)


def _newer(pointer: bytes | None, mine: dict[str, Any]) -> bool:
    """Say whether the pointer that is there is to a run that finished later."""
    try:
        told = json.loads(pointer or b"")["finished"]
        return datetime.fromisoformat(told) > datetime.fromisoformat(mine["finished"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return False  # damaged, or none
