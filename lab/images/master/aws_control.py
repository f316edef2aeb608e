"""The way by which `break` and `mend` change the cluster: a socket inside the container, reached by `docker exec`.

As a program it is the client: a JSON request on stdin, the answer on stdout. AWS has no such call, so no AWS end point
offers it. A request is any of
    {"change": {"release_label": "emr-6.15.0"}}, {"restore": ["release_label"]}   a field of the cluster (emr/control.py)
    {"age": {"step": NAME, "by": seconds}}, {"lengthen": {...}}                   the newest step of that name; `restore` age, lengthen
    {"forget_steps": NAME or [NAME, ...]}                                         ended steps; `restore` steps: those of the launch
    {"deny": ["ListSteps", "s3:GetObject"]}, {"allow": [...]}                     access denied
    {"throttle": {"ListSteps": 10}}                                               the next calls are too many
    {"calls": true}                                                               the calls seen since this was asked last
"""

from __future__ import annotations

import json
import socketserver
import sys
import threading
from pathlib import Path
from socket import AF_UNIX, SHUT_WR, SOCK_STREAM, socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emr.control import Control

SOCKET = "/run/hubspec-aws.sock"


def serve(control: Control) -> None:
    """Listen on the socket in a thread; only root of the container can open it."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                reply = control.answer(json.loads(self.rfile.read()))
            except (ValueError, TypeError, AttributeError, LookupError) as error:
                reply = {"error": f"not a request: {error}"}
            self.wfile.write(json.dumps(reply).encode())

    Path(SOCKET).unlink(missing_ok=True)
    server = socketserver.ThreadingUnixStreamServer(SOCKET, Handler)
    Path(SOCKET).chmod(0o600)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main() -> int:
    """Send stdin to the socket, print the answer; exit 1 where it is an error."""
    with socket(AF_UNIX, SOCK_STREAM) as link:
        link.connect(SOCKET)
        link.sendall(sys.stdin.buffer.read())
        link.shutdown(SHUT_WR)
        text = b"".join(iter(lambda: link.recv(65536), b"")).decode()
    print(text)
    return 0 if "error" not in json.loads(text) else 1


if __name__ == "__main__":
    sys.exit(main())
