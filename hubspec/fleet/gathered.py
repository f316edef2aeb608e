"""What a merged report was given so far, before anything is said of all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hubspec.fleet.look import Look
from hubspec.model import Framework, Run

SPOOL = ".joining"
"""The folder of what is taken apart until the merged report is whole."""


@dataclass
class Gathered:
    """The newest look at each cluster, what is missing, and what is to be said; `shard` is I/N or empty."""

    folder: Path
    command: str
    shard: str
    looks: dict[str, Look] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    above: list[Run] = field(default_factory=list)
    """The runs of merged reports that were added; their parts were added one by one."""
    frameworks: dict[str, Framework] = field(default_factory=dict)
