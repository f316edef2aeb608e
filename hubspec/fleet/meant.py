"""Which clusters a fleet has, and the job of each: what its audit is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path

from hubspec.arguments import Arguments
from hubspec.baseline import load
from hubspec.cluster.find import FORMS, Found, Search, describe, find, is_form
from hubspec.cluster.options import CLUSTER_ID, CONFIG, OF_THE_WHOLE, SWITCHES, in_environment
from hubspec.cluster.register import Register
from hubspec.cluster.warm import ROOT
from hubspec.configured import FLEET
from hubspec.destination import destination
from hubspec.fleet.grammar import DEADLINE, NOT_HERE, ON, TEXTS
from hubspec.fleet.job import Job
from hubspec.fleet.lent import Lent
from hubspec.fleet.shard import Shard
from hubspec.masked import masked
from hubspec.printable import printable
from hubspec.provenance import OPTIONS, for_none, of_clusters, settings
from hubspec.report.formats import OF_MANY
from hubspec.saved import found
from hubspec.snapshot import read_file

LAB = "lab"
_MINE = {"--reports", "--history"}
"""Options of an audit that have another value in each."""
_NO_LOOK = {"--smoke", "--checks", "--remediate"}
"""Those that do something on a cluster, which nobody can who does not look at it."""
_OF_A_TABLE = ("--baseline", "--waivers")


@dataclass
class Meant:
    """The jobs of a fleet, of how many clusters in all; what was left out; and where nobody could look for more."""

    jobs: list[Job] = field(default_factory=list)
    of: int = 0
    left_out: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Frame:
    """What the jobs of a run share: its id, the folder of their reports, its part of the clusters.

    `remote`: they run where no disk is shared.
    """

    run: str
    parts: Path
    part: Shard | None
    remote: bool


class Wish(Arguments):
    """The options of a fleet."""

    def number(self, option: str, least: int) -> int | None:
        """Return a whole number, None for none. Refuses one that is too small, and what is none."""
        value = self.text(option)
        if value is None:
            return None
        if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < least:
            self.refuse(f"{option}: wanted a whole number from {least}, found {printable(value)}")
        return int(value)

    @property
    def reports(self) -> Path:
        """Return the folder of the reports."""
        return (self.path("--reports") or ROOT / "reports").resolve()

    @property
    def audit_deadline(self) -> float:
        """Return the seconds that the audit of one cluster may take."""
        return self.seconds("--audit-deadline", DEADLINE)

    @property
    def pytest(self) -> list[str]:
        """Return what is handed to pytest as it stands."""
        return list(self._asked.pytest)

    @property
    def results(self) -> str | None:
        """Return where the results go, a folder or s3://BUCKET/PREFIX/. Refuses any other place."""
        found = destination(self)
        return found.place if found else None

    def history(self, name: str, *, saved: bool) -> str:
        """Return the place of the history of one cluster: a folder of its own, for its runs alone are compared with.

        A history reads the newest files of its place, and a night of a fleet leaves one for each cluster.
        """
        place = self.text("--history") or (
            f"{self.results.rstrip('/')}/history" if self.results and not saved else None
        )
        if place == "none" or (place is None and saved):
            return "none"
        if place and place.startswith("s3:"):
            return f"{place.rstrip('/')}/{name}/"
        return str((self.as_path(place) if place else self.reports / "history").resolve() / name)

    def handed_on(self, *, remote: bool) -> Iterator[tuple[str, str]]:
        """Yield the options of each audit, and their values; an empty one for an option without.

        What the environment or a file says is found by an audit itself, where it runs on this machine. The
        environment of another machine is another.
        """
        for option in (CONFIG, *TEXTS, "--smoke"):
            value = self.given(option) or (in_environment(option) if remote else None)
            if value and option not in _MINE and option not in OF_THE_WHOLE:
                yield option, value
        for value in self.many("--checks") if remote else self.repeated("--checks"):
            yield "--checks", value
        for option in ON:
            if self.switched(option) or (remote and in_environment(option) == "1"):
                yield option, ""


def meant(options: Wish, frame: Frame, say: Callable[[str], None]) -> Meant:
    """Return the clusters with their jobs, in the frame of their run. Raises HubspecError."""
    _possible(options)
    search = _saved(options) if options.repeated("--snapshot") else _found(options, say)
    tables = {key: options.configured.layers(one.id, one.called, dict(one.tags)) for key, one in search.found.items()}
    for line in (
        *settings(options, (*OPTIONS, *FLEET)),
        *of_clusters((search.found[key].id, options.of(its), its) for key, its in tables.items()),
        *for_none(options, options.configured, (layer.source for its in tables.values() for layer in its)),
    ):
        say(line)
    made = Meant([], len(search.found), search.left_out, search.unseen)
    common = tuple(options.handed_on(remote=frame.remote))
    names: set[str] = set()
    for key, one in search.found.items():
        if frame.part and not frame.part.holds(one.id):
            continue
        options.tables = tables[key]
        made.jobs.append(_job(options, one, common, _folder(one.id, names), "" if one.id == key else key))
    for number, job in enumerate(made.jobs):
        place = "" if frame.remote else str(frame.parts / job.name)
        made.jobs[number] = replace(job, run=frame.run, place=place, lent=job.lent if frame.remote else None)
    _baselines(options, search.found.values())
    return made


