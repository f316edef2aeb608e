"""The contents of files that a baseline names by `source`: read beside the baseline that says so, before anything else."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from hubspec.layers import Layer, dotted

LARGEST = 10 * 2**20
"""Bytes of a source: what is larger is no configuration, and does not travel in a script."""


def contents(layer: Layer, data: dict[str, Any], faults: list[str]) -> dict[str, bytes]:
    """Return name -> content of each declared file with a source, and say its SHA-256 in `data`.

    A source is looked for from the folder of the file that names it, and is one of the layer's files. Adds a fault for each that cannot be read, is
    larger than LARGEST, or is not what the sha256 beside it says.
    """
    found: dict[str, bytes] = {}
    files = data.get("files")
    if not isinstance(files, dict):
        return found
    for name, value in files.items():
        source = value.get("source") if isinstance(value, dict) else None
        if not isinstance(source, str) or not source:
            continue
        where = ("files", name, "source")
        place = layer.place(where)
        path = place.file.parent / source
        try:
            content = _read(path)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else error
            faults.append(f"{place}: {dotted(where)}: {path} cannot be read: {why}")
            continue
        digest = layer.files[path] = hashlib.sha256(content).hexdigest()
        stated = value.get("sha256")
        if stated is not None and stated != digest:
            faults.append(
                f"{place}: {dotted(where)}: the SHA-256 of {path} is {digest}, and sha256 says another; take one of them out"
            )
        files[name] = value | {"sha256": digest}
        found[name] = content
    return found


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise ValueError("is a folder" if path.is_dir() else "there is no such file")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"it is larger than {LARGEST >> 20} MB")
    return path.read_bytes()
