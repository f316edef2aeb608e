"""Where files of a history are kept: a folder, or a prefix in S3. Each file is written once and whole, under a name of its own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from hubspec.cluster.session import Session
from hubspec.errors import DoorError

ENDING = ".json.gz"
AT_ONCE = 8
"""Files that are read from S3 side by side."""


class Keep(Protocol):
    """A place for files. `where` says which, for a person."""

    where: str

    def names(self) -> list[str]:
        """Return the names of its files, in order. Raises DoorError."""

    def read(self, names: list[str]) -> Iterator[bytes | DoorError]:
        """Yield the content of each file, or why it cannot be read."""

    def write(self, name: str, data: bytes) -> None:
        """Write a file that is there wholly or not at all. Raises DoorError."""

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone is no error. Raises DoorError."""


def keep(place: str | Path, kms_key: str | None = None) -> Keep:
    """Return the place with this name, a folder or s3://BUCKET/PREFIX/. Nothing is looked at yet."""
    if isinstance(place, str) and place.startswith("s3:"):
        return Bucket(place, kms_key=kms_key)
    return Folder(Path(place).expanduser())


class Folder:
    """A folder of this machine, made when it is first written to."""

    def __init__(self, path: Path) -> None:
        """Nothing is touched yet."""
        self.path, self.where = path, str(path)

    def names(self) -> list[str]:
        """Return the names of its files, in order. Raises DoorError."""
        try:
            return sorted(one.name for one in self.path.iterdir() if one.name.endswith(ENDING))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DoorError(f"{self.path} cannot be read: {error}") from None

    def read(self, names: list[str]) -> Iterator[bytes | DoorError]:
        """Yield the content of each file, or why it cannot be read."""
        for name in names:
            try:
                yield (self.path / name).read_bytes()
            except OSError as error:
                yield DoorError(str(error))

    def write(self, name: str, data: bytes) -> None:
        """Write a file that is there wholly or not at all. Raises DoorError."""
        part = self.path / f".{name}.{os.getpid()}.part"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with part.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path / name)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise DoorError(f"{self.path} cannot be written: {error}") from None

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone is no error. Raises DoorError."""
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            raise DoorError(f"{self.path / name} cannot be removed: {error}") from None


class Bucket:
    """A prefix in S3, s3://BUCKET/PREFIX/. Files are encrypted at rest: with the KMS key, else with S3's own."""

    def __init__(self, uri: str, *, kms_key: str | None = None, session: Session | None = None) -> None:
        """Nothing is asked of AWS yet."""
        self.where, self._session = uri, session or Session()
        self._bucket, path = urlsplit(uri).netloc, urlsplit(uri).path.strip("/")
        self._prefix = f"{path}/" if path else ""
        self._sealed: dict[str, Any] = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
            if kms_key
            else {"ServerSideEncryption": "AES256"}
        )

    def names(self) -> list[str]:
        """Return the names of its files, in order. Raises DoorError."""
        found: list[str] = []
        more: dict[str, Any] = {}
        while True:
            answer = self._session.call(
                "ListObjectsV2", Bucket=self._bucket, Prefix=self._prefix, Delimiter="/", **more
            )
            found += [str(one["Key"])[len(self._prefix) :] for one in answer.get("Contents", [])]
            if not answer.get("IsTruncated"):
                return sorted(one for one in found if one.endswith(ENDING))
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def read(self, names: list[str]) -> Iterator[bytes | DoorError]:
        """Yield the content of each file, or why it cannot be read."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(self._read, names)

    def _read(self, name: str) -> bytes | DoorError:
        try:
            answer = self._session.call("GetObject", Bucket=self._bucket, Key=self._prefix + name)
            return bytes(answer["Body"].read())
        except DoorError as error:
            return error
        except OSError as error:
            return DoorError(str(error))

    def write(self, name: str, data: bytes) -> None:
        """Write a file that is there wholly or not at all. Raises DoorError."""
        self._session.call("PutObject", Bucket=self._bucket, Key=self._prefix + name, Body=data, **self._sealed)

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone is no error. Raises DoorError."""
        self._session.call("DeleteObject", Bucket=self._bucket, Key=self._prefix + name)
