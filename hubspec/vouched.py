"""The end of a report, one run's or of many joined: its manifest, and its signature where that was asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubspec import manifest
from hubspec.manifest import MANIFEST, SIGNATURE
from hubspec.signature import SignatureError, sign


@dataclass(frozen=True)
class Seal:
    """What the chain of a report was made with, and its last hash."""

    inputs: dict[str, Any]
    end: dict[str, Any]
    head: str


def vouch(folder: Path, seal: Seal, key: Path | None, parts: Collection[str] = ()) -> str:
    """Write the manifest over all that is in a folder, signed with a private key where there is one; `parts` as of `manifest.written`.

    Return a sentence where that could not be done: what the report says stays as it is, and is never hidden by it.
    """
    try:
        content = manifest.written(folder, seal.inputs, seal.end, seal.head, parts)
    except OSError as error:
        forget(folder / MANIFEST)
        return f"{MANIFEST} was not written: {error.strerror or error}; nothing vouches for this report"
    try:
        if key:
            (folder / SIGNATURE).write_bytes(sign(key, content))
    except (OSError, SignatureError) as error:
        forget(folder / SIGNATURE)
        why = error.strerror if isinstance(error, OSError) else error
        return (
            f"the report is NOT signed: {why}; what it says stands, and can be signed by hand:"
            f" ssh-keygen -Y sign -n hubspec -f KEY {MANIFEST}"
        )
    return ""


def forget(half: Path) -> None:
    """Remove a file that may be half of one."""
    with contextlib.suppress(OSError):
        half.unlink(missing_ok=True)
