"""Whether the one message of a run is due. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, get_args

from hubspec.model import Run
from hubspec.tally import Tally

On = Literal["new", "fixed", "blind", "always", "never"]
WHEN: tuple[On, ...] = get_args(On)
DEFAULT: tuple[On, ...] = ("new", "fixed", "blind")
ENDED_WELL = frozenset({0, 1})
"""The exit codes of a run that came to its end: compliant, and drift."""


def due(tally: Tally, run: Run, wanted: Collection[str], *, lost: bool = False) -> list[On]:
    """Return for which of the wanted reasons a message is due: new drift, fixed drift, could not look, always.

    `lost`: its results are not at their place, so that nobody can look there.

    Where `never` is among them, none is.

    Without a history every drift is new.
    """
    holds = {
        "new": tally.new.checks > 0,
        "fixed": tally.fixed.checks > 0,
        "blind": lost or not looked(tally, run),
        "always": True,
    }
    return [] if "never" in wanted else [one for one in WHEN if one in wanted and holds.get(one)]


def looked(tally: Tally, run: Run) -> bool:
    """Say whether a run could look at all that it was to look at, whatever it found."""
    return run.exit_code in ENDED_WELL and not (tally.blind or run.missing or run.unseen)
