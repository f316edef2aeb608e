"""Which clusters are meant: by id, name or tag, all of them, or this machine's own; asked of AWS where that has to be."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from operator import itemgetter

from hubspec.cluster.beside import ended, start
from hubspec.cluster.here import here
from hubspec.cluster.options import ADDRESS, CLUSTER_ID
from hubspec.cluster.register import Entry, Register
from hubspec.errors import DoorError, UnknownClusterError

FORMS = "an id of EMR (j-2AXXXXXXGAPLF), name:NAME, tag:KEY=VALUE, all, local, or ssh://USER@HOST:PORT"
"""What can be said of a cluster, the lab aside."""
AT_ONCE = 8
"""Questions to one region at the same time: DescribeCluster may be asked ten times in a burst (EMR's quotas)."""
TOGETHER = 32
"""Questions to all regions at the same time."""
TELL = 2.0
"""Seconds between two lines of progress."""
SHOWN = 10
"""Of how many clusters it is told that they are there, where none is the one that was meant."""


@dataclass(frozen=True)
class Found:
    """A cluster that is meant, by its id, address or name of the lab.

    `region` is where it is asked, None for where the standard variables say. `called` and `tags` are its at EMR, where
    that was looked up. `trouble` says why it cannot be audited, `unknown` that AWS knows no such cluster.
    """

    id: str
    region: str | None = None
    called: str = ""
    trouble: str = ""
    unknown: bool = False
    tags: tuple[tuple[str, str], ...] = ()


@dataclass
class Search:
    """What came of a search: the clusters, each once; what was left out and why; and where nobody could look."""

    found: dict[str, Found] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def add(self, one: Found) -> None:
        """Take a cluster, where it is not there yet."""
        self.found.setdefault(one.id, one)


def is_form(word: str) -> bool:
    """Say whether a word can be meant as a cluster, the lab aside."""
    return re.fullmatch(rf"{CLUSTER_ID}|{ADDRESS}|name:.+|tag:.+?=.*|all|local", word, re.DOTALL) is not None


def asks(words: Sequence[str], regions: Sequence[str]) -> bool:
    """Say whether AWS has to be asked which clusters are meant."""
    return any(_searched(word) for word in words) or (len(regions) > 1 and any(_is_id(word) for word in words))


def find(words: Sequence[str], register: Register, say: Callable[[str], None]) -> Search:
    """Return the clusters that are meant by these words.

    An id that no region of several knows is there too, with its trouble. Raises UnknownClusterError where a name, a tag
    or `all` is that of none and everywhere could be looked, or this machine is no master node; DoorError where nothing
    was found because AWS did not let us look.
    """
    search = Search()
    listed = _listed(words, register, search, say)
    for word in words:
        if word == "local":
            mine, region = here()
            search.add(Found(mine, region or _only(register)))
        elif _is_id(word):
            search.add(_by_id(word, register, say))
        elif _searched(word):
            entries = _meant(word, listed, register, search, say)
            for entry in entries:
                search.add(Found(entry.id, entry.region, entry.name))
            if not entries and not search.unseen:
                raise UnknownClusterError(_none(word, listed, register))
        else:
            search.add(Found(word))
    if not search.found and search.unseen:
        raise DoorError(f"no cluster was found: {'; '.join(search.unseen)}")
    return search


def describe(search: Search, register: Register, wanted: Collection[str], say: Callable[[str], None]) -> None:
    """Add what is wanted of each cluster, its name or its tags. One of which that cannot be had is in trouble."""
    mine = [
        one
        for one in search.found.values()
        if _is_id(one.id) and not one.trouble and ("tag" in wanted or ("name" in wanted and not one.called))
    ]
    jobs = _begun([Entry(one.id, one.region) for one in mine], register)
    done = lambda: f"{sum(job.done() for job in jobs)} of {len(jobs)} clusters described"  # noqa: E731
    ended(jobs, _telling(say, done), TELL)
    for one, job in zip(mine, jobs, strict=True):
        try:
            about = job.result()
            search.found[one.id] = replace(one, called=about.name, tags=tuple(about.tags.items()))
        except UnknownClusterError as error:
            search.found[one.id] = replace(one, trouble=str(error), unknown=True)
        except DoorError as error:
            why = f"which settings are for {one.id} is not known: {error}"
            search.found[one.id] = replace(one, trouble=why)


def _is_id(word: str) -> bool:
    return re.fullmatch(CLUSTER_ID, word) is not None


def _searched(word: str) -> bool:
    return word == "all" or word.startswith(("name:", "tag:"))


def _only(register: Register) -> str | None:
    return register.regions[0] if len(register.regions) == 1 else None


def _by_id(word: str, register: Register, say: Callable[[str], None]) -> Found:
    """Return it in the region that knows it; where only one is asked, nothing has to be looked up."""
    if len(register.regions) < 2:
        return Found(word, _only(register))
    told, shut = _asked([Entry(word, region) for region in register.regions], register, say)
    if told:
        return Found(word, told[0].region, told[0].name)
    if shut:
        return Found(word, trouble=f"{word} was not found: {'; '.join(shut)}")
    where = ", ".join(map(str, register.regions))
    return Found(word, trouble=f"there is no cluster {word} in this account in {where}", unknown=True)


def _listed(words: Sequence[str], register: Register, search: Search, say: Callable[[str], None]) -> list[Entry]:
    """Return the living clusters of all regions, where anything has to be searched among them."""
    if not any(_searched(word) for word in words):
        return []
    regions = register.regions or [None]
    jobs = start([partial(register.living, region) for region in regions], AT_ONCE)
    ended(jobs, _telling(say, lambda: "listing the clusters"), TELL)
    entries: list[Entry] = []
    for region, job in zip(regions, jobs, strict=True):
        try:
            entries += job.result()
        except DoorError as error:
            search.unseen.append(f"{register.place(region)}: {error}")
    return entries


def _meant(
    word: str, listed: list[Entry], register: Register, search: Search, say: Callable[[str], None]
) -> list[Entry]:
    if word.startswith("name:"):
        return [entry for entry in listed if like(entry.name, word.removeprefix("name:"))]
    if word == "all":
        entries, shut = _asked([entry for entry in listed if entry.up], register, say)
        without = [entry for entry in entries if "JupyterHub" not in entry.applications]
        search.left_out += [f"{entry.said}: it has no JupyterHub" for entry in without]
        search.left_out += [f"{entry.said}: it is not up yet" for entry in listed if not entry.up]
        entries = [entry for entry in entries if entry not in without]
    else:
        key, _, value = word.removeprefix("tag:").partition("=")
        entries, shut = _asked(listed, register, say)
        entries = [entry for entry in entries if key in entry.tags and like(entry.tags[key], value)]
    search.unseen += shut
    return entries


def like(text: str, pattern: str) -> bool:
    """Say whether a name or the value of a tag is the one that is meant, which may be a shell pattern."""
    return text == pattern or fnmatchcase(text, pattern)


def _asked(entries: list[Entry], register: Register, say: Callable[[str], None]) -> tuple[list[Entry], list[str]]:
    """Return what AWS tells of each, and why it does not of others. One that is gone meanwhile is neither."""
    jobs = _begun(entries, register)
    done = lambda: f"{sum(job.done() for job in jobs)} of {len(jobs)} clusters described"  # noqa: E731
    ended(jobs, _telling(say, done), TELL)
    told: list[Entry] = []
    shut: list[str] = []
    for entry, job in zip(entries, jobs, strict=True):
        try:
            told.append(job.result())
        except UnknownClusterError:
            continue
        except DoorError as error:
            shut.append(f"{entry.id} in {register.place(entry.region)}: {error}")
    return told, list(dict.fromkeys(shut))


def _begun(entries: Sequence[Entry], register: Register) -> list[Future[Entry]]:
    """Have AWS asked about each, and return the answers to come in the same order.

    The regions take turns: each has limits of its own, and of many clusters none has to wait for those of another region.
    """
    ranks: Counter[str | None] = Counter()
    turns = []
    for place, entry in enumerate(entries):
        turns.append((ranks[entry.region], place))
        ranks[entry.region] += 1
    order = [place for _, place in sorted(turns)]
    begun = start([partial(register.about, entries[place]) for place in order], min(AT_ONCE * len(ranks), TOGETHER))
    return [job for _, job in sorted(zip(order, begun, strict=True), key=itemgetter(0))]


def _telling(say: Callable[[str], None], line: Callable[[], str]) -> Callable[[], None]:
    told = time.monotonic()

    def tick() -> None:
        nonlocal told
        if time.monotonic() - told >= TELL:
            told = time.monotonic()
            say(f"looking for clusters: {line()}")

    return tick


def _none(word: str, listed: list[Entry], register: Register) -> str:
    sort = {"all": "running cluster with JupyterHub"}.get(word, "living cluster with that name")
    sort = "living cluster with that tag" if word.startswith("tag:") else sort
    there = ", ".join(entry.said for entry in listed[:SHOWN]) or "none"
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    where = ", ".join(register.place(region) for region in register.regions or [None])
    return f"--cluster {word}: there is no {sort} in {register.account(listed)}, {where}; living there: {there}{more}"
