"""The files of a report: each by itself, so that one that fails costs nobody else's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from hubspec.printable import printable


def written(folder: Path, files: Mapping[str, Callable[[], Iterable[str]]]) -> list[str]:
    """Write each file with the text that its function yields. Return a sentence for each that could not be written.

    What failed leaves no half of a file; the others are as they would have been.
    """
    failed = []
    for file, render in files.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / file).open("w", encoding="utf-8", newline="") as out:
                out.writelines(render())
        except Exception as error:  # noqa: BLE001 - whatever a format trips over, the others are written
            with contextlib.suppress(OSError):
                (folder / file).unlink(missing_ok=True)
            failed.append(f"{file} was not written: {why(error)}")
    return failed


def why(error: Exception) -> str:
    """Return what went wrong, in words that a terminal can show."""
    return printable(
        error.strerror if isinstance(error, OSError) and error.strerror else f"{type(error).__name__}: {error}"
    )
