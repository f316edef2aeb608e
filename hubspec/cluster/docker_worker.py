"""What is done through the docker door: a batch of actions in the container, the container itself, and the lock."""

from __future__ import annotations

import contextlib
import math
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import docker
from docker.errors import APIError, DockerException
from docker.utils import kwargs_from_env
from requests.exceptions import RequestException

from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.exec import Exec
from hubspec.cluster.lock import BATCH_LIMIT, RELEASE, holding, wait_for
from hubspec.errors import DoorError


class DockerWorker:
    """Works on the container of a docker door. `stopped` says whether the run was interrupted."""

    def __init__(self, door: DockerDoor, stopped: Callable[[], bool]) -> None:
        """Nothing is done yet."""
        self._door, self._stopped = door, stopped

    def act(self, script: str, hear: Callable[[str], None], *, stop: str) -> None:
        """Run a script as root, given on standard input, and hand on each line of its output as it comes.

        Where the run is interrupted, `stop` is run beside it, once: the script then ends by itself after what is under way.
        Raises DoorError where the engine refuses, the container ends, or it takes too long; the lines so far were heard.
        """
        told = [False]

        def tick() -> None:
            if self._stopped() and not told[0]:
                told[0] = True
                self._door.run(stop)

        with self._open() as api, contextlib.closing(Exec(api, self._door.container, ["sh"])) as job:
            job.send(script)
            for line in job.lines(BATCH_LIMIT, tick):
                hear(line)
            code = job.status()
            if code != 0:
                raise DoorError(f"the container {self._door.container} ended it with status {code}")

    def manage(self, argv: list[str]) -> str:
        """Do what `docker start NAME`, `docker restart NAME` or `docker update --restart POLICY NAME` does. Raises DoorError."""
        with self._open() as api:
            match argv:
                case ["docker", "start", name]:
                    api.start(name)
                case ["docker", "restart", name]:
                    api.restart(name)
                case ["docker", "update", "--restart", policy, name]:
                    word, _, count = policy.partition(":")
                    api.update_container(name, restart_policy={"Name": word, "MaximumRetryCount": int(count or 0)})
                case _:
                    raise DoorError(f"nothing here knows how to do: {shlex.join(argv)}")
        return ""

    @contextlib.contextmanager
    def lock(self, about: str, seconds: float) -> Iterator[None]:
        """Hold the cluster's lock, at most for so long; `about` tells others who holds it.

        Raises LockedError with what the holder says of itself, DoorError where no lock can be had.
        """
        self._door.run(":")  # a container that does not run says so in the door's own words
        command = holding(about, seconds)
        with self._open() as api, contextlib.closing(Exec(api, self._door.container, command)) as job:
            wait_for(job.lines(self._door.deadline), job.status, self._door.container)
            try:
                yield
            finally:
                with contextlib.suppress(DockerException, RequestException):
                    job.end(RELEASE)

    @contextlib.contextmanager
    def _open(self) -> Iterator[Any]:
        name = self._door.container
        try:
            api = docker.APIClient(**kwargs_from_env(), timeout=math.ceil(self._door.deadline), version="auto")
        except DockerException as error:
            raise DoorError(f"no Docker engine answers: {error}") from None
        try:
            yield api
        except APIError as error:
            raise DoorError(f"the Docker engine refused to work on {name}: {error.explanation or error}") from None
        except (DockerException, RequestException, OSError) as error:
            raise DoorError(f"the Docker engine broke off: {error}") from None
        finally:
            api.close()
