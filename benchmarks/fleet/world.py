"""What the simulated clusters are: so many in so many regions, each with an address of its own, and what answers there."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.accounts import Cluster
from tests.many_hubs import addresses

REGIONS = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "eu-west-1", "eu-west-2"),
    *("eu-west-3", "eu-central-1", "eu-north-1", "ap-south-1"),
    *("ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-2"),
)
"""EMR limits the calls of a region: a thousand clusters in one would wait for it, and not for us."""
NONCE = "0123456789abcdef"
"""The mark of the frames in what was recorded; each audit has one of its own in its place."""


@dataclass
class Answers:
    """What one container and its hub answered once: the look, and path -> status, headers and body."""

    look: dict[str, Any]
    pages: dict[str, tuple[int, dict[str, str], str]] = field(default_factory=dict)


@dataclass
class Fleet:
    """So many clusters. Each answer comes `delay` seconds late; of each hundred, `hang` never answer and `fail` break off.

    `answers` are files of recorded answers: the first is that of each cluster, the last, where there are two, that of one.
    """

    count: int
    answers: list[Path]
    delay: float = 0.3
    hang: float = 0.0
    fail: float = 0.0
    limited: bool = True
    regions: tuple[str, ...] = REGIONS
    port: int = 9444
    """Where the container of a cluster answers, at its address."""

    @property
    def clusters(self) -> list[Cluster]:
        where = addresses(self.count)
        return [
            Cluster(f"j-SIM{number:05}", f"hub {number}", self.regions[number % len(self.regions)], host=where[number])
            for number in range(self.count)
        ]

    def fate(self, host: str) -> str:
        """Return what is the matter with a cluster: `hangs`, `fails`, or nothing. The same address has the same fate."""
        drawn = int.from_bytes(hashlib.sha256(host.encode()).digest()[:4], "big") / 2**32 * 100
        return "hangs" if drawn < self.hang else "fails" if drawn < self.hang + self.fail else ""

    def save(self, path: Path) -> Path:
        path.write_text(json.dumps(asdict(self) | {"answers": [str(one) for one in self.answers]}), encoding="utf-8")
        return path


def fleet(path: Path) -> Fleet:
    told = json.loads(path.read_text(encoding="utf-8"))
    return Fleet(**told | {"answers": [Path(one) for one in told["answers"]], "regions": tuple(told["regions"])})
