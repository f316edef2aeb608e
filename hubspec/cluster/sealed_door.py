"""A container door that needs the APIs of AWS only: the same program as through ssh, carried by a step or by SSM, its answer sealed."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime
from typing import Protocol

from hubspec.cluster import ssh_faults, ssh_script
from hubspec.cluster.answer import Answer, Place, Said, text
from hubspec.cluster.not_running import late
from hubspec.cluster.seal import AFTER, Seal
from hubspec.cluster.ssh_script import Remote, Rights
from hubspec.door import Look
from hubspec.errors import DoorError

HOST = "the master node"


class Carrier(Protocol):
    """What takes a script to the master node, and brings back what it printed."""

    name: str
    trip: str
    """What one of its round trips is called."""
    user: str
    """Who runs the script there."""

    def carry(self, seal: Seal, script: str, limit: float) -> Said:
        """Return the answer to a script that ends within so many seconds. Raises DoorError."""


class SealedDoor:
    """One container on the master node. `label` limits what counts as another container beside it (KEY=VALUE).

    `deadline` is in seconds, for what runs on the master node; how long the way there and back may take is the carrier's.
    """

    def __init__(
        self,
        carrier: Carrier,
        container: str,
        *,
        rights: Rights | None = None,
        label: str | None = None,
        deadline: float = 60,
    ) -> None:
        """Name the container; nothing is asked of AWS yet."""
        self._carrier, self._rights = carrier, rights or Rights()
        self.name, self.container, self.label, self.deadline = carrier.name, container, label, deadline
        self._how = ""
        self._trips: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def command(self) -> str:
        """Return what is run, and by what."""
        sudo = "sudo " if self._how == "sudo" else ""
        return f"{self._carrier.trip}: {sudo}docker exec -i {self.container} sh"

    @property
    def trips(self) -> dict[str, int]:
        """Return the round trips by sort."""
        return dict(self._trips)

    def look(self, script: str, *, others: bool) -> Look:
        """Describe the container, and run the script in it as root, in one round trip.

        Raises DoorError with the next step where AWS refuses or does not bring the answer, sudo or the engine refuses, the container does
        not run, or the deadline passes; nothing is asked a second time.
        """
        limit = ssh_script.whole(self.deadline)
        remote = ssh_script.looking(self.container, self._rights, others=others, label=self.label, limit=limit)
        said = self._ask(remote, script)
        ran = remote.part(said.out, "run")
        if ran and ran[1] == ssh_faults.KILLED and said.took >= self.deadline:
            raise late(self.container, self.deadline)
        return self._answer(remote, said).look(others=others)

    def run(self, script: str) -> tuple[str, str]:
        """Run a script in the container as root and return its two streams. Raises DoorError as `look` does."""
        look = self.look(script, others=False)
        if look.inspect is None:
            raise DoorError(f"there is no container {self.container} on {HOST}")
        return look.stdout, look.stderr

    def log(self, since: datetime, lines: int) -> str:
        """Return the last lines that the container said since then. Raises DoorError."""
        remote = ssh_script.logging(self.container, self._rights, since, lines)
        return self._answer(remote, self._ask(remote)).log()

    @property
    def trip(self) -> str:
        """Return what one of its round trips is called."""
        return self._carrier.trip

    def there(self, user: str, script: str) -> tuple[str, str]:
        """Run a script on the master node itself, as that user where it would be root, and return its two streams. Raises DoorError."""
        shell = f"timeout -s KILL {ssh_script.whole(self.deadline)} sh"
        said = self._carried(
            f"runuser -u {user} -- {shell}" if self._carrier.user == "root" else shell, script.encode()
        )
        if said.code == ssh_faults.KILLED and said.took >= self.deadline:
            raise DoorError(f"{HOST} did not end a command within {self.deadline:g} s, and it was killed (--deadline)")
        return text(said.out), text(said.err)

    def _ask(self, remote: Remote, script: str = "") -> Said:
        said = self._carried(remote.command, remote.text + script.encode())
        self._how = remote.how(said.out) or self._how
        return said

    def _carried(self, command: str, given: bytes) -> Said:
        with self._lock:
            self._trips[self._carrier.trip] += 1
        seal, limit = Seal(), ssh_script.whole(self.deadline)
        return self._carrier.carry(seal, seal.script(command, given, limit), limit + AFTER)

    def _answer(self, remote: Remote, said: Said) -> Answer:
        return Answer(Place(self.container, HOST, self._carrier.user), remote, said, lambda: self._broken(remote, said))

    def _broken(self, remote: Remote, said: Said) -> DoorError:
        if remote.begun(said.out, "run"):
            return late(self.container, self.deadline)
        if said.code == ssh_faults.KILLED:
            return DoorError(
                f"docker on {HOST} did not answer within {self.deadline:g} s: see there: sudo systemctl status docker"
            )
        words = ssh_faults.last(text(said.err) if said.err.strip() else text(said.out))
        return DoorError(f"the answer of {HOST} broke off (status {said.code}; {words})")
