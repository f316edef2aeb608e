"""Which settings of a file are for a cluster that was saved: by what its snapshot holds of it, and never by a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hubspec.cluster.find import Found
from hubspec.cluster.options import CLUSTER_ID, DoorOptions, in_environment, is_part
from hubspec.configured import Configured
from hubspec.kinds import cluster
from hubspec.model import Present
from hubspec.printable import printable
from hubspec.snapshot import Snapshot

COUNT = ("--baseline", "--waivers")
"""Settings of a table that an audit of a snapshot has a use for: it opens no door."""


def found(options: DoorOptions, file: Configured, snapshot: Snapshot) -> Found:
    """Return the cluster of a snapshot, with its name and tags where the snapshot holds them.

    Refuses one of which that has to be known, and is not, to find its tables; those that say nothing which counts need not be found.
    """
    tags = _tags(snapshot)
    one = Found(snapshot.cluster, called=snapshot.called, tags=tuple((tags or {}).items()))
    # Of the parts of a fleet it was asked before they began; EMR alone gives names and tags.
    if is_part() or not re.fullmatch(CLUSTER_ID, one.id):
        return one
    settled = {option for option in COUNT if options.given(option) or in_environment(option)}
    for table in reversed(file.tables):
        if table.fits(one.id, one.called, tags or {}):
            settled |= table.layer.values.keys()
            continue
        open_ = [option for option in COUNT if option in table.layer.values and option not in settled]
        asked = {pattern.partition(":")[0] for pattern in table.patterns}
        lacks = [word for word, lack in (("name", not one.called), ("tag", tags is None)) if lack and word in asked]
        if open_ and lacks:
            options.refuse(
                f"--snapshot: whether the settings of {table.layer.source} are for {printable(one.id)} is not known, for the snapshot"
                f" holds no {' and no '.join(lacks)} of it: give {' and '.join(open_)}"
            )
    return one


def _tags(snapshot: Snapshot) -> Mapping[str, str] | None:
    reading = snapshot.readings.get("cluster")
    seen = reading.seen.get(cluster.NAME) if reading and isinstance(reading.seen, dict) else None
    tags = getattr(seen.resource, "tags", None) if isinstance(seen, Present) else None
    return None if tags is None else {str(key): str(value or "") for key, value in tags.items()}