def _job(options: Wish, one: Found, common: tuple[tuple[str, str], ...], name: str, saved: str) -> Job:
    emr = re.fullmatch(CLUSTER_ID, one.id) is not None and not saved
    target = [("--snapshot", saved)] if saved else [("--cluster", one.id)]
    target += [("--region", one.region)] if one.region and not saved else []
    if not options.text("--report"):
        common = (*common, ("--report", ",".join(OF_MANY)))
    words = options.pytest
    first = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    place = options.history(name, saved=bool(saved))
    history = [("--history", place)]
    key = options.text("--results-kms-key")
    if key and options.results and not options.text("--history") and not options.text("--history-kms-key"):
        history += [("--history-kms-key", key)]  # beside the report, and sealed as it is
    # What a table of a file says for this cluster is not found by its name where no cluster is named.
    tables = [(option, str(path)) for option in _OF_A_TABLE if (path := options.path(option))]
    blind = [pair for pair in common if pair[0] not in {*_NO_LOOK, *_OF_A_TABLE}]
    return Job(
        one.id,
        name,
        options=(*_words([*target, *common, *history]), *words[first:]),
        otherwise=(*_words([*blind, *tables, *history]), *words[first:]),
        folder=str(options.folder),
        deadline=options.audit_deadline,
        run="",
        region=(one.region or "default") if emr else "",
        paths=tuple(words[:first]),
        blind=one.trouble,
        lent=None if place == "none" or place.startswith("s3:") else Lent(place, options.text("--history-keep") or ""),
    )


def _possible(options: Wish) -> None:
    """Refuse what makes no sense for a fleet."""
    _ = options.audit_deadline
    for option, why in NOT_HERE.items():
        if options.on(option) if option in SWITCHES else options.text(option):
            options.refuse(f"{option} is nothing for a fleet: {why}")
    if not options.repeated("--snapshot") and options.text("--snapshot"):
        where = options.source("--snapshot")
        options.refuse(f"--snapshot of {where}: a fleet takes its snapshots from the command line alone; take it out")
    if options.repeated("--snapshot") and options.repeated("--cluster"):
        options.refuse("--snapshot looks at no cluster: give it or --cluster, not both")
    if (options.text("--remediate") or "plan") not in {"plan", "safe", "unsafe"}:
        options.refuse("--remediate FILE: a plan is for one cluster; give it to pytest with that --cluster")


def _saved(options: Wish) -> Search:
    """Return the clusters of saved snapshots, each by its file."""
    search = Search()
    for name in options.repeated("--snapshot"):
        path = options.as_path(name).resolve()
        search.found[str(path)] = found(options, options.configured, read_file(path))
    return search


def _found(options: Wish, say: Callable[[str], None]) -> Search:
    words = options.many("--cluster")
    if not words:
        options.refuse(f"which clusters? Give --cluster all, or --cluster with {FORMS}; or --snapshot FILE")
    wrong = [word for word in words if word != LAB and not is_form(word)]
    if wrong:
        options.refuse(f"--cluster {printable(masked(wrong[0]))}: there is no such cluster; known are lab, or {FORMS}")
    register = Register(options.regions, deadline=options.deadline, progress=say)
    search = find(words, register, say)
    describe(search, register, options.configured.asks, say)
    return search


def _baselines(options: Wish, found: Iterable[Found]) -> None:
    """Read each baseline once before anything is begun. Raises HubspecError with every fault."""
    read: set[tuple[Path, Path | None]] = set()
    for one in found:
        options.tables = options.configured.layers(one.id, one.called, dict(one.tags))
        path, waivers = options.path("--baseline"), options.path("--waivers")
        if path is None and one.id == LAB:
            continue  # which one is the lab's is known where the lab is looked at
        asked = (path or ROOT / "baselines" / "emr.yaml", waivers)
        if asked not in read:
            read.add(asked)
            load(asked[0], waivers=waivers, now=datetime.now(UTC))


def _words(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield options as words; a value stands with its option, so that one that begins with a dash is none."""
    return (f"{option}={value}" if value else option for option, value in pairs)


def _folder(cluster: str, names: set[str]) -> str:
    """Return a name for the folder of a cluster that no other has."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", cluster).strip(".-") or "cluster"
    name = plain if plain == cluster else f"{plain}-{sha256(cluster.encode()).hexdigest()[:8]}"
    name = next(one for number in count(1) if (one := name if number == 1 else f"{name}-{number}") not in names)
    names.add(name)
    return name
