"""Which cluster is next: regions by turns, each as fast as EMR's limits allow."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from hubspec.fleet.job import Job

RATE, BURST = 0.5, 10.0
"""Clusters a second, and at once: what EMR lets an account ask in a region with ListSteps, of which an audit needs one at
least (EMR's quotas: ListSteps and ListInstances 10 at once and 0.5 a second; DescribeCluster 10 and 1)."""


class Bucket:
    """A token bucket: `burst` at once, `rate` a second. The time is told to it, in seconds."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        """Begin full. A rate of 0 has no limit."""
        self._rate, self._burst, self._left, self._at = rate, burst, burst, now

    def ready_in(self, now: float) -> float:
        """Return the seconds until there is a token."""
        if not self._rate:
            return 0.0
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        return max(0.0, (1 - self._left) / self._rate)

    def take(self) -> None:
        """Take a token."""
        self._left -= 1


class Queue:
    """The jobs that wait, by region. `rate` is how many of a region begin in a second, 0 for any number."""

    def __init__(self, jobs: Iterable[Job], rate: float, now: float) -> None:
        """Take the jobs in their order; the time is told in seconds."""
        self._waiting: dict[str, deque[Job]] = {}
        self._rate, self._begun = rate, now
        self._buckets: dict[str, Bucket] = {}
        for job in jobs:
            self.add(job)

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def add(self, job: Job) -> None:
        """Have a job wait behind the others of its region."""
        self._waiting.setdefault(job.region, deque()).append(job)
        # A machine by its address is no matter of EMR's, and has no region.
        self._buckets.setdefault(job.region, Bucket(self._rate if job.region else 0, BURST, self._begun))

    def take(self, now: float) -> Job | None:
        """Return the next job, of the region that has most left of those that may be asked now; None where none may."""
        ready = [region for region, jobs in self._waiting.items() if jobs and not self._buckets[region].ready_in(now)]
        if not ready:
            return None
        region = max(ready, key=lambda one: len(self._waiting[one]))
        self._buckets[region].take()
        return self._waiting[region].popleft()

    def ready_in(self, now: float) -> float:
        """Return the seconds until a job may begin; 0 where none waits."""
        return min((self._buckets[region].ready_in(now) for region, jobs in self._waiting.items() if jobs), default=0.0)

    def drained(self) -> list[Job]:
        """Return all that wait, and let none wait any more."""
        jobs = [job for waiting in self._waiting.values() for job in waiting]
        self._waiting.clear()
        return jobs
