"""Hubs that misbehave: an HTTPS server on loopback that answers what a test says, over a real socket."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.certificates import certificate, pair

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Hub:
    """A running server: its address, its certificate's fingerprint, and the requests that came (path, token), by method too."""

    url: str
    fingerprint: str
    asked: list[tuple[str, str]] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)


def answer(status: int, body: bytes = b"", *, mime: str = "application/json", **headers: str) -> Answer:
    """Return what sends one fixed answer."""

    def send(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Type", mime)
        request.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return send


@contextlib.contextmanager
def running(routes: dict[str, Answer], folder: Path, port: int = 0) -> Iterator[Hub]:
    """Serve until the block ends. `routes` maps a path below /hub/api, without its query, to its answer.

    The certificate is the one in `folder`, made where there is none. A `port` can be that of a server which has ended.
    """
    pem, fingerprint = _certificate(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0].removeprefix("/hub/api")
            hub.asked.append((self.path, self.headers.get("Authorization", "")))
            hub.methods.append(self.command)
            routes.get(path, answer(404, b'{"status": 404}'))(self)

        def do_POST(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_args: None  # type: ignore[method-assign] # a client that goes away is the point
    hub = Hub(f"https://127.0.0.1:{server.server_port}", fingerprint)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(folder: Path) -> tuple[Path, str]:
    path = folder / "pair.pem"
    if path.exists():
        made = x509.load_pem_x509_certificate(path.read_bytes())
        return path, made.fingerprint(hashes.SHA256()).hex()
    key = ec.generate_private_key(ec.SECP256R1())
    made = certificate(key)
    return pair(folder, key, made), made.fingerprint(hashes.SHA256()).hex()
