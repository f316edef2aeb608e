"""A part of the clusters, for engines that count: the same part on every machine, whatever else is in the fleet."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Shard:
    """Part `number` of `of`, counted from 1."""

    number: int
    of: int

    def holds(self, cluster: str) -> bool:
        """Say whether a cluster is in this part. It stays there whichever clusters come and go beside it."""
        digest = hashlib.sha256(cluster.encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def shard(text: str) -> Shard:
    """Return the part that I/N means. Raises ValueError."""
    match = re.fullmatch(r"([0-9]{1,5})/([0-9]{1,5})", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise ValueError(f"--shard: wanted I/N with I from 1 to N, such as 3/8; found {text!r}")
    return Shard(int(match[1]), int(match[2]))
