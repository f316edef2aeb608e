"""The ssh door: the container by the engine of the master node, in one round trip over the connection that is held."""

from __future__ import annotations

import threading
from datetime import datetime

from hubspec.cluster import ssh_faults, ssh_script
from hubspec.cluster.answer import Answer, Place, Said, text
from hubspec.cluster.not_running import late
from hubspec.cluster.ssh import LateError, SshLine
from hubspec.cluster.ssh_script import Remote
from hubspec.door import Look
from hubspec.errors import DoorError, ShutError


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
        limit = ssh_script.whole(self.deadline) + 1  # the door gives up first, and says so
        remote = ssh_script.looking(self.container, rights, others=others, label=self.label, limit=limit)
        return self.answer(remote, self.ask(remote, script)).look(others=others)

    def run(self, script: str) -> tuple[str, str]:
        """Run a script in the container as root and return its two streams. Raises DoorError as `look` does."""
        look = self.look(script, others=False)
        if look.inspect is None:
            raise DoorError(f"there is no container {self.container} on {self.line.target.host}")
        return look.stdout, look.stderr

    def log(self, since: datetime, lines: int) -> str:
        """Return the last lines that the container said since then. Raises DoorError."""
        remote = ssh_script.logging(self.container, self.line.target.rights, since, lines)
        return self.answer(remote, self.ask(remote)).log()

    def ask(self, remote: Remote, script: str = "") -> Said:
        """Run a program on the master node, with what goes to the container behind it. Raises DoorError."""
        self.line.open()
        with self._lock:
            self._trips += 1
        try:
            said = self.line.run(remote.command, remote.text + script.encode(), self.deadline)
        except LateError as error:
            raise late(self.container, self.deadline) if remote.begun(error.said.out, "run") else error from None
        self._how = remote.how(said.out) or self._how
        return said

    def answer(self, remote: Remote, said: Said) -> Answer:
        """Return what a program answered, to be read."""
        target = self.line.target
        return Answer(Place(self.container, target.host, target.user), remote, said, lambda: self.broken(remote, said))

    def broken(self, remote: Remote, said: Said) -> DoorError:
        """Return why an answer did not come to its end."""
        target = self.line.target
        words = ssh_faults.last(text(said.err) if said.err.strip() else text(said.out))
        alive = not self.line.ended(1.0) if said.code == ssh_faults.OWN else self.line.alive
        if not remote.how(said.out):
            if alive:
                what = f"the shell of {target.user} on {target.host} ran nothing (status {said.code})"
                return ShutError(what, "shell", "does its profile end it?", words)
            return DoorError(f"the connection to {target.host} broke off ({self.line.complaint or words})")
        if alive:
            return DoorError(f"the answer of {target.host} broke off (status {said.code}; {words})")
        return DoorError(
            f"the connection to {target.host} broke off in the middle of the answer ({self.line.complaint or words})"
        )
