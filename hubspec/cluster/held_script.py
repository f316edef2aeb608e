"""What a held shell is told, as text for sh, and what it answers. Nothing here does I/O.

The held `sh` only launches. Each command is an argument to a `sh -c` of its own, with nothing on its standard input, so that
it can neither eat what comes next, nor end the session by `exit`, nor leave it in the middle of a quotation. It inherits
the write end of a pipe (7): when nobody has that any more, nobody can write to the answer any more, whoever was left behind.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from shlex import quote

_BEGIN = r"""exec 3>&1 4>&2
HUBSPEC_HELD={family}; export HUBSPEC_HELD
hubspec_say() {{ printf '\n%s %s .\n' {nonce} "$*"; }}
hubspec_run() {{
  {{ sh -c "$2" 7>&1 >&3 2>&4 3>&- 4>&- </dev/null; echo $?; }} |
  {{ read -r s; hubspec_say ran "$1" "$s" >&3; read -r s; hubspec_say end "$1" >&3; hubspec_say end "$1" >&4; }}
}}
hubspec_say end 0 >&3; hubspec_say end 0 >&4
"""
# By what they inherited, and by who started whom: a child may have another environment, or another parent by now. What was
# found stops first, so that it starts nothing more while the rest is looked for.
_KILL = r"""hubspec_kill() {
  kill "$@" 2>/dev/null || sudo -n kill "$@" 2>/dev/null
}
found=
for turn in 1 2 3 4 5 6 7 8 9; do
  more=
  for path in $(grep -lsF HUBSPEC_HELD=@FAMILY@ /proc/[0-9]*/environ); do
    pid=${path#/proc/}; pid=${pid%/environ}
    case " $found $more " in *" $pid "*) ;; *) more="$more $pid" ;; esac
  done
  for path in /proc/[0-9]*/stat; do
    read -r line 2>/dev/null < "$path" || continue
    pid=${path#/proc/}; pid=${pid%/stat}
    set -- ${line##*) }
    case " $found $more " in *" $pid "*) ;; *" $2 "*) more="$more $pid" ;; esac
  done
  [ -n "$more" ] || break
  hubspec_kill -STOP $more
  found="$found $more"
done
[ -z "$found" ] || hubspec_kill -KILL $found
"""
_ONCE = r"""exec 3>&1 4>&2
s=$({{ {{ {{ sh -c {command} </dev/null 3>&- 4>&- 9>&-; echo $? >&9; }} | base64 >&3; }} 2>&1 | base64 >&4; }} 9>&1)
printf '%s ran 1 %s .\n' {nonce} "$s"
"""


@dataclass(frozen=True)
class Words:
    """The random words of one session: `nonce` frames its answers, `family` is what all that it starts has in its environment."""

    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    family: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def begin(self) -> bytes:
        """Return what makes a launcher of a `sh` that reads it."""
        return _BEGIN.format(nonce=self.nonce, family=self.family).encode()

    @property
    def kill(self) -> str:
        """Return a script that ends whatever the session started and is still there, with its children."""
        return _KILL.replace("@FAMILY@", self.family)

    def mark(self, word: str, number: int) -> bytes:
        """Return what `ran` begins with, on standard output before an exit code; and `end`, on both streams after all else."""
        return f"\n{self.nonce} {word} {number} ".encode()

    def once(self, command: str) -> str:
        """Return a script that runs a command alone, its streams in base64, and says at the end of the first how it ended."""
        return _ONCE.format(command=quote(command), nonce=self.nonce)

    def once_ended(self, stdout: str) -> tuple[str, int] | None:
        """Return what such a script printed, and the exit code; None where it did not come to its end."""
        found = re.search(rf"{self.nonce} ran 1 ([0-9]+) \.\n\Z", stdout)
        return (stdout[: found.start()], int(found[1])) if found else None


def request(number: int, command: str) -> bytes:
    """Return what has the launcher run a command. Raises ValueError for one that no process can be given."""
    if "\0" in command:
        message = "a command cannot hold a NUL character"
        raise ValueError(message)
    return f"hubspec_run {number} {quote(command)}\n".encode("utf-8", "surrogateescape")


END = b".\n"
"""What a mark ends with."""
