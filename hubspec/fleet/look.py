"""What one report says of one cluster, in the few figures that a merged report keeps of it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from hubspec import gate
from hubspec.fleet.joined import COMPLIANT, COULD_NOT_LOOK, DRIFT
from hubspec.fleet.part import Part
from hubspec.model import Outcome, Record

EVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Look:
    """One cluster in one part. `file` has its records: those of the part itself, unless it has other clusters too.

    `among`: of how many clusters the part has records.
    """

    cluster: str
    part: Part
    file: Path
    seen: datetime = EVER
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    failing: bool = False
    among: int = 1

    def take(self, record: Record) -> None:
        """Count one more of its records."""
        when = record.started if record.started.tzinfo else record.started.replace(tzinfo=UTC)
        self.seen = max(self.seen, when)
        self.outcomes[record.outcome] += 1
        self.failing = self.failing or gate.counts(record, self.part.run.gate)

    @property
    def code(self) -> int:
        """Return the exit code that its records ask for by themselves."""
        if self.failing:
            return DRIFT
        return COULD_NOT_LOOK if self.outcomes[Outcome.UNREADABLE] else COMPLIANT


def looks(part: Part) -> dict[str, Look]:
    """Return cluster -> what the part says of it. Raises PartError, for a line that is no record too."""
    found: dict[str, Look] = {}
    for _, record in part.records():
        name = record.cluster
        found.setdefault(name, Look(name, part, part.file)).take(record)
    for look in found.values():
        look.among = len(found)
    return found


def safe(name: str) -> str:
    """Return a name as that of a folder, another one for every name: what could lead elsewhere is taken out."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:60]
    return plain if plain == name else f"{plain}-{sha256(name.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}"
