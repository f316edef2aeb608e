"""The course of a fleet: what is begun, tried again, given up, and handed to the one report as it comes in."""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from zipfile import BadZipFile

from hubspec.cluster.engine import Engine, Here
from hubspec.cluster.parcel import remove, unpack
from hubspec.errors import HubspecError
from hubspec.fleet.job import Came, Job, audit
from hubspec.fleet.lent import packed, taken
from hubspec.fleet.merge import Merged
from hubspec.fleet.progress import Progress
from hubspec.fleet.queue import Queue

TICK = 0.2
SLACK = 60.0
"""Seconds beyond its deadline after which a task of another machine is given up: who runs it does not answer any more."""
WRONG_USE, INTERNAL, COULD_NOT_LOOK = 4, 3, 11
AT_ONCE = 2
"""Audits that say of each check that it could not look, at the same time; they run on this machine."""


@dataclass
class Course:
    """One run of a fleet. Reports are written below `folder`, and handed to `merged` as they come in.

    `tries` is how often a cluster is begun whose audit dies. `refused` has what audits said that were called wrongly.
    """

    queue: Queue
    engine: Engine
    folder: Path
    merged: Merged
    progress: Progress
    tries: int = 3
    interrupted: bool = False
    """Set from outside, such as by Ctrl-C: nothing more is begun, and a report that just comes in is still taken whole."""
    refused: list[str] = field(default_factory=list)
    _suspects: list[Job] = field(default_factory=list)
    """Each was there when a worker died, and may be why: it is tried once more, with no other beside it."""
    _running: dict[Future[Came], tuple[Job, float]] = field(default_factory=dict)
    _here: Here = field(default_factory=lambda: Here(AT_ONCE))

    def run(self) -> None:
        """Audit all, until `interrupted`; what came in until then is handed on. Raises HubspecError where all are refused."""
        try:
            while (self.queue or self._running or self._suspects) and not self.interrupted:
                self._begin()
                if self._running:
                    wait(self._running, TICK, FIRST_COMPLETED)
                else:
                    time.sleep(TICK)
                for future in [future for future in self._running if future.done()]:
                    self._settle(future, *self._running.pop(future))
                self._give_up()
                now = time.monotonic()
                self.progress.tick(now, [job.cluster for job, _ in self._running.values()])
        finally:
            self._here.close()
        for job in [*(job for job, _ in self._running.values()), *self.queue.drained(), *self._suspects]:
            self.merged.lost(job.cluster, "the run was interrupted before its audit ended")
        self.progress.tick(time.monotonic(), [], over=True)

    def _begin(self) -> None:
        busy = sum(not job.blind for job, _ in self._running.values())
        if self._suspects and not busy and not self.queue and self.engine.width:
            suspect = self._suspects.pop()
            self._running[self._submitted(suspect)] = (suspect, time.monotonic())
            return
        while busy < self.engine.width:
            now = time.monotonic()
            job = self.queue.take(now)
            if job is None:
                return
            if job.blind:  # nobody found it where clusters are looked for
                self._blind(replace(job, blind=""), job.blind)
                continue
            self._running[self._submitted(job)] = (job, now)
            busy += 1

    def _submitted(self, job: Job) -> Future[Came]:
        # Only now, for what is sent is not held for all.
        return self.engine.submit(audit, replace(job, lent=packed(job.lent)) if job.lent else job)

    def _settle(self, future: Future[Came], job: Job, _began: float) -> None:
        try:
            came = future.result()
        except (Exception, CancelledError) as error:  # noqa: BLE001 - one cluster costs no other anything
            lost = self.engine.lost(error)
            if lost and not isinstance(error, CancelledError) and job.tried < self.tries - 1:
                self.progress.say(f"{job.cluster}: {lost}; it is tried once more, alone")
                self._suspects.append(replace(job, tried=self.tries - 1))
            elif lost:
                self._again(job, lost)
            else:
                self._blind(job, f"its audit failed itself ({type(error).__name__}: {error})")
            return
        whole = came.code is not None and came.code >= 0 and came.code not in {INTERNAL, WRONG_USE}
        if came.cut:
            self._blind(job, f"its audit took longer than {job.deadline:g} s, and was ended (--audit-deadline)")
        elif came.code is None or came.code < 0:
            how = f"by signal {-came.code}" if came.code else "with the process that forked it"
            self._again(job, f"its audit was ended {how}")
        elif whole and (came.report or came.content):
            self._take(job, came)
        else:
            self._refused(job, came)

    def _take(self, job: Job, came: Came) -> None:
        place = Path(came.report) if came.report else self.folder / job.name / "latest"
        try:
            if came.content:
                remove(place)
                unpack(came.content, place)
            if not self.merged.add(place, move=True):
                self.merged.lost(job.cluster, "its report cannot be used, as a notice says")
            remove(place.parent)
            for line in taken(job.lent, came.past) if job.lent and not job.blind else ():
                self.merged.notice(f"{job.cluster}: {line}")
        except (OSError, BadZipFile) as error:
            self.merged.lost(job.cluster, f"its report did not arrive whole: {error}")
        assert came.code is not None
        self.progress.came(job.cluster, came.code, came.took)

    def _again(self, job: Job, how: str) -> None:
        """Have a cluster wait again whose audit was lost, for others to take; not for ever."""
        tried = job.tried + 1
        if tried < self.tries and not job.blind:
            self.progress.say(f"{job.cluster}: {how}; it is tried again")
            # Where the process that forked it died, the audit may still be writing its end.
            self.queue.add(replace(job, tried=tried, place=job.place and f"{job.place}.{tried}"))
        else:
            self._blind(job, f"{how}; it was tried {tried} times, and is not tried again")

    def _refused(self, job: Job, came: Came) -> None:
        if came.code == WRONG_USE:
            self.refused.append(came.said)
            if not self.progress.done and len(self.refused) >= min(self.progress.total, self.engine.width):
                raise HubspecError(f"no cluster could be audited with these options. {job.cluster}:\n{came.said}")
        self._blind(job, f"its audit ended with exit {came.code} and without records: {came.said or 'it said nothing'}")

    def _blind(self, job: Job, why: str) -> None:
        """Have an audit say of each check of a cluster that it could not look."""
        if job.blind:
            self.merged.lost(job.cluster, f"{job.blind} (and there are no records of that, for {why})")
            self.progress.came(job.cluster, COULD_NOT_LOOK, 0)
            return
        self.progress.say(f"{job.cluster}: {why}")
        blind = replace(job, blind=why, place=str(self.folder / f"{job.name}.blind"), tried=0)
        self._running[self._here.submit(audit, blind)] = (blind, time.monotonic())

    def _give_up(self) -> None:
        """Look at nothing more where the engine is gone, and give up what its machine does not answer for."""
        trouble = self.engine.trouble()
        now = time.monotonic()
        for future, (job, began) in list(self._running.items()):
            late = self.engine.remote and now > began + job.deadline + SLACK
            if not job.blind and (trouble or late):
                future.cancel()
                del self._running[future]
                self._blind(job, trouble or "the worker that audited it does not answer any more")
        if trouble:
            for job in self.queue.drained() + self._suspects:
                self._blind(job, trouble)
            self._suspects.clear()
