"""A folder of this machine as a place where runs leave their files."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from hubspec.errors import DoorError

HISTORY = ".json.gz"
"""What the name of a file of a history ends with."""
_CHUNK = 1 << 20


class Folder:
    """A folder of this machine, made when it is first written to."""

    def __init__(self, path: Path) -> None:
        """Nothing is touched yet."""
        self.path, self.where = path, str(path)

    def below(self, name: str) -> Folder:
        """Return the folder with this name in it."""
        return Folder(self.path / name)

    def names(self) -> list[str]:
        """Return the names of the files of its history, in order. Raises DoorError."""
        try:
            return sorted(one.name for one in self.path.iterdir() if one.name.endswith(HISTORY))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DoorError(f"{self.path} cannot be read: {_why(error)}") from None

    def read(self, names: list[str]) -> Iterator[bytes | DoorError]:
        """Yield the content of each file, or why it cannot be read."""
        for name in names:
            try:
                yield (self.path / name).read_bytes()
            except OSError as error:
                yield DoorError(str(error))

    def there(self, name: str) -> bytes | None:
        """Return the content of a file, None where there is none. Raises DoorError where that cannot be told."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DoorError(f"{self.path / name} cannot be read: {_why(error)}") from None

    def write(self, name: str, data: bytes, *, rights: int | None = None) -> None:
        """Write a file that is there wholly or not at all; with these rights, or those of the umask. Raises DoorError."""
        target = self.path / name
        part = _beside(target)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with part.open("xb") as file:
                file.write(data)
                if rights is not None:
                    os.fchmod(file.fileno(), rights)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise DoorError(f"{self.path} cannot be written: {_why(error)}") from None

    def bring(self, source: Path, names: Sequence[str], under: str, deadline: float) -> None:
        """Copy files of a folder to below `under`, all of them or none. Raises DoorError.

        `deadline` is in seconds: a network's file system can hang.
        """
        target = self.path / under
        part = _beside(target)
        until = time.monotonic() + deadline
        try:
            for name in names:
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                with (source / name).open("rb") as one, (part / name).open("xb") as other:
                    while chunk := one.read(_CHUNK):
                        other.write(chunk)
                        if time.monotonic() > until:
                            raise DoorError(f"{self.path} did not take all of it within {deadline:g} s")
                    other.flush()
                    os.fsync(other.fileno())
            part.rename(target)
        except OSError as error:
            raise DoorError(f"{self.path} cannot be written: {_why(error)}") from None
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone is no error. Raises DoorError."""
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise DoorError(f"{self.path / name} cannot be removed: {_why(error)}") from None

    def seen_by_all(self) -> list[str]:
        """Return nothing: who can read a folder is for its owner to say, as for the folder of the reports."""
        return []


def _why(error: OSError) -> str:
    return error.strerror or str(error)


def _beside(target: Path) -> Path:
    # Not by the number of the process: every container has the same ones, and a folder may be shared.
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
