"""Where the hub's API token comes from: the environment, a file, or made inside the container and taken back."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from pydantic import SecretStr

from hubspec.cluster.docker import DockerDoor
from hubspec.errors import DoorError

_MINT = r"""
pid=$(pgrep -of 'jupyterhub .*-f|jupyterhub$|jupyterhub ' || true)
[ -n "$pid" ] || { echo 'no jupyterhub process runs' >&2; exit 3; }
cd "/proc/$pid/cwd" || exit 3
config=$(tr '\0' '\n' < "/proc/$pid/cmdline" | awk 'f {print; exit} $0 == "-f" || $0 == "--config" {f=1} sub(/^--config=/, "") {print; exit}')
exec "$(dirname "$(tr '\0' '\n' < "/proc/$pid/cmdline" | grep -m1 '/jupyterhub$')")/jupyterhub" token ${config:+-f "$config"} USER
"""


def from_file(path: Path) -> SecretStr:
    """Return the token in a file: its first line. Raises DoorError where it cannot be read or is empty."""
    try:
        text = path.read_text(encoding="utf-8").strip().split("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise DoorError(f"the hub token file {path} cannot be read: {error}") from None
    if not text:
        raise DoorError(f"the hub token file {path} is empty; put an API token of a hub admin in it")
    return SecretStr(text)


def mint(door: DockerDoor, user: str) -> SecretStr:
    """Return a token made by `jupyterhub token USER` in the container, with the hub's own configuration.

    It never expires and stays in the hub's database until it is deleted: the caller does so. Raises DoorError.
    """
    stdout, stderr = door.run(_MINT.replace("USER", shlex.quote(user)))
    last = stdout.strip().split("\n")[-1].strip()
    if not re.fullmatch(r"[0-9a-zA-Z_-]{16,}", last):
        said = stderr.strip().split("\n")[-1][-200:] or "nothing"
        raise DoorError(f"no hub token could be made for {user} in {door.container}; its last words: {said}")
    return SecretStr(last)
