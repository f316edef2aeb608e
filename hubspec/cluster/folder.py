"""Folders of files as a whole: copied, moved, removed. A link is never followed: what it leads to is no part of the folder."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path


def copy(folder: Path, to: Path) -> None:
    """Copy every regular file below a folder to a new one. Raises OSError."""
    to.mkdir(parents=True)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                copy(Path(entry.path), to / entry.name)
            elif entry.is_file(follow_symlinks=False):
                shutil.copyfile(entry.path, to / entry.name, follow_symlinks=False)


def move(folder: Path, to: Path) -> None:
    """Move a folder to a new place, also on another file system. Raises OSError."""
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.rename(to)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy(folder, to)
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it; one that is gone is no error. Raises OSError."""
    if folder.exists():
        shutil.rmtree(folder)
