"""What is done through the ssh door: a batch of actions in the container, the container itself, and the lock."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterator

from hubspec.cluster import ssh_script
from hubspec.cluster.answer import Said
from hubspec.cluster.lines import lines
from hubspec.cluster.lock import BATCH_LIMIT, RELEASE, holding, wait_for
from hubspec.cluster.ssh_door import SshDoor
from hubspec.cluster.ssh_script import Remote
from hubspec.errors import DoorError

_CHUNK = 2**16


class SshWorker:
    """Works on the container of an ssh door. `stopped` says whether the run was interrupted."""

    def __init__(self, door: SshDoor, stopped: Callable[[], bool]) -> None:
        """Nothing is done yet."""
        self._door, self._stopped = door, stopped

    def act(self, script: str, hear: Callable[[str], None], *, stop: str) -> None:
        """Run a script as root, given on standard input, and hand on each line of its output as it comes.

        Where the run is interrupted, `stop` is run beside it, once: the script then ends by itself after what is under way.
        Raises DoorError where the connection breaks, the engine refuses, the container ends, or it takes too long; the lines
        so far were heard, and nothing is done a second time.
        """
        told = [False]

        def tick() -> None:
            if self._stopped() and not told[0]:
                told[0] = True
                self._door.run(stop)

        with self._started("sh") as job:
            job.send(script, last=True)
            for line in job.lines(BATCH_LIMIT, tick):
                hear(line)
            job.end(RELEASE)
            code = job.status()
            if code != 0:
                raise job.broken() if code is None else self._ended(code)

    def manage(self, argv: list[str]) -> str:
        """Do what `docker start NAME`, `docker restart NAME` or `docker update --restart POLICY NAME` does. Raises DoorError."""
        match argv:
            case ["docker", "start" | "restart", _] | ["docker", "update", "--restart", _, _]:
                door = self._door
                remote = ssh_script.managing(door.container, door.line.target.rights, *argv[1:])
                door.answer(remote, door.ask(remote)).done()
            case _:
                raise DoorError(f"nothing here knows how to do: {shlex.join(argv)}")
        return ""

    @contextlib.contextmanager
    def lock(self, about: str, seconds: float) -> Iterator[None]:
        """Hold the cluster's lock, at most for so long; `about` tells others who holds it.

        Raises LockedError with what the holder says of itself, DoorError where no lock can be had.
        """
        self._door.run(":")  # a container that does not run says so in the door's own words
        with self._started(*holding(about, seconds)) as job:
            wait_for(job.lines(self._door.deadline), job.status, self._door.container)
            try:
                yield
            finally:
                job.end(RELEASE)

    @contextlib.contextmanager
    def _started(self, *command: str) -> Iterator[_Job]:
        door = self._door
        remote = ssh_script.carrying(door.container, door.line.target.rights, *command)
        with tempfile.TemporaryFile() as errors, door.line.started(remote.command, errors) as process:
            job = _Job(door, remote, process, errors.fileno())
            job.send(remote.text)
            yield job

    def _ended(self, code: int) -> DoorError:
        return DoorError(f"the container {self._door.container} ended it with status {code}")


class _Job:
    """One command in the container, started through the master node."""

    def __init__(self, door: SshDoor, remote: Remote, process: subprocess.Popen[bytes], errors: int) -> None:
        self._door, self._remote, self._process, self._errors = door, remote, process, errors
        self._printed = b""

    def send(self, what: bytes | str, *, last: bool = False) -> None:
        """Give it some of its standard input, with `last` the end of it. What ended already takes none."""
        assert self._process.stdin
        with contextlib.suppress(OSError):
            self._process.stdin.write(what if isinstance(what, bytes) else what.encode())
            self._process.stdin.flush()
        if last:
            self._close()

    def lines(self, deadline: float, tick: Callable[[], None] = lambda: None) -> Iterator[str]:
        """Yield each line that the container printed, as it comes. Raises DoorError after `deadline` seconds."""
        begin, end = f"{self._remote.nonce} begin run .", f"{self._remote.nonce} end run "
        begun = blank = False
        for line in lines(self._chunks(), deadline, tick):
            if not begun or (line.startswith(end) and line.endswith(" .")):
                self._printed += f"\n{line}\n".encode()
                begun = begun or line == begin
                if line.startswith(end):
                    return
                continue
            # The mark begins on a line of its own: an empty one before it is not the container's.
            if blank:
                yield ""
            blank = not line
            if line:
                yield line

    def end(self, seconds: float) -> None:
        """Close its standard input, and wait so long for its end."""
        self._close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def status(self) -> int | None:
        """Return its exit code, None where that was never told."""
        part = self._remote.part(self._printed, "run")
        return part[1] if part else None

    def broken(self) -> DoorError:
        """Return why nobody knows how it ended."""
        said = os.pread(self._errors, _CHUNK, 0)
        code = self._process.poll()
        return self._door.broken(self._remote, Said(-1 if code is None else code, self._printed, said))

    def _chunks(self) -> Iterator[bytes]:
        assert self._process.stdout
        while data := os.read(self._process.stdout.fileno(), _CHUNK):
            yield data

    def _close(self) -> None:
        assert self._process.stdin
        with contextlib.suppress(OSError):
            self._process.stdin.close()
