"""The state folder `.lab/`: the facts and secrets of the lab that is up, kept also in the master node.

A second checkout on the same machine finds them there; the folder is only a copy.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from lab import inside
from lab.model import MASTER, ROOT, Lab

if TYPE_CHECKING:
    from docker import DockerClient

FOLDER = ROOT / ".lab"
KEPT = "/var/lib/hubspec-lab"
FACTS = "lab.json"
BROKEN = "broken.json"
MAKING = "making"
"""A file in the master node, as long as the lab is being made; one that is left says that this was cut short."""


def write(name: str, body: bytes) -> Path:
    """Write a file of the state folder, 0600 from its first byte in a folder of 0700; answer its path."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    fresh = FOLDER / f".{name}.{os.getpid()}"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(body)
    return fresh.replace(FOLDER / name)


def keep(client: DockerClient, name: str, body: bytes) -> Path:
    """Write a file here and in the master node."""
    inside.write_file(client, MASTER, KEPT, name, body)
    return write(name, body)


def save(client: DockerClient, lab: Lab) -> None:
    """Keep the facts; they are written last, so their presence says that `up` came to its end."""
    facts = asdict(lab)
    del facts["state"]
    for path in (lab.token_file, lab.passwords_file):
        inside.write_file(client, MASTER, KEPT, path.name, path.read_bytes())
    keep(client, FACTS, json.dumps(facts, indent=2).encode())


def begin(client: DockerClient) -> None:
    """Note in the master node that the lab is being made."""
    inside.write_file(client, MASTER, KEPT, MAKING, b"")


def end(client: DockerClient) -> None:
    """Note, last of all, that it was made to the end. The master node runs."""
    inside.must(client, MASTER, f"rm -f {KEPT}/{MAKING}")


def begun(client: DockerClient) -> bool:
    """Answer whether it is being made, or its making was cut short; the master node is there, running or not."""
    from docker.errors import NotFound

    try:
        client.api.get_archive(MASTER, f"{KEPT}/{MAKING}")
    except NotFound:
        return False
    return True


def load(client: DockerClient, master_id: str) -> Lab | None:
    """Answer the lab whose master node is `master_id`, or None where its `up` never came to its end."""
    known = _read()
    if known is None or known.master_id != master_id:
        for name, body in inside.read_folder(client, MASTER, KEPT).items():
            write(name, body)
        known = _read()
    if known is None or known.master_id != master_id:
        return None
    if not known.ssh_config.exists():
        write(known.ssh_config.name, _ssh_config(known).encode())
    return known


def _ssh_config(lab: Lab) -> str:
    lines = (
        "# The master node of the lab, as a user of EMR has one in ~/.ssh/config.",
        "Host localhost 127.0.0.1",
        f"  Port {lab.ssh_port}",
        "  User hadoop",
        f'  IdentityFile "{lab.ssh_key}"',
        "  IdentitiesOnly yes",
        f'  UserKnownHostsFile "{lab.known_hosts}"',
    )
    return "\n".join(lines) + "\n"


def forget() -> None:
    """Remove the state folder."""
    shutil.rmtree(FOLDER, ignore_errors=True)


def broken() -> list[str]:
    """Answer the breaks applied and not mended, as far as this folder knows."""
    file = FOLDER / BROKEN
    return list(json.loads(file.read_text())) if file.exists() else []


def note_broken(names: list[str]) -> None:
    """Remember which breaks are applied."""
    write(BROKEN, json.dumps(names).encode())


def _read() -> Lab | None:
    file = FOLDER / FACTS
    try:
        return Lab(**json.loads(file.read_text()), state=FOLDER)
    except (OSError, ValueError, TypeError):
        return None
