"""The command `fleet`: the run from its options to its one report and exit code."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from hubspec.cluster.engine import Engine, engine
from hubspec.cluster.parcel import remove
from hubspec.destination import destination
from hubspec.errors import DoorError, HubspecError
from hubspec.fleet.course import Course
from hubspec.fleet.grammar import TRIES
from hubspec.fleet.job import suite
from hubspec.fleet.meant import Frame, Wish, meant
from hubspec.fleet.merge import Merged
from hubspec.fleet.part import CLUSTERS
from hubspec.fleet.progress import Progress
from hubspec.fleet.queue import RATE, Queue
from hubspec.fleet.sent import sent
from hubspec.fleet.shard import Shard, shard
from hubspec.interrupts import END, Interrupts, handled, terminated
from hubspec.masked import masked, masked_arguments
from hubspec.printable import printable
from hubspec.report import formats
from hubspec.results import Whereabouts
from hubspec.telling import Begun, Telling, telling

Say = Callable[[str], None]


def fleet(asked: argparse.Namespace, say: Say) -> int:
    """Audit a fleet, and return the exit code of its report. Raises HubspecError."""
    options = Wish(asked)
    part, names, pace = _shard(options, options.text("--shard")), _formats(options), _pace(options)
    tries, tellers = options.number("--tries", 1) or TRIES, telling(options)
    to = destination(options)
    where = _engine(options, options.text("--engine"))
    run, command = str(uuid.uuid4()), shlex.join(["hubspec", *masked_arguments(sys.argv[1:])])
    begun = Begun(run, datetime.now(UTC), options.many("--cluster"), command)
    parts, folder = options.reports / f".parts-{run}", options.reports / f".run-{run}"
    interrupts = Interrupts(say, END)
    with terminated(), tellers.early(begun, say), _keeping(folder, options.reports / f"unfinished-{run[:8]}"):
        try:
            search = meant(options, Frame(run, parts, part, where.remote), say)
            merged = Merged(folder, command=command, shard=str(part or ""))
            for line in search.unseen:
                merged.blind(line)
            for line in search.left_out:
                merged.notice(f"left out: {line}")
            count = len(search.jobs)
            say(f"{count} cluster{'s' * (count != 1)}" + (f" of {search.of}, shard {part}" if part else ""))
            now = time.monotonic()
            course = Course(Queue(search.jobs, pace, now), where, parts, merged, Progress(count, say, now), tries)
            interrupted = _ran(course, say)
        finally:
            where.close()
            remove(parts)
        with interrupts.held():
            code = merged.finish(names, interrupted=interrupted, sign_key=options.path("--sign-key"))
            for line in merged.unwritten:
                say(f"notice: {line}")
            latest = options.reports / "latest"
            remove(latest)
            folder.rename(latest)
            say(f"report: {latest / formats.first(names)}")
            at = sent(latest, to, say, interrupts.let) if to else None
            for line in _told(tellers, merged, at):
                say(f"notice: {line}")
    return at.code(code) if at else code


@contextlib.contextmanager
def _keeping(folder: Path, to: Path) -> Iterator[None]:
    """Keep what came until a run cannot go on, and have the error say where."""
    try:
        yield
    except HubspecError as error:
        kept = _kept(folder, to)
        if not kept:
            raise
        raise (DoorError if isinstance(error, DoorError) else HubspecError)(f"{error}{kept}") from error
    except KeyboardInterrupt:
        remove(folder)
        raise


def _kept(folder: Path, to: Path) -> str:
    """Keep the reports of clusters that came before a run could not go on. Return what is to be said of that; nothing where none came."""
    try:
        count = sum(not one.name.startswith(".") for one in (folder / CLUSTERS).iterdir())
        if count:
            folder.rename(to)
    except OSError:
        count = 0
    if not count:
        remove(folder)
        return ""
    return (
        f"\nthere is no merged report of this run. The reports of {count} cluster{'s' * (count != 1)} are kept: where there is room,"
        f" python -m hubspec merge {shlex.quote(str(to / CLUSTERS))}/* -o FOLDER joins them"
    )


def _ran(course: Course, say: Say) -> bool:
    """Run it to its end. Return whether Ctrl-C, TERM or HUP ended it; a second one ends everything. Raises HubspecError."""

    def end(_number: int, _frame: FrameType | None) -> None:
        if course.interrupted:
            raise KeyboardInterrupt
        course.interrupted = True
        say("interrupted: the audits that run are ended; what there is will be in the report")

    with handled(end):
        course.run()
    return course.interrupted


def _told(tellers: Telling, merged: Merged, at: Whereabouts | None) -> list[str]:
    """Tell whom the run is to be told, and where its results are. Return what went wrong, a sentence each."""
    if merged.run is None:
        return []
    run = merged.run.model_copy(update={"notices": [*merged.run.notices, *merged.unwritten]})
    return tellers.tell(merged.tally, run, at)


def _shard(options: Wish, text: str | None) -> Shard | None:
    try:
        return shard(text) if text else None
    except ValueError as error:
        options.refuse(str(error))


def _pace(options: Wish) -> float:
    text = options.text("--pace") or f"{RATE}"
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate < 10000:
        options.refuse(f"--pace: wanted clusters a second, from 0; found {printable(text)}")
    return rate


def _formats(options: Wish) -> list[str]:
    try:
        return formats.chosen(options.text("--report"), formats.OF_MANY)
    except ValueError as error:
        options.refuse(f"--report: {error}")


def _engine(options: Wish, where: str | None) -> Engine:
    try:
        return engine(where, options.number("--workers", 1), suite)
    except ValueError as error:
        options.refuse(f"--engine: {error}; found {masked(where or '')!r}")
