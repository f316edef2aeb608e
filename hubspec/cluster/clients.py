"""boto3's clients, made once and lent to every session of a run; and what AWS told of a cluster while it was looked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

ATTEMPTS = 4
"""How often botocore asks (adaptive mode) before it gives up."""
TOGETHER = 32
"""Connections that one client holds at most."""
FRESH = 30.0
"""Seconds for which a description of a cluster that was asked for while it was looked for is as good as a new one."""


class Clients:
    """Clients by service, settings and patience.

    They take a while to make. And what AWS limits are the requests of an account: botocore slows a client down that
    was throttled, so all clusters of a region have to share one.
    """

    def __init__(self) -> None:
        """Make none yet."""
        self._made: dict[tuple[Any, ...], Any] = {}
        self._described: dict[tuple[str | None, ...], tuple[float, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def client(self, service: str, settings: Mapping[str, str | None], deadline: float, *, once: bool) -> Any:
        """Return a client. `deadline` is in seconds, for all its attempts; `once`: it makes a single one.

        Raises what botocore raises.
        """
        import boto3
        from botocore.config import Config

        key = (service, tuple(settings.items()), deadline, once)
        # boto3's own session is not to be used by two threads at a time.
        with self._lock:
            if key not in self._made:
                attempts = 1 if once else ATTEMPTS
                retries = {"mode": "standard" if once else "adaptive", "total_max_attempts": attempts}
                config = Config(
                    connect_timeout=min(5, deadline),
                    read_timeout=deadline / attempts,
                    retries=retries,
                    max_pool_connections=TOGETHER,
                )
                self._made[key] = boto3.client(service, config=config, **settings)
            return self._made[key]

    def keep(self, key: tuple[str | None, ...], answer: dict[str, Any]) -> None:
        """Keep the answer of DescribeCluster under the cluster and the settings that it was asked with, for the one who reads it next."""
        with self._lock:
            self._described[key] = (time.monotonic(), answer)

    def take(self, key: tuple[str | None, ...]) -> dict[str, Any] | None:
        """Return the answer that was kept, to the first who asks and while it is fresh."""
        with self._lock:
            when, answer = self._described.pop(key, (0.0, None))
        return answer if answer and time.monotonic() - when < FRESH else None
