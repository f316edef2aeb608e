"""The end of a step's logs in S3, or until when to wait for them.

EMR puts `controller`, `stdout`, `stderr` and `syslog` below LOG-URI/CLUSTER/steps/STEP/, gzipped, about every five minutes, and
no file for a stream that is empty. Source of fact: EMR Management Guide, 'View log files'.
"""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from hubspec.cluster.session import DENIED, RefusedError, Session
from hubspec.errors import DoorError
from hubspec.masked import masked
from hubspec.model import Detail

LINES = {"stderr": 20, "stdout": 20, "controller": 12}
"""How many last lines are kept of each."""
KEPT, CHUNK = 64 * 1024, 1024 * 1024
"""Bytes kept while a log is unpacked, and unpacked at once: gzip can be read from its beginning only."""
UPLOAD = timedelta(minutes=5)


class NotThereError(DoorError):
    """There is no such log in S3."""


def folder(log_uri: str | None, cluster: str, step: str) -> str | None:
    """Return the folder of a step's logs as s3://BUCKET/PREFIX/, None where the cluster keeps none. s3n:// means s3://."""
    if not log_uri or not log_uri.startswith(("s3://", "s3n://", "s3a://")):
        return None
    return f"s3://{log_uri.split('://', 1)[1].rstrip('/')}/{cluster}/steps/{step}/"


def explain(session: Session, where: str | None, ended: datetime | None) -> tuple[Detail, ...]:
    """Return the last lines of stderr (of stdout where that is empty) and of the controller's log; secrets masked.

    Where none has arrived, when they should. `ended` is when the step did.
    """
    if where is None:
        sentence = (
            "the cluster has no log URI in S3: its step logs are on the master node only, in /mnt/var/log/hadoop/steps/"
        )
        return (Detail("log", sentence),)
    found = []
    try:
        for choice in (("stderr", "stdout"), ("controller",)):
            found += list(_first(session, where, choice))
    except DoorError as error:
        return (*found, Detail("log", str(error)))
    return tuple(found) or (Detail("log", _waiting(where, ended)),)


def _first(session: Session, where: str, parts: tuple[str, ...]) -> Iterator[Detail]:
    for part in parts:
        try:
            text, size = tail(session, f"{where}{part}.gz", LINES[part])
        except NotThereError:
            continue
        if text.strip():
            yield Detail(f"{part}, its last lines ({size} bytes in {where}{part}.gz)", masked(text))
            return


def tail(session: Session, uri: str, lines: int, keep: int = KEPT) -> tuple[str, int]:
    """Return the last lines of a gzipped log, at most `keep` bytes of it, and its size unpacked in bytes.

    Raises NotThereError; DoorError where S3 refuses, it takes longer than the deadline, or it is not gzip.
    """
    bucket, key = urlsplit(uri).netloc, urlsplit(uri).path.lstrip("/")
    body = _object(session, bucket, key).get("Body")
    late = time.monotonic() + session.deadline
    kept, size = b"", 0
    try:
        with gzip.GzipFile(fileobj=body) as unpacked:
            while chunk := unpacked.read(CHUNK):
                size += len(chunk)
                kept = (kept + chunk)[-keep:]
                if time.monotonic() > late:
                    raise DoorError(f"{uri} is too long to be unpacked in {session.deadline:g} s; see its end with:"
                                    f" aws s3 cp {uri} - | gunzip | tail")  # fmt: skip
    except (gzip.BadGzipFile, EOFError, zlib.error, OSError) as error:
        raise DoorError(f"{uri} cannot be unpacked: {error}") from None
    finally:
        if body is not None:
            body.close()
    return "\n".join(kept.decode("utf-8", "replace").splitlines()[-lines:]), size


def plain(session: Session, uri: str, most: int) -> str:
    """Return an object that is text. Raises NotThereError; DoorError where S3 refuses, breaks off, or it has more than so many bytes."""
    body = _object(session, urlsplit(uri).netloc, urlsplit(uri).path.lstrip("/"))["Body"]
    try:
        raw: bytes = body.read(most + 1)
    except Exception as error:  # noqa: BLE001 - urllib3's and botocore's, which only the session knows
        raise DoorError(f"{uri} broke off: {error}") from None
    finally:
        body.close()
    if len(raw) > most:
        raise DoorError(f"{uri} is longer than the {most} bytes that are read of it")
    return raw.decode("utf-8", "replace")


def _object(session: Session, bucket: str, key: str) -> dict[str, Any]:
    try:
        return session.call("GetObject", Bucket=bucket, Key=key)
    except RefusedError as error:
        if error.code in {"NoSuchKey", "404"}:
            raise NotThereError(str(error)) from None
        if error.code == "NoSuchBucket":
            raise DoorError(f"the log bucket {bucket} does not exist, so the cluster's logs are lost") from None
        if error.code in DENIED:
            raise DoorError(
                f"{error}; allow s3:ListBucket on {bucket} too: without it S3 says the same of a log that is not there yet"
            ) from None
        raise


def _waiting(where: str, ended: datetime | None) -> str:
    if ended is None:
        return f"no log is in {where} yet: EMR brings them about every five minutes"
    due = ended.astimezone(UTC) + UPLOAD
    if datetime.now(UTC) <= due:
        return (
            f"no log is in {where} yet: EMR brings them about every five minutes; look again after {due:%H:%M:%S} UTC"
        )
    return (
        f"no log is in {where}, though they were due at {due:%Y-%m-%d %H:%M:%S} UTC:"
        " may the cluster's instance profile write there (s3:PutObject)?"
    )
