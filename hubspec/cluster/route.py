"""How the hub is reached: directly where its port answers, else through the SSH connection that is held. TLS is the same."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from hubspec.cluster.ssh import SshLine
from hubspec.errors import DoorError

QUICK = 1.0
"""Seconds that a port gets to answer where there is another way."""


class Route:
    """Opens connections to the hub. `line` gives the SSH connection of its cluster when that is needed, None where none is to be had."""

    def __init__(self, line: Callable[[], SshLine | None]) -> None:
        """Nothing is opened yet."""
        self._line = line
        self._through: dict[tuple[str, int], tuple[SshLine, Path]] = {}
        self._direct: set[tuple[str, int]] = set()
        self._lock = threading.Lock()

    def connect(self, host: str, port: int, seconds: float) -> socket.socket:
        """Return a connection to a port of a host. Raises OSError where it is not reached, DoorError where ssh is shut too."""
        where = (host, port)
        with self._lock:
            if where not in self._through and where not in self._direct:
                return self._first(where, seconds)
            way = self._through.get(where)
        return _to(way[1], seconds) if way else _direct(where, seconds)

    def told(self, url: str) -> tuple[str, str]:
        """Return for an address which way was taken, and what ssh complained of on it; empty for the direct way, and for nothing."""
        where = urlsplit(url)
        port = where.port or (443 if where.scheme == "https" else 80)
        way = self._through.get((where.hostname or "", port))
        if not way:
            return "", ""
        line = way[0]
        # Of each connection that it could not open (`channel_input_open_failure` of OpenSSH).
        if "open failed" not in line.complaint:
            return f"through ssh {line.target}", ""
        hint = "; its SSH server forwards nothing (AllowTcpForwarding)" if "prohibited" in line.complaint else ""
        return f"through ssh {line.target}", f"through ssh {line.target}: {line.complaint}{hint}"

    def _first(self, where: tuple[str, int], seconds: float) -> socket.socket:
        try:
            link = _direct(where, min(seconds, QUICK))
        except OSError as error:
            line = self._other()
            if line is None:
                self._direct.add(where)
                if isinstance(error, TimeoutError) and seconds > QUICK:
                    return _direct(where, seconds - QUICK)
                raise
            try:
                path = line.forward(f"to-{len(self._through)}", _seen_there(where[0], line), where[1])
            except DoorError as shut:
                raise DoorError(
                    f"{where[0]}:{where[1]} is not reached from here ({error}), and not through ssh: {shut}"
                ) from None
            self._through[where] = (line, path)
            return _to(path, seconds)
        link.settimeout(seconds)
        self._direct.add(where)
        return link

    def _other(self) -> SshLine | None:
        try:
            return self._line()
        except DoorError:
            return None  # which door it is cannot be told: what the port itself said counts


def _seen_there(host: str, line: SshLine) -> str:
    # The hub of the machine that was logged in to is on that machine, whatever its own name resolves to there.
    return "127.0.0.1" if host in {line.target.host, "localhost"} else host


def _direct(where: tuple[str, int], seconds: float) -> socket.socket:
    link = socket.create_connection(where, seconds)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def _to(path: Path, seconds: float) -> socket.socket:
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(seconds)
    try:
        link.connect(str(path))
    except OSError:
        link.close()
        raise
    return link


class Adapter(HTTPAdapter):
    """Makes the connections of requests by a route, None for the usual way; more of urllib3's settings may be given."""

    def __init__(self, route: Route | None, **settings: Any) -> None:
        """Make it for one session."""
        self._route, self._settings = route, settings
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Have urllib3 connect by the route."""
        super().init_poolmanager(*args, **(kwargs | self._settings))
        if self._route:
            self.poolmanager.pool_classes_by_scheme = _pools(self._route)


def _pools(route: Route) -> dict[str, type[HTTPConnectionPool]]:
    """Return pools whose connections the route makes; the way of `urllib3.contrib.socks` (urllib3 1.26 and 2)."""

    def opened(connection: HTTPConnection) -> socket.socket:
        seconds = connection.timeout if isinstance(connection.timeout, int | float) else 60.0
        return route.connect(connection.host, connection.port, seconds)

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return opened(self)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return opened(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
