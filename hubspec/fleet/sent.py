"""The report of a fleet is brought to the place of the results, and kept until it is there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from hubspec.cluster import folder as folders
from hubspec.destination import Destination, told
from hubspec.errors import DoorError
from hubspec.masked import masked_sentence
from hubspec.results import NOT_BROUGHT, UNSENT, UnfitError, Whereabouts, report

Let = Callable[[], AbstractContextManager[None]]


def sent(latest: Path, to: Destination, say: Callable[[str], None], let: Let) -> Whereabouts:
    """Bring a report to its place, and say and return where it is. `let` has a signal end its block by KeyboardInterrupt.

    What could not be brought is kept beside the report, where no later run replaces it.
    """
    kept = latest.parent / UNSENT
    try:
        made = report(latest)
        kept /= made.name
        folders.copy(latest, kept)
        with let():
            brought = to.bring(report(kept))
        folders.remove(kept)
    except (DoorError, UnfitError, OSError, KeyboardInterrupt) as error:
        why = "it was interrupted" if isinstance(error, KeyboardInterrupt) else str(error)
        where = (
            f"this run is kept in {kept}; to bring it: {to.command(kept)}"
            if kept.is_dir()
            else f"this run is in {latest}"
        )
        say(masked_sentence(to.failed(why)))
        say(f"{where}; exit code {NOT_BROUGHT} and its own")
        return to.lost(why, kept if kept.is_dir() else latest)
    for line in told(brought):
        say(masked_sentence(line))
    return Whereabouts(brought.where)
