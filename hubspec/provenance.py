"""Where the settings of a run come from, told by their names: a value may be of a sort that one does not print."""

from __future__ import annotations

from collections.abc import Iterable

from hubspec.cluster.options import DOORS, SECRETS, SWITCHES, DoorOptions, environment, variable
from hubspec.configured import LISTS, RUN, Configured

OPTIONS = (*LISTS, *RUN, *DOORS, *SWITCHES, "--smoke", "--fail-on-fixed")
"""Those of an audit."""


def settings(options: DoorOptions, also: Iterable[str] = ()) -> list[str]:
    """Return a line with what is set and where; none where nothing is. `also`: more options than an audit has."""
    by_source: dict[str, list[str]] = {}
    for option in (*OPTIONS, *also):
        if source := options.source(option):
            by_source.setdefault(source, []).append(option[2:])
    variables = environment()
    by_source |= {name: [holds] for name, holds in SECRETS.items() if name in variables}
    said = "; ".join(f"{', '.join(names)} ({source})" for source, names in by_source.items())
    return [f"settings: {said}"] if said else []


def for_none(options: DoorOptions, file: Configured, used: Iterable[str]) -> list[str]:
    """Return a line with the tables of the file that are for none of the clusters, unless the run was asked for less than the file has.

    `used`: the sources of the tables that are for one.
    """
    narrowed = options.source("--cluster") in {"command line", variable("--cluster")}
    if options.text("--snapshot") or (narrowed and "all" not in options.many("--cluster")):
        return []
    told = set(used)
    unused = [table.layer.source for table in file.tables if table.layer.source not in told]
    return [f"settings for none of these clusters: {'; '.join(unused)}"] if unused else []
