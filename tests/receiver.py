"""People who are told: a web hook that keeps what it gets, and answers as its path says."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "c4n4ry-hook-5e7a91d0"


class Receiver:
    """A web hook on a free port of this machine. `/200` takes a message, `/503` refuses it, `/slow` does not answer."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.over = threading.Event()
        self.told: Callable[[], object] = lambda: None
        """Called before a message is kept."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    def url(self, answer: str = "200") -> str:
        """Return its address for Apprise, with a secret in it as such addresses have."""
        return f"json://ada:{SECRET}@127.0.0.1:{self._server.server_port}/{answer}/{SECRET}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = self.path.split("/")[1]
                if answer == "slow":
                    receiver.over.wait(30)
                    return
                receiver.told()
                receiver.messages += [body] if answer == "200" else []
                self.send_response(int(answer))
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
                """Say nothing."""

        return Handler

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def end(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve a receiver."""
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.end()
        thread.join()
