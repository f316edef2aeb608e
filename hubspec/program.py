"""Programs of this machine that a report needs: git and ssh-keygen. Never a shell, never a question on the terminal."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from hubspec.errors import HubspecError

PATIENCE = 30.0
"""Seconds: a program that takes longer waits for something, such as a finger on a security key."""
# With one of these git looks at another repository than the one of the file; with the others somebody is asked.
_OTHERS = ("GIT_", "DISPLAY", "WAYLAND_DISPLAY", "SSH_ASKPASS")


class ProgramError(HubspecError):
    """A program is not there, or does not end."""


@dataclass(frozen=True)
class Done:
    """How a program ended, and what it said."""

    code: int
    stdout: bytes
    stderr: str


def run(command: Sequence[str], content: bytes = b"") -> Done:
    """Return how a program ended that was given this content on its standard input. Raises ProgramError.

    It has no terminal, so it cannot ask for a passphrase (ssh-keygen(1): SSH_ASKPASS_REQUIRE, OpenSSH 8.4 and later).
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_OTHERS)}
    quiet = {"SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command,
            input=content,
            env=kept | quiet,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise ProgramError(f"there is no program {command[0]} here") from None
    except PermissionError:
        raise ProgramError(f"the program {command[0]} may not be run") from None
    except subprocess.TimeoutExpired:
        raise ProgramError(f"{command[0]} did not end within {PATIENCE:g} s") from None
    return Done(done.returncode, done.stdout, done.stderr.decode(errors="replace").strip())
