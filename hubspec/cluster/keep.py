"""Where what a run leaves is kept: a folder, or a prefix in S3. Each file is written once and whole, under a name of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from hubspec.cluster.keep_bucket import Bucket
from hubspec.cluster.keep_folder import Folder
from hubspec.errors import DoorError

__all__ = ["S3", "Bucket", "Folder", "Keep", "keep"]
S3 = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^\x00-\x1f]*)?"
"""How a place in S3 is written."""


class Keep(Protocol):
    """A place for files. `where` says which, for a person. A name may have folders before it."""

    where: str

    def names(self) -> list[str]:
        """Return the names of the files of its history, in order. Raises DoorError."""

    def read(self, names: list[str]) -> Iterator[bytes | DoorError]:
        """Yield the content of each file, or why it cannot be read."""

    def there(self, name: str) -> bytes | None:
        """Return the content of a file, None where there is none. Raises DoorError where that cannot be told."""

    def write(self, name: str, data: bytes) -> None:
        """Write a file that is there wholly or not at all. Raises DoorError."""

    def bring(self, source: Path, names: Sequence[str], under: str, deadline: float) -> None:
        """Copy files of a folder to below `under`, the last of the names when all others are there.

        `deadline` is in seconds, for all of them. Raises DoorError.
        """

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone is no error. Raises DoorError."""

    def seen_by_all(self) -> list[str]:
        """Return a sentence for each thing that would let others than its owner see it. Raises DoorError where all can."""

    def below(self, name: str) -> Keep:
        """Return the place with this name in this one."""


def keep(place: str | Path, kms_key: str | None = None) -> Keep:
    """Return the place with this name, a folder or s3://BUCKET/PREFIX/. Nothing is looked at yet."""
    if isinstance(place, str) and place.startswith("s3:"):
        return Bucket(place, kms_key=kms_key)
    return Folder(Path(place).expanduser())
