"""A folder as one piece of data, for a way on which no disk is shared; and folders that are gone afterwards."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def pack(folder: Path) -> bytes:
    """Return the files below a folder."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as parcel:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            parcel.write(path, path.relative_to(folder))
    return data.getvalue()


def unpack(data: bytes, folder: Path) -> None:
    """Put the files below a folder. Raises OSError; and zipfile.BadZipFile where the data is none of ours.

    Names that lead out of the folder do not (zipfile: absolute paths and `..` are removed).
    """
    with zipfile.ZipFile(io.BytesIO(data)) as parcel:
        parcel.extractall(folder)


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a folder that is gone after the block, with all in it."""
    with tempfile.TemporaryDirectory(prefix="hubspec-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def remove(folder: Path) -> None:
    """Remove a folder with all in it, and where it is not there nothing."""
    shutil.rmtree(folder, ignore_errors=True)
