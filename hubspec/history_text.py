"""`python -m hubspec history`: the runs of a history, and what differs between two of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hubspec.errors import HubspecError
from hubspec.history import BLIND, DRIFTING, Key, Past, worsened
from hubspec.model import Outcome, Severity
from hubspec.printable import printable
from hubspec.remembered import History

_LATEST = re.compile(r"latest(?:~(\d{1,6}))?")


@dataclass(frozen=True)
class Difference:
    """What two runs say of what both looked at, and how much only one of them did."""

    before: Past
    after: Past
    new: list[Key]
    fixed: list[Key]
    still: list[Key]
    only_before: int
    only_after: int


def listed(history: History, cluster: str | None = None) -> list[Past]:
    """Return the heads of the runs, oldest first, of one cluster or of all."""
    return [past for _, past in history.every() if cluster is None or cluster in past.clusters]


def found(history: History, word: str, cluster: str | None = None) -> Past:
    """Return the run with this id or the beginning of one, the `latest`, or `latest~N`, the Nth before it.

    Raises HubspecError where there is none, or more than one.
    """
    files = [(file, past) for file, past in history.every() if cluster is None or cluster in past.clusters]
    heads = [past for _, past in files]
    if match := _LATEST.fullmatch(word):
        back = int(match[1] or 0)
        mine = heads[-1 - back : len(heads) - back] if back < len(heads) else []
    else:
        mine = [one for one in heads if one.run.startswith(word)]
    if len(mine) != 1:
        what = f"{len(mine)} runs begin" if mine else "no run begins"
        known = f"the history in {history.keep.where} has {len(heads)} run{'s' * (len(heads) != 1)}"
        about = f"{known}; see python -m hubspec history list"
        raise HubspecError(f"{what} with {word!r}: {about}" if not match else f"there is no run {word}: {about}")
    past = history.one(next(file for file, past in files if past is mine[0]))
    if past is None:
        raise HubspecError(f"run {mine[0].run} cannot be read")
    return past


def difference(before: Past, after: Past) -> Difference:
    """Return what differs. What one of the two did not look at, or could not, is neither new nor fixed."""
    one = {key: look for key, look in before.looks.items() if look.outcome not in BLIND}
    two = {key: look for key, look in after.looks.items() if look.outcome not in BLIND}
    both = sorted(one.keys() & two.keys())
    drifted = {key for key in both if one[key].outcome in DRIFTING}
    drifts = {key for key in both if two[key].outcome in DRIFTING}
    worse = {key for key in drifts & drifted if worsened(one[key], two[key])}
    return Difference(
        before,
        after,
        new=[key for key in both if key in (drifts - drifted) | worse],
        fixed=[key for key in both if key in drifted - drifts],
        still=[key for key in both if key in drifts & drifted - worse],
        only_before=len(one.keys() - two.keys()),
        only_after=len(two.keys() - one.keys()),
    )


def list_lines(runs: list[Past]) -> Iterator[str]:
    """Yield a line for each run: when, its id, its exit code, what drifted, and its clusters."""
    for past in runs:
        drifted = ", ".join(f"{past.drifted[one]} {one}" for one in reversed(Severity) if past.drifted.get(one))
        others = ", ".join(f"{count} {name}" for name, count in sorted(past.outcomes.items()) if name != "drifted")
        said = f"drifted: {drifted or 'nothing'}; {others or 'nothing else'}"
        clusters = ", ".join(printable(one) for one in past.clusters)
        yield f"{past.seen:%Y-%m-%d %H:%M:%S} UTC  {past.run[:8]}  exit {past.exit_code:<2}  {said}  ({clusters})"


def difference_lines(found_: Difference) -> Iterator[str]:
    """Yield what is new, fixed and still drifting, the worst first."""
    for past, sign in ((found_.before, "A"), (found_.after, "B")):
        yield f"{sign}: run {past.run[:8]} of {past.seen:%Y-%m-%d %H:%M:%S} UTC on {', '.join(map(printable, past.clusters))}"
    for word, keys in (("new", found_.new), ("still", found_.still), ("fixed", found_.fixed)):
        for key in sorted(keys, key=lambda one: (-_rank(found_, one), one)):
            cluster, kind, resource, _, control = map(printable, key)
            waived = ", waived" if found_.after.looks[key].outcome is Outcome.WAIVED else ""
            yield f"{word:<6}{found_.after.looks[key].severity:<9}{control}  {cluster}: {kind} {resource}{waived}"
    yield f"{len(found_.new)} new, {len(found_.still)} still, {len(found_.fixed)} fixed"
    if found_.only_before or found_.only_after:
        yield f"not compared: {found_.only_before} checks of A alone, {found_.only_after} of B alone"


def _rank(found_: Difference, key: Key) -> int:
    return list(Severity).index(found_.after.looks[key].severity)


def difference_json(found_: Difference) -> str:
    """Return the same as a JSON document."""
    names = ("cluster", "kind", "resource", "check", "control")

    def told(keys: list[Key]) -> list[dict[str, Any]]:
        looks = found_.after.looks
        return [
            dict(zip(names, one, strict=True)) | {"severity": looks[one].severity, "outcome": looks[one].outcome}
            for one in keys
        ]

    document = {
        "a": found_.before.run,
        "b": found_.after.run,
        "new": told(found_.new),
        "still": told(found_.still),
        "fixed": told(found_.fixed),
        "not_compared": {"a": found_.only_before, "b": found_.only_after},
    }
    return json.dumps(document, indent=1, ensure_ascii=False)


def list_json(runs: list[Past]) -> str:
    """Return the runs as a JSON document."""
    fields = ("run", "version", "clusters", "exit_code", "outcomes", "drifted")
    rows = [{name: getattr(one, name) for name in fields} | {"seen": one.seen.isoformat()} for one in runs]
    return json.dumps(rows, indent=1, ensure_ascii=False)
