"""Shell command lines for the container: what they quote, and what they look for.

A command line is run by sh as root with standard input empty. It succeeds if and only if what its action says is so
afterwards, and a second run changes nothing.
"""

from __future__ import annotations

import re
from shlex import quote
from typing import Literal

from hubspec.model import Action

Safety = Literal["safe", "unsafe", "manual"]
ACCOUNTS, SHADOW = "/etc/passwd", "/etc/shadow"


def do(sentence: str, command: str, safety: Safety) -> Action:
    """Return the action that a command line in the container is."""
    return Action(sentence=sentence, door="container", request=command, safety=safety)


def literal(text: str) -> str:
    """Return the extended regular expression (POSIX) that matches just this text."""
    return re.sub(r"[\\.*+?(){|\[^$]", r"\\\g<0>", text)


def entry(name: str, rest: str, file: str) -> str:
    """Return the command that finds the line of a name in a file such as /etc/passwd, where `rest` matches what follows."""
    return f"grep -Eqs -e {quote(f'^{literal(name)}:{rest}')} {file}"


def refuse(sentence: str) -> str:
    """Return the commands that say why the line fails, and end it."""
    return f"printf '%s\\n' {quote(sentence)} >&2; exit 1"
