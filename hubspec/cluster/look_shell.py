"""A shell through a door that holds nothing: one look for each command."""

from __future__ import annotations

import base64
import binascii

from hubspec.cluster.held_script import Words
from hubspec.door import ContainerDoor, Ran
from hubspec.errors import DoorError


class LookShell:
    """Runs each command by a look of its own through a door that holds nothing: slow, and right."""

    def __init__(self, door: ContainerDoor) -> None:
        """Nothing is asked yet."""
        self._door = door

    @property
    def name(self) -> str:
        """Return the word of the door."""
        return self._door.name

    @property
    def command(self) -> str:
        """Return what the door runs."""
        return self._door.command

    def run(self, command: str, seconds: float | None = None) -> Ran:  # noqa: ARG002 - how long it may take, the door decides
        """Run a command in a `sh -c` of its own. Raises DoorError; ValueError for a NUL character in it."""
        words = Words()
        look = self._door.look(words.once(command), others=False)
        if look.inspect is None:
            raise DoorError(f"there is no container {self._door.container}")
        ended = words.once_ended(look.stdout)
        if ended is None:
            raise DoorError(
                f"{self.command} broke off, or there is no base64 there: {(look.stdout + look.stderr)[-200:]}"
            )
        try:
            return Ran(ended[1], base64.b64decode(ended[0]), base64.b64decode(look.stderr))
        except binascii.Error as error:
            raise DoorError(f"the answer of {self.command} is damaged ({error})") from None
