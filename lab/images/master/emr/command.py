"""One command of Systems Manager on one instance: a script, run by sh as root, and what is told of it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from moto.core.exceptions import ServiceException
from moto.s3.models import s3_backends

from emr.api import ACCOUNT

ACCOUNT = "123456789012"
ROOM = Path("/var/lib/amazon/ssm")
PLUGIN = "awsrunShellScript"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MOST = {"stdout": 24_000, "stderr": 8_000}
# AWS does not know of a command for a moment after it was sent; and its agent asks for work now and then.
HIDDEN, AGENT = 0.3, 0.05
NEVER_RAN, KILLED = -1, 137


class Command:
    """It is Pending until the agent takes it, InProgress while it runs, and then has one of four ends."""

    def __init__(self, id_: str, instance: str, comment: str, given: dict[str, Any], delivery: int, where: tuple[str, str]):
        """Keep what was sent; `where` is bucket and prefix for the output."""
        self._id, self._instance, self._comment, self._given = id_, instance, comment, given
        self._delivery, self._where = delivery, where
        self._sent = time.monotonic()
        self._status, self._details, self._code = "Pending", "Pending", NEVER_RAN
        self._started: float | None = None
        self._ended: float | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self._lock = threading.RLock()
        self._folder = ROOM / instance / id_ / PLUGIN

    @property
    def visible(self) -> bool:
        """Answer whether AWS knows of it already."""
        return time.monotonic() - self._sent > HIDDEN

    def begin(self, online: Callable[[], bool]) -> None:
        """Wait for the agent in a thread, and run."""
        threading.Thread(target=self._live, args=(online,), name=self._id, daemon=True).start()

    def cancel(self) -> None:
        """End it, whether it waits or runs."""
        with self._lock:
            if not self._over.is_set():
                self._end("Cancelled", "Cancelled", self._code)
                self._kill()

    def told(self) -> dict[str, Any]:
        """Answer the invocation. Its streams are told at its end only, and of each the beginning only."""
        over = self._over.is_set()
        streams = {name: self._read(name) if over else b"" for name in MOST}
        return {
            "CommandId": self._id,
            "InstanceId": self._instance,
            "Comment": self._comment,
            "DocumentName": "AWS-RunShellScript",
            "PluginName": "aws:runShellScript",
            "ResponseCode": self._code,
            "ExecutionStartDateTime": _when(self._started),
            "ExecutionEndDateTime": _when(self._ended),
            "ExecutionElapsedTime": f"PT{self._ended - self._started:.3f}S" if self._ended and self._started else "",
            "Status": self._status,
            "StatusDetails": self._details,
            "StandardOutputContent": _cut(streams["stdout"], MOST["stdout"]),
            "StandardErrorContent": _cut(streams["stderr"], MOST["stderr"]),
        }

    def _live(self, online: Callable[[], bool]) -> None:
        late = self._sent + self._delivery
        while not self._over.wait(AGENT):
            if online():
                self._run()
                return
            if time.monotonic() > late:
                self._end("TimedOut", "Delivery Timed Out", NEVER_RAN)

    def _run(self) -> None:
        self._folder.mkdir(parents=True, mode=0o700)
        script = self._folder / "_script.sh"
        script.write_text("\n".join(self._given["commands"]) + "\n")
        limit = float(self._given.get("executionTimeout", ["3600"])[0])
        with (self._folder / "stdout").open("wb") as out, (self._folder / "stderr").open("wb") as err, self._lock:
            if self._over.is_set():
                return
            self._status, self._details, self._started = "InProgress", "In Progress", time.time()
            self._child = subprocess.Popen(  # noqa: S603
                ["/bin/sh", str(script)], cwd=self._folder, env={"PATH": PATH, "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip
        try:
            code = self._child.wait(limit)
        except subprocess.TimeoutExpired:
            self._kill()
            self._end("TimedOut", "Execution Timed Out", KILLED)
            return
        # The agent brings the output to S3 before it tells of the end.
        self._upload()
        self._end("Success" if code == 0 else "Failed", "Success" if code == 0 else "Failed", code if code >= 0 else 128 - code)

    def _upload(self) -> None:
        bucket, prefix = self._where
        for name in MOST if bucket else ():
            text = self._read(name)
            key = "/".join(part for part in (prefix, self._id, self._instance, PLUGIN, f"0.{PLUGIN}", name) if part)
            if text:
                try:
                    s3_backends[ACCOUNT]["aws"].put_object(bucket, key, text)
                except ServiceException as error:
                    print(f"ssm: {key} could not go to {bucket}: {error}", flush=True)

    def _end(self, status: str, details: str, code: int) -> None:
        with self._lock:
            if not self._over.is_set():
                self._status, self._details, self._code, self._ended = status, details, code, time.time()
                self._over.set()

    def _kill(self) -> None:
        if self._child and self._child.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)

    def _read(self, name: str) -> bytes:
        path = self._folder / name
        return path.read_bytes() if path.exists() else b""


def _cut(raw: bytes, most: int) -> str:
    text = raw.decode(errors="replace")
    mark = "\n---Output truncated---"
    return text if len(text) <= most else text[: most - len(mark)] + mark


def _when(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds")
