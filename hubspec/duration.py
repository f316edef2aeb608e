"""Lengths of time as people write them: 90s, 30m, 24h, 7d, or several together: 1d 2h."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
Duration = Annotated[str, StringConstraints(pattern=r"^\d{1,9}[dhms]( ?\d{1,9}[dhms])*$")]
"""A length of time as text."""


def seconds(text: str) -> int:
    """Return a `Duration` in seconds."""
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([dhms])", text))


def words(count: float) -> str:
    """Return seconds as a `Duration`, whole seconds: 1d 2h 5s; less than one is 0s."""
    left, parts = max(int(count), 0), []
    for unit, size in UNITS.items():
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number}{unit}")
    return " ".join(parts) or "0s"
