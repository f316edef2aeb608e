"""The docker door: the engine in the environment, by the Docker SDK (Engine API 1.41 and later)."""

from __future__ import annotations

import math
import os
import socket
import threading
from datetime import datetime
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.utils import kwargs_from_env
from docker.utils.socket import frames_iter
from requests.exceptions import RequestException

from hubspec.cluster.not_running import late, must_run, refused
from hubspec.cluster.proxies import of_engine
from hubspec.cluster.ssh_script import whole, within
from hubspec.door import Look
from hubspec.errors import DoorError, ShutError

_DEFAULT = "unix:///var/run/docker.sock"


class DockerDoor:
    """One container on the engine that DOCKER_HOST names, or on the local socket.

    `label` limits what counts as another container beside it (KEY=VALUE). `deadline` is in seconds, for each of its
    three requests: inspect, list, exec.
    """

    name = "docker"

    def __init__(self, container: str, *, label: str | None = None, deadline: float = 60) -> None:
        """Name the container; nothing is asked of the engine yet."""
        self.container, self.label, self.deadline = container, label, deadline
        self.command = f"docker exec -i {container} sh"
        self.trips: dict[str, int] = {}

    def look(self, script: str, *, others: bool) -> Look:
        """Describe the container, and run the script in it as root, given on standard input.

        Raises DoorError with the next step where the engine does not answer, the container does not run, the exec
        is refused, or the deadline passes.
        """
        if _host().startswith("ssh:"):
            raise DoorError(
                f"DOCKER_HOST is {_host()}: over ssh it leads to an engine as ssh://USER@HOST:PORT, without anything behind that"
            )
        try:
            api = docker.APIClient(**_environment(), timeout=math.ceil(self.deadline), version="auto")
        except DockerException as error:
            raise _shut(error) from None
        try:
            around = self._others(api) if others else {}
            about = self._inspect(api)
            if about is None:
                return Look(None, around, "", "")
            stdout, stderr = self._run(api, script)
        except APIError as error:
            raise DoorError(
                f"the Docker engine refused to look into {self.container}: {error.explanation or error}"
            ) from None
        except (DockerException, RequestException, OSError) as error:
            raise DoorError(f"the Docker engine at {_host()} broke off: {_last(error)}") from None
        finally:
            api.close()
        return Look(about, around, stdout, stderr)

    def run(self, script: str) -> tuple[str, str]:
        """Run a script in the container as root and return its two streams. Raises DoorError as `look` does."""
        look = self.look(script, others=False)
        if look.inspect is None:
            message = f"there is no container {self.container} on the Docker engine at {_host()}"
            raise DoorError(message)
        return look.stdout, look.stderr

    def log(self, since: datetime, lines: int) -> str:
        """Return the last lines that the container said since then. Raises DoorError."""
        try:
            api = docker.APIClient(**_environment(), timeout=math.ceil(self.deadline), version="auto")
            try:
                told = api.logs(self.container, since=int(since.timestamp()), tail=lines)
            finally:
                api.close()
        except (DockerException, RequestException, OSError) as error:
            raise DoorError(f"the log of {self.container} cannot be had: {_last(error)}") from None
        return bytes(told).decode("utf-8", "backslashreplace")

    def _inspect(self, api: Any) -> dict[str, Any] | None:
        self._count("engine inspect")
        try:
            about: dict[str, Any] = api.inspect_container(self.container)
        except NotFound:
            return None
        must_run(self.container, about)
        return about

    def _others(self, api: Any) -> dict[str, str]:
        self._count("engine list")
        filters = {"label": self.label} if self.label else {}
        names = {entry["Names"][0].lstrip("/"): entry["Image"] for entry in api.containers(all=True, filters=filters)}
        return {name: image for name, image in names.items() if name != self.container}

    def _run(self, api: Any, script: str) -> tuple[str, str]:
        self._count("container exec")
        limit = whole(self.deadline) + 1  # the door gives up first, and says so
        job = api.exec_create(
            self.container, ["sh", "-c", within(limit)], user="0", stdin=True, stdout=True, stderr=True
        )["Id"]
        stream = api.exec_start(job, socket=True)
        raw: socket.socket = getattr(stream, "_sock", stream)
        cut_off = threading.Event()

        def cut() -> None:
            cut_off.set()
            raw.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self.deadline, cut)
        timer.daemon = True  # an interrupted run does not wait for it
        timer.start()
        streams: dict[int, list[bytes]] = {1: [], 2: []}
        try:
            raw.sendall(script.encode())
            raw.shutdown(socket.SHUT_WR)
            for number, data in frames_iter(stream, tty=False):
                streams[number].append(data)
        except OSError:
            if not cut_off.is_set():
                raise
        finally:
            timer.cancel()
            stream.close()
            raw.close()
        stdout, stderr = (b"".join(streams[number]).decode("utf-8", "backslashreplace") for number in (1, 2))
        if cut_off.is_set():
            raise late(self.container, self.deadline)
        code = api.exec_inspect(job)["ExitCode"]
        if code in {126, 127}:
            raise refused(self.container, code, stdout + stderr)
        return stdout, stderr

    def _count(self, sort: str) -> None:
        self.trips[sort] = self.trips.get(sort, 0) + 1


def _shut(error: DockerException) -> ShutError:
    if "Permission denied" in str(error):
        what, then = f"this user may not use the Docker engine at {_host()}", "join the group docker, and log in anew"
        return ShutError(what, "docker", then, _last(error))
    what, then = f"no Docker engine answers at {_host()}", "start it (sudo systemctl start docker), or set DOCKER_HOST"
    return ShutError(what, "docker", then, f"{_last(error)}{of_engine(_host())}")


def _environment() -> dict[str, Any]:
    return dict(kwargs_from_env())


def _host() -> str:
    return os.environ.get("DOCKER_HOST", _DEFAULT)


def _last(error: BaseException) -> str:
    return str(error).strip().splitlines()[-1][-200:] if str(error).strip() else type(error).__name__
