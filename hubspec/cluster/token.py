"""Where the hub's API token comes from: a file, or made inside the container and taken back after the audit."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from hubspec.errors import DoorError
from hubspec.hub_path import hub_path
from hubspec.token_probe import script

if TYPE_CHECKING:
    from hubspec.cluster.chosen import ChosenDoor
    from hubspec.cluster.hub import HubDoor

# `jupyterhub token` opens the hub's database, so it must run with the hub's own configuration and in its folder:
# both are taken from the running hub. That is a process of root: anybody else's of that name would have us run a program
# of theirs. Its log goes to standard error, the token is its only line.
_MINT = r"""
look() (
  READ
) </dev/null 2>/dev/null
for pid in $(ls /proc | grep -E '^[0-9]+$' | sort -n); do
  grep -qs '^Uid:[[:space:]]*0[[:space:]]*0[[:space:]]' "/proc/$pid/status" || continue
  args=$(tr '\0' '\n' < "/proc/$pid/cmdline" 2>/dev/null) || continue
  hub=$(printf '%s\n' "$args" | grep -m1 -E '(^|/)jupyterhub$') || continue
  config=$(printf '%s\n' "$args" | sed -n -e '/^\(-f\|--config\)$/{n;p;q}' -e 's/^--config=//p')
  # Once it has opened a PAM session, its own folder cannot be read in a container without privileges; its parent's is the same.
  for one in "$pid" $(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status"); do cd "/proc/$one/cwd" 2>/dev/null && break; done ||
    { echo 'the folder that the hub runs in cannot be read' >&2; exit 1; }
  # A token that nobody can take back, and that never ends, is not made.
  case $(look) in *'"unnoted"'*) echo 'JupyterHub before 0.9 revokes no token; give one with --hub-token-file' >&2; exit 1;; esac
  date +%s.%N
  "$hub" token ${config:+-f "$config"} USER </dev/null || exit
  date +%s.%N
  look
  exit
done
echo 'no jupyterhub process runs in the container' >&2
"""
NOT_MADE = (
    "through --door {door} none is made, for it would come back by way of what AWS keeps: make one at /hub/token, and give it in"
    " HUBSPEC_HUB_TOKEN or with --hub-token-file FILE"
)
"""Where a token cannot be made: what to do in its place."""
_NOTE = "command-line generated"
"""The note that `jupyterhub token` leaves on what it makes (JupyterHub 0.9 and later)."""


@dataclass(frozen=True)
class Minted:
    """A token that was made for this audit: for whom, and between which seconds (epoch, the container's clock).

    `id` is what the hub's API calls it, empty where the hub's database could not be read.
    """

    token: SecretStr
    user: str
    after: float
    before: float
    id: str = ""

    @property
    def name(self) -> str:
        """Return what the kind hub_token calls it."""
        return f"{self.user}/{_NOTE} ({self.id})"


def from_file(path: Path) -> SecretStr:
    """Return the token in a file: its first line. Raises DoorError where it cannot be read or is empty."""
    try:
        text = path.read_text(encoding="utf-8").strip().split("\n")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise DoorError(f"the hub token file {path} cannot be read: {error}") from None
    if not text:
        raise DoorError(f"the hub token file {path} is empty; put an API token of a hub admin in it")
    return SecretStr(text)


def mint(door: ChosenDoor, user: str) -> Minted:
    """Return a token made by `jupyterhub token USER` in the container. It never expires: `revoke` it. Raises DoorError."""
    stdout, stderr = door.run(_MINT.replace("USER", shlex.quote(user)).replace("READ", script()))
    lines = [line.strip() for line in stdout.split("\n") if line.strip()]
    if len(lines) not in {3, 4} or not re.fullmatch(r"[0-9a-zA-Z_-]{16,}", lines[1]):
        said = stderr.strip().split("\n")[-1][-200:] or "nothing"
        raise DoorError(f"no hub token could be made for {user} in {door.container}; the last words there: {said}")
    made = Minted(SecretStr(lines[1]), user, float(lines[0]), float(lines[2]))
    return replace(made, id=_id(made, lines[3])) if lines[3:] else made


def _id(minted: Minted, told: str) -> str:
    """Return the id of what was made, from what the hub's database tells of its tokens; empty where it is not the only one.

    The API's own list is no help: a hub keeps that of a user as it was when first asked for, without what another
    process added (JupyterHub 0.9 to 5.4: `expire_on_commit=False` in `orm.py`).
    """
    try:
        rows = [row for row in json.loads(told)["tokens"] if row[1] == minted.user and row[4]]
        mine = [row[0] for row in rows if row[3] == _NOTE and minted.after <= _epoch(f"{row[4]}Z") <= minted.before]
    except (ValueError, LookupError, TypeError):
        return ""
    return f"a{mine[0]}" if len(mine) == 1 else ""


def revoke(hub: HubDoor, minted: Minted) -> None:
    """Delete the token that was made. Raises DoorError where it cannot be told from others, or the hub refuses."""
    path = hub_path("users", minted.user, "tokens")
    mine = [minted.id] if minted.id else _listed(hub.get(path).get("api_tokens", []), minted)
    if len(mine) != 1:
        raise DoorError(
            f"the token made for {minted.user} could not be told from {len(mine)} made in that second:"
            f" delete those noted {_NOTE!r} at /hub/token"
        )
    hub.delete(f"{path}{hub_path(mine[0])}")


def _listed(tokens: list[dict[str, Any]], minted: Minted) -> list[str]:
    """Return the ids of those in the API's list that may be what was made."""
    return [
        token["id"]
        for token in tokens
        if token.get("note", "").startswith(_NOTE) and minted.after - 1 <= _epoch(token["created"]) <= minted.before + 1
    ]


def _epoch(created: str) -> float:
    return datetime.fromisoformat(created).timestamp()
