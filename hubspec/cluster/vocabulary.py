"""Testinfra's vocabulary over a shell of ours: `host.file`, `host.user`, `host.socket`, `host.run` and all the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from hubspec.door import Ran, Shell

Hear = Callable[[Shell, str, Ran], None]
"""Is told of each command that was run: where, what, and how it ended."""


class ShellBackend(BaseBackend):  # type: ignore[misc] # testinfra ships no types
    """Carries testinfra's commands. Each method raises DoorError where the shell cannot be reached, or a command took too long."""

    NAME = "hubspec"

    def __init__(self, shell: Shell, name: str, hear: Hear) -> None:
        """Take the shell, and what the host is called."""
        super().__init__(name)
        self._shell, self._hear = shell, hear

    def __repr__(self) -> str:
        """Return the same in each run: it stands in the message of an assertion that fails."""
        return f"<{self._shell.command}>"

    def run(self, command: str, *args: str, **kwargs: Any) -> CommandResult:
        """Run a command, with `timeout=` seconds where that is given."""
        text = self.get_command(command, *args)
        ran = self._shell.run(text, kwargs.get("timeout"))
        self._hear(self._shell, text, ran)
        # Not by BaseBackend.result, which writes all output into the log.
        return CommandResult(self, ran.code, self.encode(text), ran.stdout, ran.stderr)

    def decode(self, data: bytes) -> str:
        """Return output as text; what is no UTF-8 becomes its escapes."""
        return data.decode("utf-8", "backslashreplace")

    def encode(self, data: str) -> bytes:
        """Return a command as bytes."""
        return data.encode("utf-8", "surrogateescape")


def host(shell: Shell, name: str, hear: Hear = lambda _shell, _command, _ran: None) -> Host:
    """Return testinfra's Host over a shell."""
    backend = ShellBackend(shell, name, hear)
    made = Host(backend)
    backend.set_host(made)
    return made
