"""EMR's limits of API calls, as token buckets for each region (Amazon EMR endpoints and quotas, default values)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

LIMITS = {
    "DescribeCluster": (10, 1.0),
    "ListClusters": (20, 0.5),
    "ListSteps": (10, 0.5),
    "ListInstances": (10, 0.5),
    "ListBootstrapActions": (10, 1.0),
}
"""Call -> burst, and refill in a second."""
WHOLE = (25, 5.0)
"""The same for all calls of an account in a region together."""


@dataclass
class Bucket:
    """Tokens of one sort; `since` is when they were counted last, in seconds of any clock."""

    burst: int
    refill: float
    since: float
    left: float = field(init=False)

    def __post_init__(self) -> None:
        self.left = float(self.burst)

    def has(self, now: float) -> bool:
        self.left, self.since = min(float(self.burst), self.left + (now - self.since) * self.refill), now
        return self.left >= 1


class Limits:
    """Says whether a call is let through. What is refused takes no token."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self.refused: Counter[str] = Counter()

    def let(self, call: str, region: str, now: float) -> bool:
        mine = [self._bucket(region, "", WHOLE, now)]
        mine += [self._bucket(region, call, LIMITS[call], now)] if call in LIMITS else []
        through = all(one.has(now) for one in mine)
        for one in mine if through else ():
            one.left -= 1
        self.refused[call] += not through
        return through

    def _bucket(self, region: str, call: str, limit: tuple[int, float], now: float) -> Bucket:
        return self._buckets.setdefault((region, call), Bucket(*limit, since=now))
