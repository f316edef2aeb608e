"""The one run that a merged report is about: how it ended, and what is to be known first."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from hubspec import __version__
from hubspec.fleet import joined
from hubspec.fleet.gathered import PLANS, Gathered
from hubspec.manifest import MANIFEST
from hubspec.masked import masked_sentence
from hubspec.model import Run

_LOOKED = {joined.COMPLIANT, joined.DRIFT, joined.COULD_NOT_LOOK}


def one_run(gathered: Gathered, *, interrupted: bool) -> Run:
    """Return the run of all that was gathered. Its id is new, and its records keep the ids of theirs."""
    runs = [part.run for part in gathered.parts]
    standing = joined.waivers(runs)
    gates, lasts = {run.gate for run in runs}, [run.last for run in runs if run.last]
    gaps = list(joined.shards([*gathered.above, *runs]))
    notices = [
        *_notices(gathered, gaps, interrupted=interrupted),
        *joined.notices([*gathered.above, *runs], standing),
    ]
    now = datetime.now(UTC)
    return Run(
        id=str(uuid.uuid4()),
        started=min((run.started for run in runs), default=now),
        finished=now,
        clusters=sorted({*gathered.looks, *gathered.missing}),
        missing=gathered.gone,
        unseen=list(dict.fromkeys([*gaps, *gathered.damaged, *gathered.unseen])),
        shard=gathered.shard,
        baselines=sorted({one for run in runs for one in run.baselines}),
        version=__version__,
        command=gathered.command,
        exit_code=_code(gathered, gaps, interrupted=interrupted),
        notices=list(dict.fromkeys(map(masked_sentence, notices))),
        waivers=standing,
        gate=gates.pop() if len(gates) == 1 else "any",
        compared=any(run.compared for run in runs),
        last=max(lasts, key=lambda one: str(one.get("seen")), default=None),
        frameworks=list(gathered.frameworks.values()),
        round_trips=joined.trips(runs),
        plan=[entry for run in runs for entry in run.plan] if gathered.planned <= PLANS else [],
    )


def _code(gathered: Gathered, gaps: list[str], *, interrupted: bool) -> int:
    looks = gathered.ordered
    current = Counter(look.part.folder for look in looks)
    codes = [look.code for look in looks]
    # Where a newer look took a cluster's place, the part's own code may be about the older one.
    codes += [look.part.run.exit_code for look in looks if current[look.part.folder] == look.among]
    codes += [run.exit_code for run in gathered.above if run.exit_code == joined.INTERRUPTED]
    if gathered.gone or gathered.unseen or gathered.damaged or gaps:
        codes.append(joined.COULD_NOT_LOOK)
    if interrupted:
        codes.append(joined.INTERRUPTED)
    if not codes and not gathered.shard:
        codes.append(joined.COULD_NOT_LOOK)
    return joined.code(codes)


def _notices(gathered: Gathered, gaps: list[str], *, interrupted: bool) -> Iterator[str]:
    if interrupted:
        yield "the run was interrupted: what is told here is what was there by then"
    yield from gaps
    yield from gathered.damaged
    yield from (f"clusters may be missing here, for they could not be looked for: {one}" for one in gathered.unseen)
    yield from (joined.unknown(cluster, why) for cluster, why in gathered.gone.items())
    yield from gathered.notices
    for part in gathered.parts:
        whose = ", ".join(part.run.clusters)
        if not part.head:
            yield f"nothing vouches for the report of {whose}: it has no {MANIFEST}"
        if part.run.exit_code not in _LOOKED:
            yield f"the run of {whose} ended with exit code {part.run.exit_code}: it may not have seen everything"
    if gathered.planned > PLANS:
        yield f"the plans, of {gathered.planned:,} entries, stand in the reports of the clusters"
