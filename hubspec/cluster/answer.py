"""What a program for the master node answered, whichever door it went through: a container described and looked into."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hubspec.cluster import ssh_faults
from hubspec.cluster.not_running import must_run, refused
from hubspec.cluster.ssh_script import Remote
from hubspec.door import Look
from hubspec.errors import DoorError

_REFUSED = {126, 127}
_ENGINES = ("Error response from daemon", "Cannot connect to the Docker daemon", "sudo: ")
"""What the words of docker and sudo themselves begin with, where nothing was run."""


@dataclass(frozen=True)
class Said:
    """What a command on the master node printed, its exit code, and in how many seconds, where that was told."""

    code: int
    out: bytes
    err: bytes
    took: float = 0


@dataclass(frozen=True)
class Place:
    """Which container on which machine, and who works there: for the words of an error."""

    container: str
    host: str
    user: str

    def refusal(self, said: str, deed: str = "look into") -> DoorError:
        """Return why a `docker` command was not done there."""
        return ssh_faults.engine(said, f"{deed} {self.container}", host=self.host, user=self.user)


@dataclass(frozen=True)
class Answer:
    """The answer to one program. `broken` gives the error of one that did not come to its end."""

    place: Place
    remote: Remote
    said: Said
    broken: Callable[[], DoorError]

    def look(self, *, others: bool) -> Look:
        """Return what it shows of the container and of those beside it. Raises DoorError; an absent one has no `inspect`."""
        about = self._inspected()
        around = self._others() if others else {}
        if about is None:
            return Look(None, around, "", "")
        must_run(self.place.container, about)
        code, stdout, stderr = self.ran()
        if code in _REFUSED:
            raise refused(self.place.container, code, stdout + stderr)
        if code and not stdout and stderr.lstrip().startswith(_ENGINES):
            raise self.place.refusal(stderr)
        return Look(about, around, stdout, stderr)

    def log(self) -> str:
        """Return what `docker logs` printed. Raises DoorError."""
        code, stdout, stderr = self.ran()
        if code:
            raise DoorError(f"the log of {self.place.container} cannot be had: {ssh_faults.last(stderr)}")
        return stdout + stderr

    def done(self) -> None:
        """Return where a `docker` command succeeded. Raises DoorError."""
        code, _, stderr = self.ran()
        if code:
            raise self.place.refusal(stderr, "work on")

    def ran(self) -> tuple[int, str, str]:
        """Return the status of what was run, and its two streams. Raises DoorError where it did not come to its end."""
        ran, errors = self.remote.part(self.said.out, "run"), self.remote.part(self.said.err, "run")
        if ran is None:
            raise self.broken()
        return ran[1], text(ran[0]), text(errors[0] if errors else b"")

    def _inspected(self) -> dict[str, Any] | None:
        part, errors = self.remote.part(self.said.out, "inspect"), self.remote.part(self.said.err, "inspect")
        if part is None:
            raise self.broken()
        words = text(errors[0]) if errors else ""
        if part[1] == 0:
            try:
                about: dict[str, Any] = json.loads(part[0])[0]
            except (ValueError, LookupError):
                raise DoorError(f"docker inspect on {self.place.host} answered no JSON") from None
            return about
        if "o such " in words:
            return None
        raise self.place.refusal(words)

    def _others(self) -> dict[str, str]:
        part, errors = self.remote.part(self.said.out, "others"), self.remote.part(self.said.err, "others")
        if part is None:
            raise self.broken()
        if part[1]:
            raise self.place.refusal(text(errors[0]) if errors else "")
        pairs = (line.partition(" ") for line in text(part[0]).splitlines() if line.strip())
        named = {names.partition(",")[0]: image for names, _, image in pairs}
        return {name: image for name, image in named.items() if name != self.place.container}


def text(raw: bytes) -> str:
    """Return what was printed as text; what is no UTF-8 becomes its escapes."""
    return raw.decode("utf-8", "backslashreplace")
