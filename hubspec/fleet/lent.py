"""The history of a cluster whose audit runs where no disk is shared: it stays here, what is compared with goes there, and what a run leaves comes back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from hubspec.cluster.keep import Folder
from hubspec.cluster.parcel import pack, scratch, unpack
from hubspec.errors import DoorError
from hubspec.history import DamagedError
from hubspec.history import name as name_of
from hubspec.history import unpack as opened
from hubspec.remembered import RUNS, History

SENT = 2 * RUNS
"""Newest files that go to where the audit runs: an audit compares with RUNS of them, and some may be damaged."""


@dataclass(frozen=True)
class Lent:
    """The folder of a history on this machine, how much of it is kept (`--history-keep`), and its newest files as they travel.

    `trouble`: why they could not be read, so that nothing can be compared with them.
    """

    folder: str
    limit: str = ""
    content: bytes = b""
    trouble: str = ""


def packed(lent: Lent) -> Lent:
    """Return it with what travels."""
    keep = Folder(Path(lent.folder))
    try:
        names = keep.names()[-SENT:]
    except DoorError as error:
        return replace(lent, trouble=str(error))
    if not names:
        return lent
    with scratch() as place:
        for name, data in zip(names, keep.read(names), strict=True):
            # What cannot be read arrives as a damaged file, which the audit tells of by its name.
            (place / name).write_bytes(b"" if isinstance(data, DoorError) else data)
        return replace(lent, content=pack(place))


def unpacked(lent: Lent, folder: Path) -> set[str]:
    """Put what travelled below a folder, and return the names of the files."""
    if lent.trouble:
        folder.write_text(lent.trouble, encoding="utf-8")  # no folder: an audit tells that it cannot read its history
        return set()
    folder.mkdir()
    if lent.content:
        unpack(lent.content, folder)
    return {one.name for one in folder.iterdir()}


def left(folder: Path, known: set[str]) -> bytes:
    """Return the file that an audit left beside those that were known; nothing where it left none."""
    if not folder.is_dir():
        return b""
    new = [one for one in folder.iterdir() if one.name not in known and one.name.endswith(".json.gz")]
    return new[0].read_bytes() if len(new) == 1 else b""


def taken(lent: Lent, data: bytes) -> list[str]:
    """Put the file that an audit left into the history, and end what is old in it. Return what a reader has to know of that."""
    if lent.trouble:
        return [f"history: {lent.trouble}; so nothing was compared with it, and this run is not in it"]
    if not data:
        return []  # an audit tells itself why it left none
    keep = Folder(Path(lent.folder))
    history = History(keep)
    try:
        past = opened(data)
        keep.write(name_of(past), data)
    except (DamagedError, DoorError) as error:
        return [f"history: this run is not in it: {error}"]
    if lent.limit:
        history.forget(past, lent.limit)
    return history.notices
