"""Names of probe users: ours alone, never twice the same, and each says when it was made. Pure."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta

PREFIX = "hubspec-probe-"
LIFE = timedelta(hours=1)
"""How long a probe user is a smoke test's own business; after that it was left behind."""
AHEAD = timedelta(minutes=5)
"""How far the clocks of two machines may be apart."""
_NAME = re.compile(rf"(?<![\w.-]){PREFIX}([0-9a-f]{{8}})[0-9a-f]{{8}}(?![\w-])")


def new(now: datetime) -> str:
    """Return a name of 30 characters: the second it was made, and 32 random bits, in hexadecimal digits.

    It is one that useradd takes (at most 32 of a-z, 0-9 and -), and that no hub changes: lower case, nothing to escape.
    """
    return f"{PREFIX}{int(now.timestamp()):08x}{secrets.token_hex(4)}"


def is_one(name: str) -> bool:
    """Say whether this is the name of a probe user, and nothing more."""
    return _NAME.fullmatch(name) is not None


def mentioned(name: str) -> bool:
    """Say whether a name, such as NAME/NOTE or /user/NAME/, is about a probe user of whatever age."""
    return _NAME.search(name) is not None


def left_behind(name: str, now: datetime) -> bool:
    """Say whether this is the name of a probe user that a smoke test has long forgotten."""
    return is_one(name) and now - _made(name) > LIFE


def at_work(name: str, now: datetime) -> bool:
    """Say whether a name, such as NAME/NOTE or /user/NAME/, is about a probe user that a smoke test may be using."""
    found = _NAME.search(name)
    return found is not None and -AHEAD <= now - _made(found.group()) <= LIFE


def _made(name: str) -> datetime:
    digits = name.removeprefix(PREFIX)[:8]
    return datetime.fromtimestamp(int(digits, 16), UTC)
