"""A report that is at a place of results, brought here to be read: the newest of the place, or the one that is named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePosixPath

from hubspec import manifest
from hubspec.cluster.keep import Keep, keep
from hubspec.errors import DoorError
from hubspec.fleet.part import CLUSTERS, PartError
from hubspec.manifest import MANIFEST, Manifest
from hubspec.report.formats import RUN
from hubspec.results import LATEST, RUNS

AT_ONCE = 8
"""Files that are asked for side by side, and held."""


def fetched(name: str, here: Path) -> Path:
    """Return the folder of a report: `name` itself, the newest of the place with this name, or a copy below `here`.

    `name` is a folder, or s3://BUCKET/PREFIX/. Raises PartError where there is no report, or not the one that its manifest
    vouches for, and DoorError where the place cannot be read.
    """
    place = keep(name)
    if not name.startswith("s3:"):
        folder = Path(name)
        return folder if (folder / RUN).exists() or not (folder / LATEST).exists() else folder / _newest(place)
    # What is asked for is what docs/iam allows: S3 refuses a file that is not there as it refuses any other.
    if PurePosixPath(name).parts[-2:-1] != (RUNS,):
        place = place.below(_newest(place))
    vouched = place.there(MANIFEST)
    if vouched is None:
        raise PartError(f"{place.where} holds no report: {MANIFEST} is not there")
    try:
        told = manifest.read(vouched)
    except ValueError as error:
        raise PartError(f"{place.where}: {MANIFEST} {error}") from None
    # The parts of a merged report have all that is in the large files above them.
    parts = any(one.startswith(f"{CLUSTERS}/") for one in told.files)
    wanted = {
        one: file for one, file in told.files.items() if not parts or one == RUN or one.startswith(f"{CLUSTERS}/")
    }
    _bring(place, told.model_copy(update={"files": wanted}), here)
    if not parts:
        (here / MANIFEST).write_bytes(vouched)
    return here


def _bring(place: Keep, told: Manifest, here: Path, below: str = "") -> None:
    """Bring what a manifest vouches for, and then what those of its parts do, which came with it."""
    for one in told.files:
        if manifest.elsewhere(one):
            raise PartError(f"{place.where}: {below}{MANIFEST} names {one}, which is elsewhere")
    names = list(told.files)
    for start in range(0, len(names), AT_ONCE):
        _write(place, {f"{below}{one}": told.files[one].sha256 for one in names[start : start + AT_ONCE]}, here)
    for part in told.parts:
        at = f"{below}{part}/"
        try:
            inner = manifest.read((here / at / MANIFEST).read_bytes())
        except ValueError as error:
            raise PartError(f"{place.where}: {at}{MANIFEST} {error}") from None
        _bring(place, inner, here, at)


def _write(place: Keep, wanted: dict[str, str], here: Path) -> None:
    for (name, sha256), content in zip(wanted.items(), place.read(list(wanted)), strict=True):
        if isinstance(content, DoorError):
            raise content
        if hashlib.sha256(content).hexdigest() != sha256:
            raise PartError(f"{place.where}: {name} is not as its run left it")
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_bytes(content)


def _newest(place: Keep) -> str:
    pointer = place.there(LATEST)
    if pointer is None:
        raise PartError(f"{place.where} holds no report: {LATEST} is not there")
    try:
        report = str(json.loads(pointer)["report"])
    except (ValueError, LookupError, TypeError, RecursionError):
        raise PartError(f"{place.where}: {LATEST} does not say which run is the newest") from None
    path = PurePosixPath(report)
    if len(path.parts) != 2 or path.parts[0] != RUNS or ".." in path.parts:
        raise PartError(f"{place.where}: {LATEST} names no run of this place")
    return str(path)
