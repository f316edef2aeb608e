"""Where the settings of a run come from, told by their names: a value may be of a sort that one does not print."""

from __future__ import annotations

from collections.abc import Iterable

from hubspec.cluster.options import DOORS, SECRETS, SWITCHES, DoorOptions, Layer, environment, variable
from hubspec.configured import LISTS, RUN, Configured

OPTIONS = (*LISTS, *RUN, *DOORS, *SWITCHES, "--smoke", "--fail-on-fixed")
"""Those of an audit."""
OF_DOORS = ("--cluster", "--region", *DOORS, *SWITCHES)
"""Those of a command that looks at clusters, and makes no report."""
NAMED = 3
"""How many clusters of the same settings are named."""
_BESIDE = {
    "HUBSPEC_HUB_TOKEN": "--hub-token-file",
    "HUBSPEC_SUDO_PASSWORD": "--sudo-password-file",
    "HUBSPEC_NOTIFY_URLS": "--notify",
}
"""Variable with a secret -> the option that names a file with it: who takes the one takes the other."""


def settings(options: DoorOptions, of: Iterable[str] = OPTIONS) -> list[str]:
    """Return a line with what is set and where; none where nothing is. `of`: the options that the command has."""
    by_source: dict[str, list[str]] = {}
    known = dict.fromkeys(of)
    for option in known:
        if source := options.source(option):
            by_source.setdefault(source, []).append(option[2:])
    variables = environment()
    by_source |= {name: [holds] for name, holds in SECRETS.items() if name in variables and _BESIDE[name] in known}
    said = "; ".join(f"{', '.join(names)} ({source})" for source, names in by_source.items())
    return [f"settings: {said}"] if said else []


def of_clusters(each: Iterable[tuple[str, DoorOptions, Iterable[Layer]]], of: Iterable[str] = OPTIONS) -> list[str]:
    """Return a line for each sort of clusters with settings of their own. `each`: a cluster, its options, its tables."""
    known, by_tables = frozenset(of), dict[tuple[str, ...], list[str]]()
    for name, options, tables in each:
        told = tuple(filter(None, (_told(layer, options, known) for layer in tables)))
        by_tables.setdefault(told, []).append(name)
    lines = []
    for told, names in by_tables.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        lines += [f"settings of {', '.join(names[:NAMED])}{more}: {'; '.join(told)}"] if told else []
    return lines


def _told(layer: Layer, options: DoorOptions, known: frozenset[str]) -> str:
    """Return what a table sets for a cluster, without what is said elsewhere and counts before it."""
    names = [option[2:] for option in layer.values if option in known and options.source(option) == layer.source]
    return f"{', '.join(names)} ({layer.source})" if names else ""


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
