"""An AWS account on loopback: clusters in regions, as the EMR API lists and describes them, over a real socket."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NUMBER = "123456789012"
PAGE = 50


class RefusedError(Exception):
    """What is answered instead: an error code of AWS, and its words."""


@dataclass
class Cluster:
    """A cluster of the account; `host` is the name that AWS gives its master node, None for none."""

    id: str
    name: str = "hub"
    region: str = "us-east-1"
    state: str = "WAITING"
    tags: dict[str, str] = field(default_factory=dict)
    applications: tuple[str, ...] = ("JupyterHub",)
    host: str | None = None

    @property
    def summary(self) -> dict[str, Any]:
        arn = f"arn:aws:elasticmapreduce:{self.region}:{NUMBER}:cluster/{self.id}"
        return {"Id": self.id, "Name": self.name, "Status": {"State": self.state}, "ClusterArn": arn}

    @property
    def description(self) -> dict[str, Any]:
        more = {"MasterPublicDnsName": self.host} if self.host else {}
        tags = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        return self.summary | more | {"Tags": tags, "Applications": [{"Name": name} for name in self.applications]}


@dataclass
class Account:
    """What is there, what was asked (call, region, arguments), and what is refused: (call or cluster id, region) -> code.

    `delay` is in seconds, before each answer. `rate` is how many requests a second are let through, after a burst of ten.
    """

    clusters: list[Cluster] = field(default_factory=list)
    refused: dict[tuple[str, str], str] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    delay: float = 0.0
    rate: float | None = None
    url: str = ""
    throttled: int = 0
    most: int = 0
    _now: int = 0
    _left: float = 10.0
    _since: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def variables(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "k",
            "AWS_SECRET_ACCESS_KEY": "s",
        }

    def counts(self) -> dict[str, int]:
        calls = [call for call, _, _ in self.asked]
        return {call: calls.count(call) for call in sorted(set(calls))}

    def answer(self, call: str, region: str, given: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.asked.append((call, region, given))
            self._throttle()
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            time.sleep(self.delay)
            return self._told(call, region, given)
        finally:
            with self._lock:
                self._now -= 1

    def _throttle(self) -> None:
        if self.rate is None:
            return
        now = time.monotonic()
        self._left, self._since = min(10.0, self._left + (now - self._since) * self.rate), now
        if self._left < 1:
            self.throttled += 1
            raise RefusedError("ThrottlingException", "Rate exceeded")
        self._left -= 1

    def _told(self, call: str, region: str, given: dict[str, Any]) -> dict[str, Any]:
        code = self.refused.get((call, region)) or self.refused.get((given.get("ClusterId", ""), region))
        if code:
            raise RefusedError(code, "not this time")
        mine = [one for one in self.clusters if one.region == region]
        if call == "ListClusters":
            told = [one.summary for one in mine if one.state in given.get("ClusterStates", [one.state])]
            at = int(given.get("Marker", 0))
            more = {"Marker": str(at + PAGE)} if len(told) > at + PAGE else {}
            return {"Clusters": told[at : at + PAGE], **more}
        found = [one for one in mine if one.id == given["ClusterId"]]
        if not found:
            raise RefusedError("InvalidRequestException", f"Cluster id '{given['ClusterId']}' is not valid.")
        answers: dict[str, dict[str, Any]] = {
            "DescribeCluster": {"Cluster": found[0].description},
            "ListSteps": {"Steps": []},
        }
        return answers[call]


@contextlib.contextmanager
def serving(account: Account) -> Iterator[Account]:
    """Serve an account until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", self.headers["Authorization"])
            assert scope is not None
            if scope[2] == "sts":
                self.reply(200, "text/xml", IDENTITY.encode())
                return
            try:
                told = account.answer(self.headers["X-Amz-Target"].rpartition(".")[2], scope[1], json.loads(body))
            except RefusedError as error:
                told = {"__type": error.args[0], "message": error.args[1]}
                self.reply(400, "application/x-amz-json-1.1", json.dumps(told).encode())
            else:
                self.reply(200, "application/x-amz-json-1.1", json.dumps(told).encode())

        def reply(self, status: int, mime: str, body: bytes) -> None:
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Type", mime)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    account.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield account
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


IDENTITY = f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{NUMBER}:user/k</Arn><UserId>k</UserId><Account>{NUMBER}</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""
