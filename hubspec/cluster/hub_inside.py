"""What runs of the hub inside its container, asked only where nobody answers on its port: it tells the hub from its proxy."""

from __future__ import annotations

from typing import Protocol

# Only processes of root are the hub's: anybody may call theirs by its name.
_SCRIPT = r"""
for pid in $(ls /proc | grep -E '^[0-9]+$'); do
  grep -qs '^Uid:[[:space:]]*0[[:space:]]*0[[:space:]]' "/proc/$pid/status" || continue
  words=$(tr '\0' '\n' < "/proc/$pid/cmdline" 2>/dev/null) || continue
  case $(printf '%s\n' "$words" | grep -m1 -oE '(^|/)(jupyterhub|configurable-http-proxy)$') in
    *jupyterhub) name=hub ;; *proxy) name=proxy ;; *) continue ;;
  esac
  printf '%s %s\n' "$name" "$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$pid/status")"
done
"""
_STANDS = "Tt"
"""States of a process that was stopped by a signal, or by somebody who traces it (proc(5))."""


class Inside(Protocol):
    """The container, as the docker door knows it."""

    container: str

    def run(self, script: str) -> tuple[str, str]:
        """Run a script as root and return its two streams. Raises DoorError."""


def running(door: Inside) -> str:
    """Return which of the hub's two processes runs, as the end of a sentence. Raises DoorError where nobody can look."""
    stdout, _ = door.run(_SCRIPT)
    lines = [line.split() for line in stdout.splitlines()]
    states = {line[0]: line[1] for line in reversed(lines) if len(line) > 1}
    hub, proxy = _word(states, "hub"), _word(states, "proxy")
    advice = ""
    if hub == "runs" and proxy != "runs":
        advice = ": so the hub is up and its proxy is not; the hub starts one that has ended again within half a minute"
    elif hub == "does not run":
        advice = f": start it with sudo docker restart {door.container}"
    return f"in the container {door.container} the hub {hub}, its proxy {proxy}{advice}"


def _word(states: dict[str, str], name: str) -> str:
    if name not in states:
        return "does not run"
    return "is stopped by a signal" if states[name] in _STANDS else "runs"
