"""The ssh door: the container by the engine of the master node, in one round trip over the connection that is held."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from typing import Any

from hubspec.cluster import ssh_faults, ssh_script
from hubspec.cluster.not_running import late, must_run, refused
from hubspec.cluster.ssh import LateError, Said, SshLine
from hubspec.cluster.ssh_script import Remote
from hubspec.door import Look
from hubspec.errors import DoorError, ShutError

_REFUSED = {126, 127}
_ENGINES = ("Error response from daemon", "Cannot connect to the Docker daemon", "sudo: ")
"""What the words of docker and sudo themselves begin with, where nothing was run."""


class SshDoor:
    """One container on the master node. `label` limits what counts as another container beside it (KEY=VALUE).

    `deadline` is in seconds, for all that one look asks; the login has a deadline of its own.
    """

    name = "ssh"

    def __init__(self, line: SshLine, container: str, *, label: str | None = None, deadline: float = 60) -> None:
        """Name the container; nothing is asked of the master node yet."""
        self.line, self.container, self.label, self.deadline = line, container, label, deadline
        self._how, self._trips = "", 0
        self._logins = line.logins
        self._lock = threading.Lock()

    @property
    def command(self) -> str:
        """Return what is run, by whom, and where."""
        sudo = "" if self._how == "plain" else "sudo "
        return f"ssh {self.line.target} {sudo}docker exec -i {self.container} sh"

    @property
    def how(self) -> str:
        """Return how root's rights were had there: plain, sudo or password; empty as long as nobody looked."""
        return self._how

    @property
    def trips(self) -> dict[str, int]:
        """Return the round trips by sort; a login that an earlier reading made is not among them."""
        logins = self.line.logins - self._logins
        return ({"ssh login": logins} if logins else {}) | ({"ssh command": self._trips} if self._trips else {})

    def look(self, script: str, *, others: bool) -> Look:
        """Describe the container, and run the script in it as root, in one round trip.

        Raises DoorError with the next step where the login fails, sudo or the engine refuses, the container does not run,
        the deadline passes, or the connection breaks off; nothing is asked a second time.
        """
        rights = self.line.target.rights
        remote = ssh_script.looking(self.container, rights, others=others, label=self.label)
        said = self.ask(remote, script)
        about = self._inspected(remote, said)
        around = self._others(remote, said) if others else {}
        if about is None:
            return Look(None, around, "", "")
        must_run(self.container, about)
        stdout, stderr = self.ended(remote, said)
        return Look(about, around, stdout, stderr)

    def run(self, script: str) -> tuple[str, str]:
        """Run a script in the container as root and return its two streams. Raises DoorError as `look` does."""
        look = self.look(script, others=False)
        if look.inspect is None:
            raise DoorError(f"there is no container {self.container} on {self.line.target.host}")
        return look.stdout, look.stderr

    def log(self, since: datetime, lines: int) -> str:
        """Return the last lines that the container said since then. Raises DoorError."""
        words = ("logs", "--since", str(int(since.timestamp())), "--tail", str(lines), self.container)
        remote = ssh_script.managing(self.container, self.line.target.rights, *words)
        code, stdout, stderr = self._ran(remote, self.ask(remote))
        if code:
            raise DoorError(f"the log of {self.container} cannot be had: {ssh_faults.last(stderr)}")
        return stdout + stderr

    def ask(self, remote: Remote, script: str = "") -> Said:
        """Run a program on the master node, with what goes to the container behind it. Raises DoorError."""
        self.line.open()
        with self._lock:
            self._trips += 1
        try:
            said = self.line.run(remote.command, remote.text + script.encode(), self.deadline)
        except LateError as error:
            raise late(self.container, self.deadline) if remote.begun(error.said.out, "run") else error from None
        self.heard(remote, said.out)
        return said

    def heard(self, remote: Remote, out: bytes) -> None:
        """Note how root's rights were had, from what was printed."""
        self._how = remote.how(out) or self._how

    def ended(self, remote: Remote, said: Said) -> tuple[str, str]:
        """Return the two streams of what was run in the container, whatever its status. Raises DoorError where it was not."""
        code, stdout, stderr = self._ran(remote, said)
        if code in _REFUSED:
            raise refused(self.container, code, stdout + stderr)
        if code and not stdout and stderr.lstrip().startswith(_ENGINES):
            raise self._refusal(stderr)
        return stdout, stderr

    def done(self, remote: Remote, said: Said) -> None:
        """Return where a `docker` command succeeded. Raises DoorError."""
        code, _, stderr = self._ran(remote, said)
        if code:
            raise self._refusal(stderr, "work on")

    def _ran(self, remote: Remote, said: Said) -> tuple[int, str, str]:
        ran, errors = remote.part(said.out, "run"), remote.part(said.err, "run")
        if ran is None:
            raise self.broken(remote, said)
        return ran[1], text(ran[0]), text(errors[0] if errors else b"")

    def broken(self, remote: Remote, said: Said) -> DoorError:
        """Return why an answer did not come to its end."""
        target = self.line.target
        words = ssh_faults.last(text(said.err) if said.err.strip() else text(said.out))
        if not remote.how(said.out):
            if self.line.alive:
                what = f"the shell of {target.user} on {target.host} ran nothing (status {said.code})"
                return ShutError(what, "shell", "does its profile end it?", words)
            return DoorError(f"the connection to {target.host} broke off ({self.line.complaint or words})")
        if self.line.alive:
            return DoorError(f"the answer of {target.host} broke off (status {said.code}; {words})")
        return DoorError(
            f"the connection to {target.host} broke off in the middle of the answer ({self.line.complaint or words})"
        )

    def _inspected(self, remote: Remote, said: Said) -> dict[str, Any] | None:
        part, errors = remote.part(said.out, "inspect"), remote.part(said.err, "inspect")
        if part is None:
            raise self.broken(remote, said)
        words = text(errors[0]) if errors else ""
        if part[1] == 0:
            try:
                about: dict[str, Any] = json.loads(part[0])[0]
            except (ValueError, LookupError):
                raise DoorError(f"docker inspect on {self.line.target.host} answered no JSON") from None
            return about
        if "o such " in words:
            return None
        raise self._refusal(words)

    def _others(self, remote: Remote, said: Said) -> dict[str, str]:
        part, errors = remote.part(said.out, "others"), remote.part(said.err, "others")
        if part is None:
            raise self.broken(remote, said)
        if part[1]:
            raise self._refusal(text(errors[0]) if errors else "")
        pairs = (line.partition(" ") for line in text(part[0]).splitlines() if line.strip())
        named = {names.partition(",")[0]: image for names, _, image in pairs}
        return {name: image for name, image in named.items() if name != self.container}

    def _refusal(self, said: str, deed: str = "look into") -> DoorError:
        target = self.line.target
        return ssh_faults.engine(said, f"{deed} {self.container}", host=target.host, user=target.user)


def text(raw: bytes) -> str:
    """Return what was printed as text; what is no UTF-8 becomes its escapes."""
    return raw.decode("utf-8", "backslashreplace")
