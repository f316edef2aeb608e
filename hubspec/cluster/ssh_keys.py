"""Which keys there were to log in with: asked only where a login was refused, so that the reason can be told."""

from __future__ import annotations

import subprocess
from pathlib import Path

_LIMIT = 5.0
_EMPTY, _NONE = 1, 2
"""What `ssh-add -l` ends with: an agent without keys, no agent (ssh-add(1))."""


def offered(options: list[str], host: str, key: str | None) -> str:
    """Return in words which keys ssh had to offer, and what to do about it. `key` is the one that was named."""
    files = [Path(key)] if key else [file for file in _files(options, host) if file.is_file()]
    locked = [file for file in files if _locked(file)]
    agent, count = _agent()
    if agent == 0 and count:
        more = f" and of {_names(files)}" if files else ""
        return (
            f"none of the {count} keys of the agent{more} opens it; EMR lets in the key pair that the cluster was launched with:"
            " name its file with --ssh-key FILE"
        )
    state = (
        "the agent holds no key" if agent == _EMPTY else "there is no agent" if agent == _NONE else "no agent answers"
    )
    if not files:
        return f"there was no key to offer: {state}; add one (ssh-add FILE), or name it with --ssh-key FILE"
    if locked:
        return f"{_names(locked)} is locked by a passphrase, and {state}: unlock it first (ssh-add {locked[0]})"
    return (
        f"the key {_names(files)} does not open it, and {state}; EMR lets in the key pair that the cluster was launched with:"
        " name its file with --ssh-key FILE"
    )


def _names(files: list[Path]) -> str:
    return ", ".join(map(str, files))


def _files(options: list[str], host: str) -> list[Path]:
    said = _asked(["ssh", "-G", *options, "--", host])[1]
    words = (line.partition(" ") for line in said.splitlines())
    return [Path(file).expanduser() for word, _, file in words if word == "identityfile"]


def _locked(file: Path) -> bool:
    code, _ = _asked(["ssh-keygen", "-y", "-P", "", "-f", str(file)])
    return code != 0


def _agent() -> tuple[int, int]:
    code, said = _asked(["ssh-add", "-l"])
    return code, len(said.splitlines()) if code == 0 else 0


def _asked(words: list[str]) -> tuple[int, str]:
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LIMIT, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired):
        return -1, ""
    return done.returncode, done.stdout
