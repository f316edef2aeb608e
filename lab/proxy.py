"""The REST API of the hub's proxy, as the lab needs it: asked inside the container, with the token of the proxy's own process."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from lab import inside
from lab.model import HUB

if TYPE_CHECKING:
    from docker import DockerClient

# The proxy's token is in its environment only (JupyterHub 0.8 and later, `proxy.py`).
_ASK = r"""
import os, sys, urllib.error, urllib.request
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        words = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")
        if any(word.endswith(b"/configurable-http-proxy") for word in words):
            pairs = open(f"/proc/{pid}/environ", "rb").read().decode().split("\0")
    except OSError:
        continue
token = dict(pair.partition("=")[::2] for pair in pairs).get("CONFIGPROXY_AUTH_TOKEN", "")
url = "http://127.0.0.1:8001/api/routes" + sys.argv[2]
headers = {"Authorization": f"token {token}"}
try:
    urllib.request.urlopen(urllib.request.Request(url, sys.stdin.buffer.read() or None, headers, method=sys.argv[1]))
except urllib.error.HTTPError as error:
    if (sys.argv[1], error.code) != ("DELETE", 404):
        raise
"""


def route(client: DockerClient, path: str, data: dict[str, object]) -> None:
    """Put a route into the proxy. Raises: LabError where it refuses."""
    _ask(client, "POST", path, json.dumps(data))


def forget(client: DockerClient, path: str) -> None:
    """Take a route out of the proxy; one that is gone is fine. Raises: LabError where it refuses."""
    _ask(client, "DELETE", path, "")


def _ask(client: DockerClient, method: str, path: str, body: str) -> None:
    inside.must(client, HUB, f"python3 -c {shlex.quote(_ASK)} {method} {shlex.quote(path)}", stdin=body)
