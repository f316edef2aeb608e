"""The command `init`: which cluster or snapshot, which file, and what is told about what was written."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from pathlib import Path

from hubspec.adopt import BASE, write
from hubspec.arguments import Arguments
from hubspec.baseline import load
from hubspec.cluster.clients import Clients
from hubspec.cluster.find import FORMS, describe, find, is_form
from hubspec.cluster.opened import opened
from hubspec.cluster.register import Register
from hubspec.cluster.site import Site
from hubspec.errors import DoorError, HubspecError, UnknownClusterError
from hubspec.printable import printable
from hubspec.provenance import OF_DOORS, of_clusters, settings
from hubspec.snapshot import Snapshot, read_file
from hubspec.survey import survey, watched


def init(asked: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Write a baseline of what is there, say what it does not demand, and return the exit code. Raises HubspecError."""
    options = Arguments(asked)
    # A file or a cluster that the command line names counts before the other one in the environment.
    saved = asked.snapshot or (None if asked.cluster else options.text("--snapshot"))
    if asked.snapshot and asked.cluster:
        options.refuse("--snapshot looks at no cluster: give it or --cluster, not both")
    for line in settings(options, ("--snapshot",) if saved else OF_DOORS):
        say(line)
    if saved:
        snapshot = read_file(Path(saved).expanduser())
        path = _output(asked, snapshot.cluster)
        written = write(snapshot, path)
    else:
        clients = Clients()
        site = _site(options, clients, say)
        path = _output(asked, site.cluster_id)
        written = write(_seen(site, options, clients, say), path, watch=watched(load(BASE)))
    for line in written.telling():
        say(line)
    return written.code


def _seen(site: Site, options: Arguments, clients: Clients, say: Callable[[str], None]) -> Snapshot:
    clock, cluster = time.monotonic(), site.cluster_id
    with opened(site, options, say, clients=clients) as doors:
        snapshot = survey(cluster, doors, load(BASE))
    trips = ", ".join(f"{count} {sort}" for sort, count in snapshot.trips.items()) or "none"
    say(f"{cluster}: read in {time.monotonic() - clock:.2f} s; round trips: {trips}")
    return snapshot


def _site(options: Arguments, clients: Clients, say: Callable[[str], None]) -> Site:
    """Return the one cluster that is meant. Raises HubspecError where it is none, or not the only one."""
    words = options.many("--cluster")
    if not words:
        options.refuse("of which cluster? Give --cluster j-XXX, or --snapshot FILE")
    if "lab" in words:
        options.refuse(
            'the lab is a cluster like any other here: eval "$(python -m lab env)", then --cluster with the id that'
            " `python -m lab status` tells"
        )
    wrong = [word for word in words if not is_form(word)]
    if wrong:
        options.refuse(f"--cluster {printable(wrong[0])}: wanted {FORMS}")
    register = Register(options.regions, deadline=options.deadline, progress=say, clients=clients)
    search = find(words, register, say)
    describe(search, register, options.configured.asks, say)
    if len(search.found) > 1:
        ids = ", ".join(search.found)
        options.refuse(f"--cluster: a baseline is written of one cluster, and {len(search.found)} are meant: {ids}")
    (one,) = search.found.values()
    if one.trouble:
        raise (UnknownClusterError if one.unknown else DoorError)(one.trouble)
    options.tables = options.configured.layers(one.id, one.called, dict(one.tags))
    for line in of_clusters([(one.id, options, options.tables)], OF_DOORS):
        say(line)
    return Site(one.id, aws={"AWS_DEFAULT_REGION": one.region} if one.region else None)


def _output(asked: argparse.Namespace, cluster: str) -> Path:
    """Return the file to write. Raises HubspecError where it is there, so that nothing is looked at in vain."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", cluster).lstrip(".")
    path = Path(asked.output or f"{name or 'cluster'}.yaml").expanduser()
    if path.exists() and not asked.force:
        raise HubspecError(f"{path}: is there already; give --force to replace it, or another -o FILE")
    return path
