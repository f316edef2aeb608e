"""A prefix in S3 as a place where runs leave their files: encrypted, without an ACL, and never in a public bucket.

Source of fact: Amazon S3 API Reference (PutObject, GetBucketPolicyStatus, GetPublicAccessBlock).
"""

from __future__ import annotations

import mimetypes
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hubspec.cluster.keep_folder import HISTORY
from hubspec.cluster.session import RefusedError, Session
from hubspec.errors import DoorError

AT_ONCE, BROUGHT = 8, 32
"""Files of a history that are read side by side; files of a report that are brought, of which there may be thousands."""
PATIENCE = 60
"""Seconds for putting one file, with its attempts: S3 answers a large one when it has all of it."""
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
NOT_THERE = {"NoSuchKey", "404"}
NO_BLOCK = "NoSuchPublicAccessBlockConfiguration"
_TYPES = {".jsonl": "application/x-ndjson", ".md": "text/markdown", ".sarif": "application/sarif+json"}


class Bucket:
    """A prefix in S3, s3://BUCKET/PREFIX/. Files are encrypted at rest: with the KMS key, else with S3's own."""

    def __init__(self, uri: str, *, kms_key: str | None = None, session: Session | None = None) -> None:
        """Nothing is asked of AWS yet."""
        self.where, self._kms_key, self._lent = uri, kms_key, session
        self._session, self._patient = session or Session(), session or Session(deadline=PATIENCE)
        self._bucket, path = urlsplit(uri).netloc, urlsplit(uri).path.strip("/")
        self._prefix = f"{path}/" if path else ""
        self._sealed: dict[str, Any] = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
            if kms_key
            else {"ServerSideEncryption": "AES256"}
        )

    def below(self, name: str) -> Bucket:
        """Return the prefix with this name below it."""
        return Bucket(f"s3://{self._bucket}/{self._prefix}{name}/", kms_key=self._kms_key, session=self._lent)

    def names(self) -> list[str]:
        """Return the names of the files of its history, in order. Raises DoorError."""
        found: list[str] = []
        more: dict[str, Any] = {}
        while True:
            answer = self._session.call(
                "ListObjectsV2", Bucket=self._bucket, Prefix=self._prefix, Delimiter="/", **more
            )
            found += [str(one["Key"])[len(self._prefix) :] for one in answer.get("Contents", [])]
            if not answer.get("IsTruncated"):
                return sorted(one for one in found if one.endswith(HISTORY))
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def read(self, names: list[str]) -> Iterator[bytes | DoorError]:
        """Yield the content of each file, or why it cannot be read."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(self._read, names)

    def _read(self, name: str) -> bytes | DoorError:
        try:
            return self._got(name)
        except DoorError as error:
            return error

    def _got(self, name: str) -> bytes:
        answer = self._session.call("GetObject", Bucket=self._bucket, Key=self._prefix + name)
        try:
            return bytes(answer["Body"].read())
        except OSError as error:
            raise DoorError(str(error)) from None

    def there(self, name: str) -> bytes | None:
        """Return the content of a file, None where there is none. Raises DoorError where that cannot be told."""
        try:
            return self._got(name)
        except RefusedError as error:
            if error.code in NOT_THERE:
                return None
            raise

    def write(self, name: str, data: bytes) -> None:
        """Write a file that is there wholly or not at all. Raises DoorError."""
        self._put(name, data)

    def bring(self, source: Path, names: Sequence[str], under: str, deadline: float) -> None:
        """Copy files of a folder to below `under`, the last of the names when all others are there. Raises DoorError.

        What was brought before something failed stays: the right to remove would be a right to remove proof.
        """
        until = time.monotonic() + deadline

        def one(name: str) -> None:
            if time.monotonic() > until:
                raise DoorError(f"{self.where} did not take all of it within {deadline:g} s")
            try:
                with (source / name).open("rb") as file:
                    self._put(f"{under}/{name}", file)
            except OSError as error:
                raise DoorError(f"{source / name} cannot be read: {error}") from None

        pool = ThreadPoolExecutor(BROUGHT)
        try:
            for done in [pool.submit(one, name) for name in names[:-1]]:
                done.result()
        finally:
            pool.shutdown(cancel_futures=True)
        one(names[-1])

    def _put(self, name: str, body: Any) -> None:
        kind, packed = mimetypes.guess_type(name)
        ending = f".{name.rpartition('.')[2]}"
        mime = "application/gzip" if packed else _TYPES.get(ending) or kind or "application/octet-stream"
        charset = "; charset=utf-8" if mime.startswith("text/") else ""
        key = self._prefix + name
        self._patient.call(
            "PutObject", Bucket=self._bucket, Key=key, Body=body, ContentType=mime + charset, **self._sealed
        )

    def remove(self, name: str) -> None:
        """Remove a file; one that is gone is no error. Raises DoorError."""
        self._session.call("DeleteObject", Bucket=self._bucket, Key=self._prefix + name)

    def seen_by_all(self) -> list[str]:
        """Return a sentence where the bucket's public access block is off. Raises DoorError for a public bucket.

        Who may not ask is told nothing: what nobody could look at is no finding here.
        """
        blocked = self._blocked()
        try:
            status = self._session.call("GetBucketPolicyStatus", Bucket=self._bucket)
            public = bool(status["PolicyStatus"].get("IsPublic"))
        except RefusedError:
            public = False
        if public and "RestrictPublicBuckets" not in (blocked or ()):
            raise DoorError(f"the policy of the bucket {self._bucket} makes it public: nothing is put there")
        off = [name for name in BLOCKS if blocked is not None and name not in blocked]
        return [f"the public access block of the bucket {self._bucket} is off: {', '.join(off)}"] if off else []

    def _blocked(self) -> set[str] | None:
        """Return which blocks are on, None where it cannot be seen."""
        try:
            answer = self._session.call("GetPublicAccessBlock", Bucket=self._bucket)
        except RefusedError as error:
            return set() if error.code == NO_BLOCK else None
        return {name for name in BLOCKS if answer["PublicAccessBlockConfiguration"].get(name)}
