"""What is run on the master node in one go, as text for sh, and what it answers. Nothing here does I/O.

The program comes on standard input, so that neither a password nor a name is in any argument list. Behind it, on the same
standard input, comes what is for the container. Each part of the answer stands between marks with a random word on
both streams: what a banner, a motd or a profile prints stands outside of them.
"""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from shlex import quote
from typing import Literal

from pydantic import SecretStr

_BOOT = "exec sh -c 'eval \"$(head -c {size})\"'"
# `sudo -k` with a command asks for the password each time it needs one, so it always takes the line that is meant for it,
# and never leaves it to the command. What needs none is found out first: nothing is sent to it then.
_BEGIN = r"""LC_ALL=C; export LC_ALL
n={nonce} c={container} w={sudo} p={password} how=sudo
mark() {{ printf '\n%s %s .\n' "$n" "$*"; printf '\n%s %s .\n' "$n" "$*" >&2; }}
engine() {{
  case $how in
    plain) docker "$@" </dev/null ;;
    sudo) sudo -n docker "$@" </dev/null ;;
    password) printf '%s\n' "$p" | sudo -k -S -p '' docker "$@" ;;
  esac
}}
carry() {{
  mark begin run
  case $how in
    plain) docker "$@"; mark end run $? ;;
    sudo) sudo -n docker "$@"; mark end run $? ;;
    password) {{ printf '%s\n' "$p"; cat; }} | {{ sudo -k -S -p '' docker "$@"; mark end run $?; }} ;;
  esac
}}
if [ "$w" = never ]; then how=plain; fi
if [ "$w" = auto ]; then
  if [ -n "${{DOCKER_HOST:-}}" ] || [ -w /var/run/docker.sock ] || ! command -v sudo >/dev/null 2>&1; then how=plain; fi
fi
if [ "$how" = sudo ] && [ -n "$p" ]; then
  case $(sudo -n -k docker exec -i "$c" sh </dev/null 2>&1) in *'password is required'*) how=password ;; esac
fi
mark how $how
"""
_LOOK = r"""mark begin inspect
{{ e=$(engine inspect --type container "$c" 2>&1 >&3); s=$?; }} 3>&1
printf '%s\n' "$e" >&2
mark end inspect $s
case $s:$e in 0:* | *:*'o such '*)
  {others}
  if [ "$s" = 0 ]; then carry exec -i -u 0 "$c" sh -c {within}; fi ;;
esac
"""
# GNU's and busybox's; a container without it is looked into all the same.
_WITHIN = "command -v timeout >/dev/null && exec timeout -s KILL {limit} sh; exec sh"
_OTHERS = r"""mark begin others
  engine ps -a --no-trunc {filters} --format '{{{{.Names}}}} {{{{.Image}}}}'
  mark end others $?"""


@dataclass(frozen=True)
class Rights:
    """How root's rights are had on the master node: as needed, always by sudo, or never; and the password for it, where known."""

    sudo: Literal["auto", "always", "never"] = "auto"
    password: SecretStr | None = None


@dataclass(frozen=True)
class Remote:
    """A program for the master node, by which its answer is told apart."""

    text: bytes = field(repr=False)
    nonce: str

    @property
    def command(self) -> str:
        """Return the command line that takes it from standard input, in the words of any login shell."""
        return _BOOT.format(size=len(self.text))

    def part(self, raw: bytes, name: str) -> tuple[bytes, int] | None:
        """Return what a part printed on one stream, and its exit code; None where it did not come to its end."""
        _, begun, rest = raw.partition(self._mark(f"begin {name}"))
        body, ended, tail = rest.partition(f"\n{self.nonce} end {name} ".encode())
        status, whole, _ = tail.partition(b" .\n")
        return (body, int(status)) if begun and ended and whole and status.isdigit() else None

    def begun(self, raw: bytes, name: str) -> bool:
        """Say whether a part was begun."""
        return self._mark(f"begin {name}") in raw

    def how(self, raw: bytes) -> str:
        """Return how root's rights were had: plain, sudo or password; empty where the program did not get so far."""
        return raw.partition(f"\n{self.nonce} how ".encode())[2].partition(b" .\n")[0].decode("ascii", "replace")

    def _mark(self, words: str) -> bytes:
        return f"\n{self.nonce} {words} .\n".encode()


def looking(container: str, rights: Rights, *, others: bool, label: str | None, limit: int) -> Remote:
    """Return what describes the container, lists the others, and runs in it the script that follows, for at most so many seconds."""
    filters = f"--filter label={quote(label)}" if label else ""
    around = _OTHERS.format(filters=filters) if others else ":"
    return _remote(container, rights, _LOOK.format(others=around, within=quote(within(limit))))


def within(limit: int) -> str:
    """Return what runs the script on its standard input, in a container, and kills it and what it started after so many seconds."""
    return _WITHIN.format(limit=limit)


def whole(seconds: float) -> int:
    """Return a deadline in the whole seconds that every `timeout` understands."""
    return math.ceil(seconds)


def logging(container: str, rights: Rights, since: datetime, lines: int) -> Remote:
    """Return what prints the last lines that the container said since then."""
    return managing(container, rights, "logs", "--since", str(int(since.timestamp())), "--tail", str(lines), container)


def carrying(container: str, rights: Rights, *inside: str) -> Remote:
    """Return what runs a command in the container as root, on the standard input that follows."""
    return _remote(container, rights, f'carry exec -i -u 0 "$c" {" ".join(map(quote, inside))}\n')


def managing(container: str, rights: Rights, *words: str) -> Remote:
    """Return what does a `docker` command on the master node."""
    return _remote(container, rights, f"mark begin run\nengine {' '.join(map(quote, words))}\nmark end run $?\n")


def _remote(container: str, rights: Rights, body: str) -> Remote:
    nonce = secrets.token_hex(16)
    password = rights.password.get_secret_value() if rights.password else ""
    begin = _BEGIN.format(nonce=nonce, container=quote(container), sudo=rights.sudo, password=quote(password))
    # In a function: what arrives only in part is no program, and does nothing.
    return Remote(f"hubspec() {{\n{begin}{body}}}\nhubspec\n".encode(), nonce)
