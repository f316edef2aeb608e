"""Commands and files inside a container. What is secret goes through stdin, never through a command line."""

from __future__ import annotations

import io
import socket as sockets
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.model import LabError

if TYPE_CHECKING:
    from docker import DockerClient

STDERR = 2


@dataclass(frozen=True)
class Reply:
    """What a command left: its exit code and its two streams."""

    code: int
    out: str
    err: str


def run(client: DockerClient, container: str, script: str, *, stdin: str = "", cwd: str = "/") -> Reply:
    """Run a bash script in a container as root, with `stdin` as its standard input.

    Raises: LabError where the container does not exist or does not run.
    Source of fact: Docker Engine API, exec create/start (hijacked stream, frames of stdout and stderr).
    """
    from docker.errors import APIError
    from docker.utils.socket import frames_iter

    command = ["bash", "-c", script]
    try:
        job = client.api.exec_create(container, command, stdin=True, user="root", workdir=cwd)["Id"]
        stream: Any = client.api.exec_start(job, socket=True)
    except APIError as error:
        raise LabError(
            f"nothing can be run in {container}", last=str(error.explanation), then="python -m lab status"
        ) from error
    link: sockets.socket = stream._sock  # noqa: SLF001 - the SDK has no other way to close one direction only
    link.sendall(stdin.encode())
    link.shutdown(sockets.SHUT_WR)
    texts = {1: bytearray(), STDERR: bytearray()}
    for kind, body in frames_iter(stream, tty=False):
        texts[kind].extend(body)
    # The SDK leaves three handles on the one connection.
    for handle in (getattr(stream, "_response", stream), stream, link):
        handle.close()
    code = int(client.api.exec_inspect(job)["ExitCode"])
    return Reply(code, texts[1].decode(errors="replace"), texts[STDERR].decode(errors="replace"))


def must(client: DockerClient, container: str, script: str, *, stdin: str = "", cwd: str = "/") -> str:
    """Run a script as `run` does; answer its stdout. Raises: LabError where it exits other than 0."""
    reply = run(client, container, script, stdin=stdin, cwd=cwd)
    if reply.code:
        raise LabError(
            f"a command in {container} failed with exit code {reply.code}",
            wanted=script.strip().splitlines()[0],
            last=(reply.out + reply.err)[-1500:],
            then="python -m lab shell",
        )
    return reply.out


def read_folder(client: DockerClient, container: str, folder: str) -> dict[str, bytes]:
    """Answer the plain files directly in a folder of a container, running or not, by name."""
    from docker.errors import APIError

    try:
        chunks, _ = client.api.get_archive(container, folder)
    except APIError:
        return {}
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        for entry in tar.getmembers():
            body = tar.extractfile(entry) if entry.isfile() and entry.name.count("/") == 1 else None
            if body is not None:
                found[entry.name.split("/")[1]] = body.read()
    return found


def write_file(client: DockerClient, container: str, folder: str, name: str, body: bytes) -> None:
    """Write a file (0600, root) into a container, running or not."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(body), 0o600
        tar.addfile(entry, io.BytesIO(body))
    client.api.put_archive(container, folder, packed.getvalue())
