"""The logs' way to S3: gzipped, some time after a step's end, as EMR's own log pusher does it."""

from __future__ import annotations

import gzip
import heapq
import itertools
import threading
import time
from pathlib import Path

from moto.s3.models import s3_backends

from emr.scripts import S3_URI

STREAMS = ("controller", "stdout", "stderr", "syslog")


class Pusher:
    """Takes log folders to S3 after `delay` seconds, one after the other in one thread."""

    def __init__(self, delay: float) -> None:
        """Start the thread."""
        self.delay = delay
        self._queue: list[tuple[float, int, str, str, Path]] = []
        self._numbers = itertools.count()
        self._filled = threading.Condition()
        threading.Thread(target=self._push, name="logs", daemon=True).start()

    def later(self, account: str, log_uri: str | None, below: str, folder: Path) -> None:
        """Take a folder's streams to `log_uri`/`below`/ when the delay is over; nowhere where the cluster has no LogUri."""
        if not log_uri:
            return
        uri = f"{log_uri.rstrip('/')}/{below}"
        with self._filled:
            heapq.heappush(self._queue, (time.monotonic() + self.delay, next(self._numbers), account, uri, folder))
            self._filled.notify()

    def _push(self) -> None:
        while True:
            with self._filled:
                while not self._queue or self._queue[0][0] > time.monotonic():
                    self._filled.wait(self._queue[0][0] - time.monotonic() if self._queue else None)
                _, _, account, uri, folder = heapq.heappop(self._queue)
            try:
                upload(account, uri, folder)
            except Exception as error:  # noqa: BLE001 - whatever S3 says, the next log is to go its way
                print(f"logs: {folder} could not go to {uri}: {type(error).__name__}: {error}", flush=True)


def upload(account: str, uri: str, folder: Path) -> None:
    """Put the streams that are not empty under a URI. Raises: moto's ServiceException where S3 refuses."""
    found = S3_URI.fullmatch(uri)
    if found is None:
        raise ValueError("not an S3 URI")
    for stream in STREAMS:
        text = (folder / stream).read_bytes() if (folder / stream).exists() else b""
        if text:
            s3_backends[account]["aws"].put_object(found[1], f"{found[2]}/{stream}.gz", gzip.compress(text, 6))
