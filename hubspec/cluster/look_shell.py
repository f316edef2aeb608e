"""A shell through a door that holds nothing: one look for each command."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from hubspec.cluster.held_script import Words
from hubspec.door import Ran
from hubspec.errors import DoorError


class LookShell:
    """Runs each command by a round trip of its own through a door that holds nothing: slow, and right.

    `name` is the door's word, `command` what it runs; `ask` has a script run there, and returns its two streams.
    """

    def __init__(self, name: str, command: Callable[[], str], ask: Callable[[str], tuple[str, str]]) -> None:
        """Nothing is asked yet."""
        self.name, self._command, self._ask = name, command, ask

    @property
    def command(self) -> str:
        """Return what the door runs."""
        return self._command()

    def run(self, command: str, seconds: float | None = None) -> Ran:  # noqa: ARG002 - how long it may take, the door decides
        """Run a command in a `sh -c` of its own. Raises DoorError; ValueError for a NUL character in it."""
        words = Words()
        stdout, stderr = self._ask(words.once(command))
        ended = words.once_ended(stdout)
        if ended is None:
            raise DoorError(f"{self.command} broke off, or there is no base64 there: {(stdout + stderr)[-200:]}")
        try:
            return Ran(ended[1], base64.b64decode(ended[0]), base64.b64decode(stderr))
        except binascii.Error as error:
            raise DoorError(f"the answer of {self.command} is damaged ({error})") from None
