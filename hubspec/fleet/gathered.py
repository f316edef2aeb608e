"""What a merged report was given so far, before anything is said of all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hubspec.fleet.look import Look
from hubspec.fleet.part import Part
from hubspec.model import Framework, Run

SPOOL = ".joining"
"""The folder of what is taken apart until the merged report is whole."""
PLANS = 500
"""Entries of plans that a merged report repeats: either all of them, or none."""


@dataclass
class Gathered:
    """The newest look at each cluster, what is missing, and what is to be said; `shard` is I/N or empty."""

    folder: Path
    command: str
    shard: str
    looks: dict[str, Look] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    """Cluster -> why nothing is known of it; a report that has it counts all the same."""
    unseen: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    """A sentence for each report that could not be used."""
    notices: list[str] = field(default_factory=list)
    above: list[Run] = field(default_factory=list)
    """The runs of merged reports that were added; their parts were added one by one."""
    frameworks: dict[str, Framework] = field(default_factory=dict)
    planned: int = 0
    """Entries of the plans of all parts."""

    @property
    def ordered(self) -> list[Look]:
        """Return the looks by the names of their clusters, whatever the order in which they came."""
        return [self.looks[name] for name in sorted(self.looks)]

    @property
    def parts(self) -> list[Part]:
        """Return each part that something is taken from, once."""
        return list({look.part.folder: look.part for look in self.ordered}.values())

    @property
    def gone(self) -> dict[str, str]:
        """Return cluster -> why, of each that no part has."""
        return {name: self.missing[name] for name in sorted(self.missing) if name not in self.looks}

    def keep(self, part: Part) -> Part:
        """Return a part as it is kept for the end: without what all have, and without plans too long to repeat."""
        self.frameworks |= {one.id: one for one in part.run.frameworks}
        self.planned += len(part.run.plan)
        plan = part.run.plan if self.planned <= PLANS else []
        run = part.run.model_copy(update={"frameworks": [], "plan": plan, "trend": []})
        return Part(part.folder, run, part.head, part.sha256)
