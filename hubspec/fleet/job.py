"""The audit of one cluster as a task: what an engine is given, what it does, and what comes back."""

from __future__ import annotations

import contextlib
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from hubspec import __version__
from hubspec.cluster.options import PART
from hubspec.cluster.parcel import pack, scratch
from hubspec.cluster.warm import CHECKS, ROOT, Task, warm
from hubspec.fleet.lent import Lent, left, unpacked
from hubspec.kinds import KINDS
from hubspec.masked import masked_sentence
from hubspec.printable import printable_lines
from hubspec.snapshot import save, unseen

SAID, LAST = 2000, 12
"""Of what an audit printed, so many characters and lines of its end are kept where it failed."""
# The cache of pytest is one file for all, and a cluster of a fleet is told of by its report.
_QUIET = ("-q", "--tb=no", "-rN", "--no-header", "-p", "no:cacheprovider")
_MINE = dict.fromkeys(["HUBSPEC_CLUSTER", "HUBSPEC_REGION", "HUBSPEC_SNAPSHOT", "HUBSPEC_NOTIFY_URLS"], "")
"""What the environment says of the fleet is not said to the audit of a cluster. An empty variable is none."""


@dataclass(frozen=True)
class Job:
    """One cluster, and how it is audited. `name` is that of its folder, `run` the id of the fleet's, `region` is for EMR's limits; `options` are pytest's, with which cluster is meant.

    `place` is the folder of its report; empty where no disk is shared, and the report is brought back. `blind` says why
    the cluster cannot be looked at: the audit then has the options of `otherwise`, says of each check that it could not
    look, and looks at nothing. `lent` is its history, where the audit runs on another machine and that is kept on this one.
    """

    cluster: str
    name: str
    options: tuple[str, ...]
    otherwise: tuple[str, ...]
    folder: str
    deadline: float
    run: str
    region: str = ""
    paths: tuple[str, ...] = ()
    place: str = ""
    blind: str = ""
    tried: int = 0
    lent: Lent | None = None


@dataclass(frozen=True)
class Came:
    """What came of a job. `code` is the exit code, below 0 the signal that ended it, None where its forking process died.

    `cut`: it was ended, at its deadline or because nobody wants it any more. `content` is its report where that is brought,
    `past` the file that it left for the history.
    """

    cluster: str
    code: int | None
    cut: bool
    said: str
    took: float
    report: str = ""
    content: bytes = b""
    past: bytes = b""


def suite() -> str:
    """Return what audits where this is called: a worker that has another would make other records."""
    return f"hubspec {__version__} with Python {platform.python_version()} and pytest {metadata.version('pytest')}"


def audit(job: Job, unwanted: Callable[[], bool] = lambda: False) -> Came:
    """Audit the cluster of a job in a process of its own, and return what came of it. Raises HubspecError."""
    if job.place:
        place = Path(job.place)
        place.mkdir(parents=True, exist_ok=True)
        return _audit(job, place, unwanted)
    with scratch() as place:
        return _audit(job, place, unwanted)


def _audit(job: Job, place: Path, unwanted: Callable[[], bool]) -> Came:
    began = time.monotonic()
    output, report = place / "output.txt", place / "latest"
    options = [*(job.otherwise if job.blind else job.options), "--reports", str(place)]
    if job.blind:
        saved = place / "unseen.json"
        save(unseen(job.cluster, KINDS, job.blind), saved)
        options += ["--snapshot", str(saved)]
    past, known = place / "history", set[str]()
    if job.lent and not job.blind:
        known = unpacked(job.lent, past)
        options += ["--history", str(past)]  # the last one counts
    folder = job.folder if Path(job.folder).is_dir() else str(ROOT)
    task = Task([*(job.paths or (str(CHECKS),)), *_QUIET, *options], folder, str(output), {**_MINE, PART: job.run})
    ended = warm().run(task, job.deadline, unwanted)
    took = time.monotonic() - began
    written = (report / "records.jsonl").is_file()
    return Came(
        job.cluster,
        ended.code,
        ended.cut,
        _said(output),
        took,
        str(report) if written and job.place else "",
        pack(report) if written and not job.place else b"",
        left(past, known),
    )


def _said(output: Path) -> str:
    text = ""
    with contextlib.suppress(OSError):
        text = output.read_text(encoding="utf-8", errors="replace")[-SAID:]
    lines = [line for line in printable_lines(text).splitlines() if line.strip()]
    return masked_sentence("\n".join(lines[-LAST:]))
