"""`python -m benchmarks.fleet.simulation FLEET.json`: the AWS API, the hubs and the containers of a fleet, over sockets of loopback.

A process of its own, so that what it costs is not taken for a cost of the audit. It says where it answers, and when its standard
input ends, how often it was asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import resource
import ssl
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.fleet.limits import Limits
from benchmarks.fleet.world import NONCE, Answers, Fleet, fleet
from tests.accounts import IDENTITY, PAGE
from tests.certificates import certificate, pair
from tests.many_hubs import PORT

JSON = "application/x-amz-json-1.1"


class Simulation:
    """What answers. `asked` counts by door, `most` is how many were asked at the same time."""

    def __init__(self, about: Fleet) -> None:
        self.about = about
        self.answers = [Answers(**json.loads(path.read_text(encoding="utf-8"))) for path in about.answers]
        self.clusters = {one.id: one for one in about.clusters}
        self.giant = about.clusters[-1].host if len(self.answers) > 1 else None
        self.limits = Limits()
        self.asked: Counter[str] = Counter()
        self.now = self.most = 0
        self.never = asyncio.Event()
        """What a cluster that hangs waits for. Held here: a task that nobody knows any more is taken away, and that is told."""

    def of(self, host: str) -> Answers:
        return self.answers[-1] if host == self.giant else self.answers[0]

    @contextlib.asynccontextmanager
    async def met(self, door: str, writer: asyncio.StreamWriter) -> Any:
        """Count who asks at a door, and take that a client goes away."""
        self.asked[door] += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                yield
        finally:
            self.now -= 1
            with contextlib.suppress(OSError):
                writer.close()

    async def aws(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self.met("aws connection", writer):
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                body = await reader.readexactly(int(_said(r"content-length: *(\d+)", head)[1]))
                region, service = _said(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", head).groups()
                if service == "sts":
                    status, mime, text = 200, "text/xml", IDENTITY
                else:
                    call = _said(r"x-amz-target: *\S+\.(\w+)", head)[1]
                    status, told = self.emr(call, region, json.loads(body))
                    mime, text = JSON, json.dumps(told)
                await asyncio.sleep(self.about.delay)
                writer.write(_http(status, {"Content-Type": mime}, text))

    def emr(self, call: str, region: str, given: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.asked[f"aws {call}"] += 1
        if self.about.limited and not self.limits.let(call, region, time.monotonic()):
            return 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}
        if call == "ListClusters":
            mine = [one.summary for one in self.clusters.values() if one.region == region]
            at = int(given.get("Marker", 0))
            return 200, {"Clusters": mine[at : at + PAGE]} | ({"Marker": str(at + PAGE)} if mine[at + PAGE :] else {})
        one = self.clusters.get(given.get("ClusterId", ""))
        if one is None or one.region != region:
            return 400, {"__type": "InvalidRequestException", "message": "Cluster id is not valid."}
        master = {"Id": "ci-1", "Ec2InstanceId": "i-1", "Status": {"State": "RUNNING"}, "PublicDnsName": one.host}
        told: dict[str, dict[str, Any]] = {
            "DescribeCluster": {"Cluster": one.description | {"InstanceCollectionType": "INSTANCE_GROUP"}},
            "ListSteps": {"Steps": []},
            "ListInstances": {"Instances": [master]},
        }
        return (200, told[call]) if call in told else (400, {"__type": "UnknownOperationException", "message": call})

    async def hub(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = writer.get_extra_info("sockname")[0]
        async with self.met("hub connection", writer):
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                path = head.split(" ", 2)[1].partition("?")[0]
                self.asked[f"hub GET {path}"] += 1
                status, headers, text = self.of(mine).pages.get(path, (404, {}, "{}"))
                await asyncio.sleep(self.about.delay)
                writer.write(_http(status, headers, text))
                await writer.drain()

    async def container(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = writer.get_extra_info("sockname")[0]
        async with self.met("container", writer):
            script = (await reader.read()).decode()
            fate = self.about.fate(mine)
            if fate == "hangs":
                await self.never.wait()
            await asyncio.sleep(self.about.delay)
            nonce = re.search(r"printf '([0-9a-f]{16}) begin", script)
            if fate != "fails" and nonce:
                writer.write(json.dumps(self.of(mine).look).replace(NONCE, nonce[1]).encode())
                await writer.drain()


def _said(pattern: str, head: str) -> re.Match[str]:
    found = re.search(pattern, head, re.IGNORECASE)
    if found is None:
        raise OSError(f"no request of AWS's: {head!r}")
    return found


def _http(status: int, headers: dict[str, str], text: str) -> bytes:
    body = text.encode()
    lines = [f"HTTP/1.1 {status} told", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def serve(about: Fleet, place: Path) -> None:
    sim = Simulation(about)
    key = ec.generate_private_key(ec.SECP256R1())
    made = certificate(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair(place, key, made))
    hosts = [str(one.host) for one in sim.clusters.values()]
    account = await asyncio.start_server(sim.aws, "127.0.0.1", 0, backlog=512)
    await asyncio.start_server(sim.hub, hosts, PORT, ssl=context, backlog=8)
    await asyncio.start_server(sim.container, hosts, about.port, backlog=8)
    url = f"http://127.0.0.1:{account.sockets[0].getsockname()[1]}"
    print(json.dumps({"url": url, "fingerprint": made.fingerprint(hashes.SHA256()).hex()}), flush=True)
    began = time.monotonic()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "asked": dict(sim.asked),
        "throttled": {call: count for call, count in sim.limits.refused.items() if count},
        "most": sim.most,
        "cpu": used.ru_utime + used.ru_stime,
        "seconds": time.monotonic() - began,
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="hubspec-fleet-") as folder:
        asyncio.run(serve(fleet(Path(sys.argv[1])), Path(folder)))
