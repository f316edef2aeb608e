"""The end of a merged report: one run, one chain over all records, and what is said of them in each format."""

from __future__ import annotations

import platform
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from hubspec import __version__, manifest
from hubspec.chain import Chain
from hubspec.cluster import folder as folders
from hubspec.fleet import joined
from hubspec.fleet.gathered import SPOOL, Gathered
from hubspec.fleet.look import Look
from hubspec.fleet.part import Part, records
from hubspec.manifest import CHAIN, MANIFEST, RECORDS, SIGNATURE
from hubspec.masked import masked_sentence
from hubspec.model import Outcome, Record, Run
from hubspec.report import fleet, markdown
from hubspec.report.files import written
from hubspec.report.formats import ALLURE, FORMATS, RUN
from hubspec.report.overview import Overview
from hubspec.signature import SignatureError, sign

MOST = 6000
"""Records up to which a merged report is as any other; above it, its page and its summary have counts and the most severe."""
PLANS = 500
"""Entries of plans that a merged report repeats."""
STREAMED = ("csv", "ocsf")
"""Formats of a record at a time, which are written whatever their number."""
SUMMED = ("html", "markdown")


class Whole:
    """What was added to a merged report, in its last order: clusters by name."""

    def __init__(self, gathered: Gathered, *, interrupted: bool) -> None:
        """Take what was added."""
        self.gathered, self.interrupted = gathered, interrupted
        self.looks: list[Look] = [gathered.looks[name] for name in sorted(gathered.looks)]
        self.parts: list[Part] = list({look.part.folder: look.part for look in self.looks}.values())
        self.missing = {name: gathered.missing[name] for name in sorted(gathered.missing) if name not in gathered.looks}
        self.outcomes = sum((look.outcomes for look in self.looks), Counter[Outcome]())
        self.few = self.outcomes.total() <= MOST
        self.unwritten: list[str] = []
        self.tally = Overview()

    def written(self, formats: Sequence[str], sign_key: Path | None) -> Run:
        """Write all files, and return the run. Raises OSError where the records, their chain or the run cannot be written."""
        folder, run = self.gathered.folder, self._run(formats)
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
        self.unwritten = written(folder, self._files(formats, held, run))
        folders.remove(folder / SPOOL)
        self._vouch(inputs, end, chain.head, sign_key)
        return run

    def _lines(self) -> Iterator[tuple[bytes, Record]]:
        for look in self.looks:
            yield from records(look.file)

    def _files(self, formats: Iterable[str], held: list[Record], run: Run) -> dict[str, Any]:
        wanted = {name: FORMATS[name] for name in formats if name != ALLURE}
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

    def _links(self) -> dict[str, str]:
        """Return cluster -> its own report, as a path below the folder."""
        found = {}
        for look in self.looks:
            page = next((one.file for one in FORMATS.values() if (look.part.folder / one.file).is_file()), RECORDS)
            found[look.cluster] = (look.part.folder / page).relative_to(self.gathered.folder).as_posix()
        return found

    def _vouch(self, inputs: dict[str, Any], end: dict[str, Any], head: str, key: Path | None) -> None:
        folder = self.gathered.folder
        content = manifest.written(folder, inputs, end, head)
        try:
            if key:
                (folder / SIGNATURE).write_bytes(sign(key, content))
        except SignatureError as error:
            self.unwritten.append(
                f"the report is NOT signed: {error}; what it says stands, and {MANIFEST} can be signed by hand"
            )

    def _code(self) -> int:
        current = Counter(look.part.folder for look in self.looks)
        codes = [look.code for look in self.looks]
        # Where a newer look took a cluster's place, the part's own code may be about the older one.
        codes += [look.part.run.exit_code for look in self.looks if current[look.part.folder] == look.among]
        codes += [one.exit_code for one in self.gathered.above if one.exit_code == joined.INTERRUPTED]
        if self.missing or self.gathered.unseen or self._gaps():
            codes.append(joined.COULD_NOT_LOOK)
        if self.interrupted:
            codes.append(joined.INTERRUPTED)
        if not codes and not self.gathered.shard:
            codes.append(joined.COULD_NOT_LOOK)
        return joined.code(codes)

    def _gaps(self) -> list[str]:
        return list(joined.shards([*self.gathered.above, *(part.run for part in self.parts)]))

    def _run(self, formats: Sequence[str]) -> Run:
        runs = [part.run for part in self.parts]
        standing = joined.waivers(runs)
        plans = sum(len(run.plan) for run in runs)
        gates = {run.gate for run in runs}
        lasts = [run.last for run in runs if run.last]
        now = datetime.now(UTC)
        return Run(
            id=str(uuid.uuid4()),
            started=min((run.started for run in runs), default=now),
            finished=now,
            clusters=sorted({*self.gathered.looks, *self.missing}),
            missing=self.missing,
            unseen=list(dict.fromkeys(self.gathered.unseen)),
            shard=self.gathered.shard,
            baselines=sorted({one for run in runs for one in run.baselines}),
            version=__version__,
            command=self.gathered.command,
            exit_code=self._code(),
            notices=list(
                dict.fromkeys(
                    map(
                        masked_sentence,
                        [*self._notices(formats, plans), *joined.notices([*self.gathered.above, *runs], standing)],
                    )
                )
            ),
            waivers=standing,
            gate=gates.pop() if len(gates) == 1 else "any",
            compared=any(run.compared for run in runs),
            last=max(lasts, key=lambda one: str(one.get("seen")), default=None),
            frameworks=list(self.gathered.frameworks.values()),
            round_trips=joined.trips(runs),
            plan=[entry for run in runs for entry in run.plan] if plans <= PLANS else [],
        )

    def _notices(self, formats: Sequence[str], plans: int) -> Iterator[str]:
        if self.interrupted:
            yield "the run was interrupted: what is told here is what was there by then"
        yield from self._gaps()
        yield from (
            f"clusters may be missing here, for they could not be looked for: {one}" for one in self.gathered.unseen
        )
        yield from (f"{cluster} could not be looked at: {why}" for cluster, why in self.missing.items())
        yield from self.gathered.notices
        for part in self.parts:
            if not part.head:
                yield f"nothing vouches for the report of {', '.join(part.run.clusters)}: it has no {MANIFEST}"
            if part.run.exit_code not in {joined.COMPLIANT, joined.DRIFT, joined.COULD_NOT_LOOK}:
                yield f"the run of {', '.join(part.run.clusters)} ended with exit code {part.run.exit_code}: it may not have seen everything"
        if plans > PLANS:
            yield f"the plans, of {plans:,} entries, stand in the reports of the clusters"
        left = [] if self.few else [FORMATS[one].file for one in formats if one not in {*STREAMED, *SUMMED, ALLURE}]
        if left:
            total = f"{self.outcomes.total():,} records"
            yield f"{', '.join(left)}: not written of {total} at once (at most {MOST:,}); each cluster's own is in its report, where it was asked for"

    def _inputs(self, run: Run) -> dict[str, Any]:
        folder = self.gathered.folder
        parts = [
            {
                "folder": part.folder.relative_to(folder).as_posix(),
                "run": part.run.id,
                "head": part.head,
                "manifest": part.sha256,
            }
            for part in self.parts
        ]
        clusters = {look.cluster: look.part.folder.relative_to(folder).as_posix() for look in self.looks}
        told = {"run": run.id, "started": run.started.isoformat(), "command": run.command, "shard": run.shard}
        made = {"suite": {"version": __version__}, "python": platform.python_version()}
        return told | {"clusters": clusters, "missing": run.missing, "parts": parts} | made

    def _end(self, run: Run) -> dict[str, Any]:
        outcomes = {str(outcome): count for outcome, count in self.outcomes.items()}
        ended = {"finished": run.finished.isoformat(), "exit_code": run.exit_code}
        return ended | {"records": self.outcomes.total(), "outcomes": outcomes}
