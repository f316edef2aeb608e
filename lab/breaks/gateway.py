"""Breaks of who is let in: a gateway before the hub's API that means well, and lets everybody in, or nobody by one header."""

from __future__ import annotations

import shlex

from lab import inside, proxy
from lab.breaks.model import Break, Scene
from lab.model import HUB

PATH, PORT = "/hub/api", 18081
SCRIPT, TOKEN = "/run/lab-gateway.py", "/run/lab-gateway.token"
# What the hub refuses is asked again with an admin's token, as where one was left in a gateway's settings; or the header
# that the gateway keeps for its own login is not handed on.
_GATEWAY = r"""
import http.client, http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        headers = {key.lower(): value for key, value in self.headers.items() if key.lower() != "connection"}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if sys.argv[1] == "keeps" and headers.get("authorization", "").startswith("Bearer "):
            del headers["authorization"]
        answer, text = self.ask(headers, body)
        if sys.argv[1] == "adds" and self.command == "GET" and answer.status in (403, 404):
            with open(sys.argv[2]) as file:
                answer, text = self.ask({**headers, "authorization": "token " + file.read().strip()}, body)
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ("transfer-encoding", "connection", "content-length", "server", "date"):
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def ask(self, headers, body):
        link = http.client.HTTPConnection("127.0.0.1", 8081, timeout=60)
        link.request(self.command, self.path, body or None, headers)
        answer = link.getresponse()
        return answer, answer.read()

    def log_message(self, *args):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[3])), Handler).serve_forever()
"""
_STOP = f"pkill -f '^[^ ]*python3 {SCRIPT} ' || true; rm -f {SCRIPT} {TOKEN}"
_START = (
    f"setsid python3 {SCRIPT} {{way}} {TOKEN} {PORT} >/dev/null 2>&1 </dev/null &\n"
    f"for _ in $(seq 100); do python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {PORT}))' 2>/dev/null && exit 0;"
    " sleep 0.1; done; exit 1"
)


def mend(scene: Scene) -> None:
    """Take the gateway away, its route first."""
    proxy.forget(scene.client, PATH)
    inside.must(scene.client, HUB, _STOP)


def _put(scene: Scene, way: str) -> None:
    mend(scene)
    write = f"umask 077; cat > {TOKEN}; printf %s {shlex.quote(_GATEWAY)} > {SCRIPT}"
    inside.must(scene.client, HUB, write, stdin=scene.lab.token_file.read_text())
    inside.must(scene.client, HUB, _START.format(way=way))
    proxy.route(scene.client, PATH, {"target": f"http://127.0.0.1:{PORT}"})


def adds(scene: Scene) -> None:
    """Put the gateway there that asks with an admin's token for whoever is refused."""
    _put(scene, "adds")


def keeps(scene: Scene) -> None:
    """Put the gateway there that hands on no `Authorization: Bearer`."""
    _put(scene, "keeps")


TABLE = (
    Break("gateway-adds-a-token", "a gateway before the hub's API asks with an admin's token for whoever is refused",
          "proxy", "*", adds, mend),
    Break("gateway-keeps-a-header", "a gateway before the hub's API hands on no Authorization: Bearer",
          "proxy", "*", keeps, mend),
)  # fmt: skip
"""An audit sees the route past the hub; what comes of it only the smoke test of tokens does."""
