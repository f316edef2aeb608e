"""The way by which `break` and `mend` change the cluster: a socket inside the container, reached by `docker exec`.

As a program it is the client: a JSON request on stdin, such as {"change": {"release_label": "emr-6.15.0"}} or
{"restore": ["release_label"]}; the answer on stdout. AWS has no such call, so no AWS end point offers it.
"""

from __future__ import annotations

import copy
import json
import socketserver
import sys
import threading
from pathlib import Path
from socket import AF_UNIX, SHUT_WR, SOCK_STREAM, socket
from typing import Any

SOCKET = "/run/hubspec-aws.sock"
# What may be changed: the name in a request, and moto's attribute of the cluster.
FIELDS = {
    "state": "state",
    "release_label": "release_label",
    "log_uri": "log_uri",
    "applications": "applications",
    "tags": "_tags",
    "termination_protected": "termination_protected",
}


class Control:
    """Changes one cluster, and remembers how it was made."""

    def __init__(self, cluster: Any) -> None:  # noqa: ANN401 - moto's own object
        """Keep the cluster and a copy of its fields as they are now."""
        self.cluster = cluster
        self.made = {name: copy.deepcopy(getattr(cluster, attr)) for name, attr in FIELDS.items()}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do one request. Answers {"ok": true}, or {"error": sentence} for a field that cannot be changed."""
        wanted: dict[str, Any] = dict(request.get("change", {}))
        wanted |= {name: copy.deepcopy(self.made.get(name)) for name in request.get("restore", [])}
        unknown = sorted(set(wanted) - set(FIELDS))
        if unknown:
            return {"error": f"cannot change {', '.join(unknown)}; can change {', '.join(FIELDS)}"}
        for name, value in wanted.items():
            if name == "applications" and name in request.get("change", {}):
                kind = type(self.made[name][0])
                value = [kind(i["name"], i["version"], [], {}) for i in value]  # noqa: PLW2901
            setattr(self.cluster, FIELDS[name], value)
        return {"ok": True}


def serve(cluster: Any) -> None:  # noqa: ANN401 - moto's own object
    """Listen on the socket in a thread; only root of the container can open it."""
    control = Control(cluster)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                reply = control.answer(json.loads(self.rfile.read()))
            except (ValueError, TypeError, AttributeError) as error:
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
