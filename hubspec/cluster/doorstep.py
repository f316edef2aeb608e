"""A port on loopback that leads where a route leads, for a program that can only take ports, such as a browser."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

_CHUNK = 2**16


@contextlib.contextmanager
def doorstep(connect: Callable[[], socket.socket]) -> Iterator[int]:
    """Yield a port here; each connection to it goes on through one that `connect` makes. All of them end with it.

    Whoever is on this machine can use it meanwhile: it leads to what asks for a password or a token itself.
    """
    links: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    near, _ = server.accept()
                except OSError:
                    return  # it was closed
                try:
                    far = connect()
                except Exception:  # noqa: BLE001 - whoever asked sees its connection end, and says so
                    near.close()
                    continue
                far.settimeout(None)
                links.extend((near, far))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=pair, daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield int(server.getsockname()[1])
        finally:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            for link in links:
                _hang_up(link)
                link.close()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    # As TCP has it: the end of one direction is not that of the other.
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _hang_up(link: socket.socket) -> None:
    with contextlib.suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
