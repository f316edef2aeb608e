"""The end of a merged report: one run, one chain over all records, and what is said of them in each format."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hubspec import __version__, manifest
from hubspec.chain import Chain
from hubspec.cluster import folder as folders
from hubspec.fleet.gathered import SPOOL, Gathered
from hubspec.fleet.one_run import one_run
from hubspec.fleet.part import records
from hubspec.manifest import CHAIN, RECORDS
from hubspec.model import Outcome, Record, Run
from hubspec.report import fleet, markdown
from hubspec.report.files import written
from hubspec.report.formats import FORMATS, RUN
from hubspec.report.overview import Overview
from hubspec.vouched import Seal, vouch

MOST = 6000
"""Records up to which a merged report is as any other; above it, its page and its summary have counts and the most severe."""
STREAMED = ("csv", "ocsf")
"""Formats of a record at a time, which are written whatever their number."""
SUMMED = ("html", "markdown")


class Whole:
    """What was added to a merged report, in its last order: clusters by name."""

    def __init__(self, gathered: Gathered, *, interrupted: bool) -> None:
        """Take what was added."""
        self.gathered, self.interrupted = gathered, interrupted
        self.looks = gathered.ordered
        self.outcomes = sum((look.outcomes for look in self.looks), Counter[Outcome]())
        self.few = self.outcomes.total() <= MOST
        self.unwritten: list[str] = []
        self.tally = Overview()

    def written(self, formats: Sequence[str], sign_key: Path | None) -> Run:
        """Write all files, and return the run. Raises OSError where the records, their chain or the run cannot be written."""
        folder, run = self.gathered.folder, one_run(self.gathered, interrupted=self.interrupted)
        inputs, end, chain = self._inputs(run), self._end(run), Chain()
        held: list[Record] = []
        with (folder / RECORDS).open("wb") as out, (folder / CHAIN).open("w", encoding="utf-8") as links:

            def each() -> Iterator[tuple[Record, bytes]]:
                for line, record in self._lines():
                    out.write(line + b"\n")
                    self.tally.add(record)
                    if self.few:
                        held.append(record)
                    yield record, line

            links.writelines(manifest.links(chain, inputs, each(), end))
        run = run.model_copy(update={"head": chain.head})
        (folder / RUN).write_text(f"{run.model_dump_json(indent=1)}\n", encoding="utf-8")
        self.unwritten = [*self._left(formats), *written(folder, self._files(formats, held, run))]
        folders.remove(folder / SPOOL)
        self._vouch(Seal(inputs, end, chain.head), sign_key)
        return run

    def _lines(self) -> Iterator[tuple[bytes, Record]]:
        for look in self.looks:
            yield from records(look.file)

    def _files(self, formats: Iterable[str], held: list[Record], run: Run) -> dict[str, Any]:
        wanted = {name: FORMATS[name] for name in formats}
        if self.few:
            return {one.file: partial(one.render, held, run) for one in wanted.values()}
        files: dict[str, Any] = {
            one.file: lambda one=one: one.render((record for _, record in self._lines()), run)
            for name, one in wanted.items()
            if name in STREAMED
        }
        tally = self.tally
        summed = {
            "html": lambda: fleet.render(tally, run, self._links()),
            "markdown": lambda: markdown.summed(tally, run),
        }
        return files | {wanted[name].file: render for name, render in summed.items() if name in wanted}

    def _left(self, formats: Sequence[str]) -> Iterator[str]:
        left = [FORMATS[one].file for one in formats if one not in {*STREAMED, *SUMMED}]
        if left and not self.few:
            total = f"{self.outcomes.total():,} records"
            yield f"{', '.join(left)}: not written of {total} at once (at most {MOST:,}); a cluster's own is in its report, where it was asked for"

    def _links(self) -> dict[str, str]:
        """Return cluster -> its own report, as a path below the folder."""
        found = {}
        for look in self.looks:
            page = next((one.file for one in FORMATS.values() if (look.part.folder / one.file).is_file()), RECORDS)
            found[look.cluster] = (look.part.folder / page).relative_to(self.gathered.folder).as_posix()
        return found

    def _vouch(self, seal: Seal, key: Path | None) -> None:
        folder = self.gathered.folder
        parts = [part.folder.relative_to(folder).as_posix() for part in self.gathered.parts if part.sha256]
        if fault := vouch(folder, seal, key, parts):
            self.unwritten.append(fault)

    def _inputs(self, run: Run) -> dict[str, Any]:
        folder = self.gathered.folder
        parts = [
            {
                "folder": part.folder.relative_to(folder).as_posix(),
                "run": part.run.id,
                "head": part.head,
                "manifest": part.sha256,
            }
            for part in self.gathered.parts
        ]
        clusters = {look.cluster: look.part.folder.relative_to(folder).as_posix() for look in self.looks}
        told = {"run": run.id, "started": run.started.isoformat(), "command": run.command, "shard": run.shard}
        made = {"suite": {"version": __version__}, "python": platform.python_version()}
        return told | {"clusters": clusters, "missing": run.missing, "parts": parts} | made

    def _end(self, run: Run) -> dict[str, Any]:
        outcomes = {str(outcome): count for outcome, count in self.outcomes.items()}
        ended = {"finished": run.finished.isoformat(), "exit_code": run.exit_code}
        return ended | {"records": self.outcomes.total(), "outcomes": outcomes}
