"""The same audit of the lab through docker and through ssh, with a network between that takes its time.

The delay is a relay's: each byte waits for half of it on its way, and a new connection for all of it once. What the kernel
itself would do (netem) is not to be had on every machine; the relay counts the same round trips.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import lab
from benchmarks.clock import Contender, in_turns
from benchmarks.contenders import PYTEST
from benchmarks.page import table
from lab.model import HUB

DELAY = 0.1
"""Seconds that a round trip takes longer."""
GOAL = 1.0
"""Seconds that ssh may cost more than docker then."""
CHUNK = 2**16


def table_of_doors(folder: Path, repeat: int) -> str:
    """Time both doors, with the delay and without, and return the table."""
    rows = []
    for delay in (0.0, DELAY):
        with _away(delay) as ports:
            docker, ssh = (_audit(folder, door, delay, ports) for door in ("docker", "ssh"))
            in_turns([docker, ssh], repeat, HUB)
        more = ssh.seconds - docker.seconds
        rows.append((f"{delay * 1000:.0f}", f"{docker.seconds:.2f}", f"{ssh.seconds:.2f}", f"**{more:+.2f}**"))
    head = ("added to a round trip ms", "docker s", "ssh s", "ssh costs more s")
    about = "The hub and the AWS API are as far away as the SSH server is; the Docker engine of the docker door is on this machine.\n\n"
    return f"## The ssh door (goal: at most {GOAL:g} s more than docker, at {DELAY * 1000:.0f} ms)\n\n{about}{table(head, rows)}"


def _audit(folder: Path, door: str, delay: float, ports: dict[int, int]) -> Contender:
    here = lab.status()
    assert here is not None
    config = folder / f"ssh_config-{delay:g}"
    lines = here.ssh_config.read_text().splitlines()
    lines = [f"  Port {ports[here.ssh_port]}" if line.strip().startswith("Port") else line for line in lines]
    config.write_text("\n".join([*lines, f"  HostKeyAlias [localhost]:{here.ssh_port}"]) + "\n")
    hub = int(here.hub_url.rpartition(":")[2])
    environment = here.env | {
        "HUBSPEC_HUB_URL": f"https://localhost:{ports[hub]}",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports[here.aws_port]}",
        "HUBSPEC_SSH_CONFIG": str(config),
        "HUBSPEC_DOOR": door,
    }
    command = [*PYTEST, "checks", "--cluster", here.cluster_id, "--reports", "{folder}/reports"]
    # One that could not look is quicker, and counts for nothing.
    return Contender(f"{door}-{delay:g}", command, environment, folder, ok=(0,))


@contextlib.contextmanager
def _away(delay: float) -> Iterator[dict[int, int]]:
    """Yield port of the lab -> port here that leads to it, slowly."""
    here = lab.status()
    assert here is not None
    ports = (here.ssh_port, int(here.hub_url.rpartition(":")[2]), here.aws_port)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        opened = {port: asyncio.run_coroutine_threadsafe(_relay(port, delay), loop).result(10) for port in ports}
        yield {port: server.sockets[0].getsockname()[1] for port, server in opened.items()}
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _relay(port: int, delay: float) -> asyncio.Server:
    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(delay)  # the handshake of TCP
        there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_carry(reader, there[1], delay / 2), _carry(there[0], writer, delay / 2))

    return await asyncio.start_server(met, "127.0.0.1", 0)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, data = await arrived.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not data:
                break
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()

    task = asyncio.create_task(deliver())
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            arrived.put_nowait((loop.time() + delay, data))
    arrived.put_nowait((loop.time() + delay, b""))
    with contextlib.suppress(OSError):
        await task
