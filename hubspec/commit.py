"""In which commit of its repository a file stands, and whether it is there as it is on the disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hubspec.program import ProgramError, run


@dataclass(frozen=True)
class Commit:
    """The commit that is checked out where a file stands; `dirty` where the file is not as it is there."""

    id: str
    dirty: bool


def commits(paths: Iterable[Path]) -> dict[Path, Commit | None]:
    """Return path -> commit, of files or of folders with all that is not ignored; None where the file is in no repository, or git is not there or refuses to look.

    One call of git for each folder where all is clean, and nothing is written (git-status(1): --no-optional-locks leaves the index alone).
    """
    result: dict[Path, Commit | None] = {}
    folders: dict[Path, list[Path]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(path)
    for folder, mine in folders.items():
        together = _status(folder, mine)
        clean = together is None or not together.dirty
        result |= dict.fromkeys(mine, together) if clean else {path: _status(folder, [path]) for path in mine}
    return result


def _status(folder: Path, paths: list[Path]) -> Commit | None:
    """Return the commit of a folder, dirty where any of these files is changed, unknown to git, or ignored by it."""
    options = ["--porcelain=v2", "--branch", "--untracked-files=all", "-z"]
    options += [] if any(path.is_dir() for path in paths) else ["--ignored"]
    # A repository can name a program that watches its files; it is not run.
    command = [
        "git",
        "--no-optional-locks",
        "--literal-pathspecs",
        "-c",
        "core.fsmonitor=false",
        "-C",
        str(folder),
        "status",
        *options,
    ]
    try:
        done = run([*command, "--", *(path.name for path in paths)])
    except ProgramError:
        return None
    lines = done.stdout.decode(errors="replace").split("\0")
    ids = [line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")]
    if done.code or not ids or ids == ["(initial)"]:
        return None
    return Commit(ids[0], any(line and not line.startswith("# ") for line in lines))
