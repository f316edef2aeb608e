"""The report of a fleet is brought to the place of the results, and kept until it is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

from hubspec.cluster import folder as folders
from hubspec.cluster.keep import keep
from hubspec.errors import DoorError
from hubspec.masked import masked_sentence
from hubspec.results import NOT_BROUGHT, UnfitError, bring, report

UNSENT = "unsent"
"""Folder beside latest/ for reports that are not at their place yet, as an audit has it."""
S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^\x00-\x1f]*)?")


def sent(latest: Path, place: str, key: str | None, deadline: float, say: Callable[[str], None]) -> int:
    """Bring a report to its place, and say where it is. Return what its exit code is raised by: 0, or NOT_BROUGHT.

    What could not be brought is kept beside the report, where no later run replaces it.
    """
    kept = latest.parent / UNSENT
    try:
        made = report(latest)
        kept /= made.name
        folders.copy(latest, kept)
        brought = bring(report(kept), keep(place, key), ended_now=True, deadline=deadline)
        folders.remove(kept)
    except (DoorError, UnfitError, OSError) as error:
        again = shlex.join(["python", "-m", "hubspec", "upload", str(kept), place])
        where = f"this run is kept in {kept}; to bring it: {again}" if kept.is_dir() else f"this run is in {latest}"
        say(masked_sentence(f"results: NOT in {place}: {error}"))
        say(f"{where}; exit code {NOT_BROUGHT} and its own")
        return NOT_BROUGHT
    for line in (f"results: {brought.where}", *(f"notice: {one}" for one in brought.notices)):
        say(masked_sentence(line))
    return 0
