"""One run out of many: its exit code, its notices, its waivers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hubspec import waiver_standing
from hubspec.masked import masked_sentence
from hubspec.model import Run

COMPLIANT, DRIFT, INTERRUPTED, NOTHING, COULD_NOT_LOOK = 0, 1, 2, 5, 11
"""As an audit has them."""
NOTICES = 200
"""How many notices of its parts a merged run repeats; each part's own report has all of its own."""
_TIMED = ("expired", "not begun", "expiring", "active")
"""States of a waiver that hold on every cluster; the others say that one cluster does not need it."""
_UNTIMED = ("unneeded", "orphan", "not looked at")


def code(codes: Iterable[int]) -> int:
    """Return the exit code of runs with these: an interrupted one before all, then drift, then what could not be looked at.

    A run that ended in any other way, such as wrong use or a fault of the suite, has not looked.
    """
    found = set(codes)
    if found <= {COMPLIANT}:
        return COMPLIANT
    return next((one for one in (INTERRUPTED, DRIFT) if one in found), COULD_NOT_LOOK)


def waivers(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return every waiver once, with all that it met. One that any cluster needs is needed."""
    alike: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for run in runs:
        for one in run.waivers:
            alike.setdefault((str(one.get("declared_at")), str(one.get("key"))), []).append(one)
    return [_one(each) for each in alike.values()]


def _one(alike: list[dict[str, Any]]) -> dict[str, Any]:
    for state in (*_TIMED, *_UNTIMED):
        same = [one for one in alike if one["state"] == state]
        if same:
            break
    sums = {key: sum(int(one.get(key, 0)) for one in alike) for key in ("checks", "drifting")}
    # What one cluster still needs of it goes before what another has no more use for.
    made = min(same, key=lambda one: (bool(one.get("succeeded")), not one.get("drifting"))) | sums
    if state in _UNTIMED and len(alike) > 1:
        about = f"waiver {made['key']} of {made['owner']} ({made['ticket']})"
        made |= {"sentence": f"{about} is needed on none of the {len(alike)} clusters whose baseline has it"}
    return made


def notices(runs: Sequence[Run], standing: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield what is to be known first of these runs: of the waivers as they stand in all of them, then what each says."""
    yield from map(masked_sentence, waiver_standing.notices(standing))
    told: dict[str, None] = {}
    for run in runs:
        own = {masked_sentence(f"{one['declared_at']}: {one['sentence']}") for one in run.waivers}
        own |= {masked_sentence(unknown(cluster, why)) for cluster, why in run.missing.items()}
        told |= dict.fromkeys(line for line in run.notices if line not in own)
    yield from list(told)[:NOTICES]
    if len(told) > NOTICES:
        yield f"{len(told) - NOTICES} more notices stand in the reports of the clusters"


def unknown(cluster: str, why: str) -> str:
    """Return what is said of a cluster that is in no records."""
    return f"{cluster} could not be looked at: {why}"


def trips(runs: Iterable[Run]) -> dict[str, int]:
    """Return door -> round trips of all the runs."""
    count: Counter[str] = Counter()
    for run in runs:
        count.update(run.round_trips)
    return dict(count)


def shards(runs: Iterable[Run]) -> Iterator[str]:
    """Yield a sentence for each shard that is missing, and one where the shards are not of one splitting."""
    there: dict[str, set[str]] = {}
    for run in runs:
        number, _, of = run.shard.partition("/")
        if of:
            there.setdefault(of, set()).add(number)
    for of, numbers in there.items():
        missing = [str(one) for one in range(1, int(of) + 1) if str(one) not in numbers]
        if missing:
            yield f"shard {', '.join(missing)} of {of} is missing here: nothing is said of its clusters"
    if len(there) > 1:
        yield f"these are shards of several splittings (into {', '.join(sorted(there))}): clusters may be missing or double"
