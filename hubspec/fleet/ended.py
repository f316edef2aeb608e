"""How a merged run ended, in the few lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hubspec.fleet.merge import Merged
from hubspec.printable import printable
from hubspec.report.formats import RUN, first

SHOWN = 20
"""How many notices the terminal shows; the report and run.json have the others."""


def lines(merged: Merged, at: Path, formats: list[str]) -> Iterator[str]:
    """Yield the lines of a merged report that is written; `at` is where it now lies."""
    run, tally = merged.run, merged.tally
    if run is None:
        return
    looked = len(run.clusters) - len(run.missing)
    gone = f", and {len(run.missing)} that could not be looked at" if run.missing else ""
    yield f"{looked} cluster{'s' * (looked != 1)}{gone}"
    yield tally.counted or "no record"
    yield from tally.severities
    if run.compared:
        since = "each cluster's since its last run" if run.last else "there is no earlier run to compare with"
        yield f"changes: {tally.changed or 'none'}; {since}"
    yield from (f"notice: {printable(notice)}" for notice in run.notices[:SHOWN])
    if len(run.notices) > SHOWN:
        yield f"notice: {len(run.notices) - SHOWN} more are in {RUN}"
    yield from (f"notice: {sentence}" for sentence in merged.unwritten)
    yield f"head: {run.head}"
    yield f"report: {at / (first(formats) if formats else RUN)}"
