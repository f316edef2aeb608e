"""The files of a report: each by itself, so that one that fails costs nobody else's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from hubspec.printable import printable
from hubspec.report.formats import ALLURE, FORMATS, Piece


def written(folder: Path, files: Mapping[str, Callable[[], Iterable[Piece]]]) -> list[str]:
    """Write each file or folder with what its function yields. Return a sentence for each that could not be written.

    What failed leaves no half of a file; the others are as they would have been.
    """
    failed = []
    for name, render in files.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (_folder if name == FORMATS[ALLURE].file else _file)(folder / name, render())
        except Exception as error:  # noqa: BLE001 - whatever a format trips over, the others are written
            with contextlib.suppress(OSError):
                _gone(folder / name)
            failed.append(f"{name} was not written: {why(error)}")
    return failed


def _file(path: Path, pieces: Iterable[Piece]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        out.writelines(piece for piece in pieces if isinstance(piece, str))


def _folder(path: Path, pieces: Iterable[Piece]) -> None:
    path.mkdir()
    for piece in pieces:
        if isinstance(piece, tuple):
            name, content = piece
            (path / name).write_bytes(content)


def _gone(path: Path) -> None:
    if path.is_dir():
        for one in path.iterdir():
            one.unlink()
        path.rmdir()
    path.unlink(missing_ok=True)


def why(error: Exception) -> str:
    """Return what went wrong, in words that a terminal can show."""
    return printable(
        error.strerror if isinstance(error, OSError) and error.strerror else f"{type(error).__name__}: {error}"
    )
