"""Many hubs on loopback, each on an address of its own at port 9443: some answer after a while, some never."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.certificates import certificate, pair

PORT = 9443
USERS = [{"name": "jovyan", "admin": True, "groups": [], "servers": {}, "kind": "user", "created": None}]


@dataclass
class Hubs:
    """Where they are, those that never answer, and how often each was asked. `delay` is in seconds, before each answer."""

    addresses: list[str]
    silent: set[str] = field(default_factory=set)
    delay: float = 0.0
    fingerprint: str = ""
    asked: dict[str, int] = field(default_factory=dict)

    async def met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = writer.get_extra_info("sockname")[0]
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.asked[mine] = self.asked.get(mine, 0) + 1
                if mine in self.silent:
                    await asyncio.Event().wait()
                await asyncio.sleep(self.delay)
                path = head.split(b" ", 2)[1].decode().partition("?")[0]
                told = json.dumps({"version": "1.5.0"} if path.endswith("/hub/api") else USERS).encode()
                about = f"HTTP/1.1 200 OK\r\nX-JupyterHub-Version: 1.5.0\r\nContent-Length: {len(told)}\r\n\r\n"
                writer.write(about.encode() + told)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()


def addresses(count: int) -> list[str]:
    """Return that many addresses of this machine alone."""
    return [f"127.77.{number // 200}.{number % 200 + 1}" for number in range(count)]


@contextlib.contextmanager
def serving(hubs: Hubs, folder: Path) -> Iterator[Hubs]:
    """Serve them until the block ends."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = certificate(key)
    hubs.fingerprint = made.fingerprint(hashes.SHA256()).hex()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair(folder, key, made))
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # a client that goes away is the point
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def begin() -> asyncio.Server:
        return await asyncio.start_server(hubs.met, hubs.addresses, PORT, ssl=context, backlog=64)

    async def end() -> None:
        server.close()
        mine = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(begin(), loop).result(30)
    try:
        yield hubs
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
