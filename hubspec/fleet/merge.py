"""The reports of many runs as one: each is taken as it comes, and stays below `clusters/` as its run left it.

What is held in memory grows with the clusters and not with their records: those are read from the disk, a line at a time.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from hubspec.cluster import folder as folders
from hubspec.errors import DoorError, HubspecError
from hubspec.fleet.gathered import SPOOL, Gathered
from hubspec.fleet.look import Look, looks, safe
from hubspec.fleet.part import CLUSTERS, Part, PartError, opened
from hubspec.fleet.part import run as run_of
from hubspec.fleet.whole import Whole
from hubspec.manifest import CHAIN, RECORDS
from hubspec.model import Run
from hubspec.printable import printable
from hubspec.report.formats import OF_MANY, RUN
from hubspec.report.overview import Overview
from hubspec.vouched import forget


class Merged:
    """A merged report that grows in a folder, new or empty: `add` takes a report, `finish` writes what is said of all.

    After `finish` there are `run` and `tally`, for whoever tells of it, and in `unwritten` a sentence for each file
    that could not be written. One thread at a time.
    """

    def __init__(self, folder: Path, *, command: str = "", shard: str = "") -> None:
        """Take the folder; the command line, without a secret; and I/N where these are the clusters of one shard.

        Raises HubspecError where the folder holds something.
        """
        self.folder, self.tally = folder, Overview()
        self.run: Run | None = None
        self.unwritten: list[str] = []
        self._all = Gathered(folder, command, shard)
        self._number = itertools.count(1)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise HubspecError(f"{folder} is not empty: a merged report takes a folder of its own")
            (folder / CLUSTERS).mkdir()
        except OSError as error:
            raise self._stuck(error) from None

    def add(self, report: Path, *, move: bool = False, name: str = "") -> list[str]:
        """Take the report of a run, of one cluster or several, or a merged one, and return the clusters it is now used for.

        The report is copied, or with `move` taken away; `name` is what it is called where something has to be said of it. A cluster that is there already stays with its newest look. A
        damaged report costs itself: it is told in the notices, and the exit code says that not everything was looked
        at. Raises DoorError where the merged report cannot be written.
        """
        inner, name = report / CLUSTERS, name or "/".join(report.parts[-2 if report.name == "latest" else -1 :])
        if not inner.is_dir():
            return self._add(report, name, move=move)
        taken: list[str] = []
        try:
            for one in sorted(inner.iterdir()):
                if one.is_dir() and not one.is_symlink():
                    taken += self._add(one, f"{one.name} in {name}", move=move)
            above = run_of(report)
        except OSError as error:
            self._damaged(name, PartError(f"{CLUSTERS} cannot be read: {error.strerror}"))
            return taken
        except PartError as error:
            self._damaged(name, error)
            return taken
        self._all.above.append(above.model_copy(update={"frameworks": [], "plan": []}))
        self._all.unseen += above.unseen
        for cluster in above.clusters:
            if cluster not in self._all.looks:
                self.lost(cluster, above.missing.get(cluster, f"its report is not in {name}"))
        return taken

    def lost(self, cluster: str, reason: str) -> None:
        """Say that nothing was found out about a cluster, and why; a report of it that is added counts all the same."""
        self._all.missing.setdefault(cluster, reason)

    def blind(self, sentence: str) -> None:
        """Say that clusters could not be looked for somewhere, so that some may be missing."""
        self._all.unseen.append(sentence)

    def notice(self, sentence: str) -> None:
        """Have a sentence stand on top of the report."""
        self._all.notices.append(sentence)

    def finish(
        self, formats: Sequence[str] = OF_MANY, *, interrupted: bool = False, sign_key: Path | None = None
    ) -> int:
        """Write the merged report with what is there, and return its exit code. Raises DoorError where it cannot; what was added stays.

        `formats` are names of `hubspec.report.formats`; `interrupted`: not every cluster that was meant had its turn.
        """
        try:
            whole = Whole(self._all, interrupted=interrupted)
            self.run = whole.written(formats, sign_key)
            self.tally, self.unwritten = whole.tally, whole.unwritten
        except OSError as error:
            for name in (RECORDS, CHAIN, RUN):
                forget(self.folder / name)  # no half of a report may be taken for one
            raise self._stuck(error) from None
        return self.run.exit_code

    def _add(self, report: Path, name: str, *, move: bool) -> list[str]:
        there = self.folder / CLUSTERS / f".{next(self._number)}"
        try:
            part = opened(report)
            found = looks(part)
        except PartError as error:
            self._damaged(name, error)
            return []
        try:
            if len(found) > 1:
                self._split(part, found)
            (folders.move if move else folders.copy)(report, there)
        except OSError as error:
            with contextlib.suppress(OSError):
                folders.remove(there)
            if not Path(str(error.filename)).is_relative_to(report):
                raise self._stuck(error) from None
            self._damaged(name, PartError(f"{Path(str(error.filename)).name} cannot be read: {error.strerror}"))
            return []
        for cluster in part.run.clusters:
            if cluster not in found:
                self.lost(cluster, part.run.missing.get(cluster, f"its run (in {name}) left no record of it"))
        self._all.unseen += part.run.unseen
        if not found:
            # A shard without a cluster, whose empty folder of clusters no place in S3 can hold.
            self._all.above.append(part.run.model_copy(update={"frameworks": [], "plan": []}))
        return self._place(replace(part, folder=there), found)

    def _split(self, part: Part, found: dict[str, Look]) -> None:
        spool = self.folder / SPOOL
        spool.mkdir(exist_ok=True)
        for number, look in zip(self._number, found.values(), strict=False):
            look.file = spool / f"{number}.jsonl"
        for name, group in itertools.groupby(part.records(), key=lambda one: one[1].cluster):
            with found[name].file.open("ab") as out:
                out.writelines(line + b"\n" for line, _ in group)

    def _place(self, part: Part, found: dict[str, Look]) -> list[str]:
        newer = {name: look for name, look in found.items() if self._counts(look)}
        before = [self._all.looks[name].part for name in newer if name in self._all.looks]
        self._all.looks |= newer
        still = {look.part.folder for look in self._all.looks.values()}
        for old in before:
            if old.folder not in still:
                folders.remove(old.folder)
        if not newer:
            folders.remove(part.folder)
            return []
        name = next(iter(found)) if len(found) == 1 else f"run-{part.run.id[:8]}"
        to = next(path for path in self._places(safe(name)) if not path.exists())
        part.folder.rename(to)
        kept = self._all.keep(replace(part, folder=to))
        for look in newer.values():
            look.file = kept.file if len(found) == 1 else look.file
            look.part = kept
        return list(newer)

    def _places(self, name: str) -> Iterator[Path]:
        yield self.folder / CLUSTERS / name
        yield from (self.folder / CLUSTERS / f"{name}-{number}" for number in itertools.count(2))

    def _counts(self, look: Look) -> bool:
        there = self._all.looks.get(look.cluster)
        if there is None:
            return True
        kept, other = (look, there) if look.seen > there.seen else (there, look)
        left = f"that of {other.seen:%Y-%m-%d %H:%M:%S} UTC" if kept.seen > other.seen else "another of the same time"
        self.notice(
            f"{look.cluster} is there twice: the look of {kept.seen:%Y-%m-%d %H:%M:%S} UTC counts, and {left} is left out"
        )
        return kept is look

    def _damaged(self, name: str, error: PartError) -> None:
        self._all.damaged.append(printable(f"{name} is left out: {error}"))

    def _stuck(self, error: OSError) -> DoorError:
        return DoorError(f"{self.folder} cannot be written: {error.strerror or error}")
