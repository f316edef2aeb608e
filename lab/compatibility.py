"""docs/compatibility.md: what was measured of each hub version, a line each, with the reasons below the table."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lab.model import ROOM, ROOT
from lab.versions import VERSIONS

SHOWN = 5
"""Faults of one version that the page tells."""
PAGE = ROOT / "docs" / "compatibility.md"
LIMIT = 3600.0
INTRO = """# Hub versions

`make matrix` makes the lab with each of these hubs (`python -m lab up --hub VERSION`), audits it against the baseline that fits, runs the smoke tests, and
applies every break of the lab, one after the other: each must turn the audit red, and its mend green again. This page is what it measured last;
`make matrix VERSIONS="0.8.1 6.1.1"` measures some of them anew, `QUICK=1` without the breaks. The library never goes by the EMR release: it goes by what the hub answers.

Which release ships which hub is the EMR Release Guide's ('JupyterHub release history'). JupyterHub 2.0 and later was found in no release: there an administrator
upgraded it inside the container, which AWS does not support.

Not applicable is what this hub has not, or can never tell: before 0.9 it keeps neither note nor age of an API token and revokes none, before 2.0 a token has no
scopes. A break is skipped where the hub has not what it breaks, or the engine of this machine refuses it; below the table is why. Breaks that were not run in the
last, quick measurement are told as such.
"""
HEAD = "| JupyterHub | EMR releases that ship it | notebook | checks compliant | not applicable | smoke tests | breaks red | measured |"
RULE = "|---|---|---|---|---|---|---|---|"


@dataclass
class Row:
    """What was measured of one version: cells of the table, the reasons for what was skipped, and what failed."""

    version: str
    checks: str = "-"
    beyond: str = "-"
    smoke: str = "-"
    breaks: str = "-"
    skipped: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Answer the line of the table."""
        shipped, today = VERSIONS[self.version].shipped, f"{datetime.now(UTC):%Y-%m-%d}"
        cells = (
            self.version,
            shipped,
            notebook(self.version),
            self.checks,
            self.beyond,
            self.smoke,
            self.breaks,
            today,
        )
        return f"| {' | '.join(cells)} |"

    def notes(self) -> list[str]:
        """Answer a line for each fault, and for each reason why something was skipped."""
        told = [f"- {self.version}: **failed**: {fault}" for fault in self.faults[:SHOWN]]
        told += [f"- {self.version}: **failed**: {len(self.faults) - SHOWN} more"] * (len(self.faults) > SHOWN)
        return told + [f"- {self.version}: {count} skipped: {why}" for why, count in self.skipped.items()]


def notebook(version: str) -> str:
    """Answer the version of notebook that the image of a hub has."""
    text = (ROOM / "images" / "hub" / "hubs" / version / "requirements.txt").read_text()
    found = re.search(r"^notebook==(\S+)$", text, re.MULTILINE)
    return found[1] if found else "?"


def written(rows: list[Row], before: str) -> str:
    """Answer the page with these rows, and what the page had of other versions, oldest hub first."""
    lines = {
        match[1]: [match[0], *re.findall(rf"^- {re.escape(match[1])}: .*$", before, re.MULTILINE)]
        for match in re.finditer(r"^\| (\d+\.\d+\.\d+) \|.*$", before, re.MULTILINE)
    }
    lines |= {row.version: [row.line(), *row.notes()] for row in rows}
    mine = [lines[version] for version in VERSIONS if version in lines]
    notes = [note for one in mine for note in one[1:]]
    return "\n".join([INTRO, HEAD, RULE, *(one[0] for one in mine), *(["", *notes] if notes else [])]) + "\n"
