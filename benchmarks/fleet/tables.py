"""What a fleet costs, as tables: from a few clusters to a thousand, by Dask, and with those that hang or are far larger."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from benchmarks.fleet.night import Night, night
from benchmarks.fleet.quota import quota
from benchmarks.fleet.served import record, record_accounts
from benchmarks.fleet.workers import SHARE, workers
from benchmarks.fleet.world import REGIONS, Fleet
from benchmarks.house import House
from benchmarks.page import table
from benchmarks.world import World

TITLE = "A fleet of simulated clusters"
WORLD = World(53, 27)
"""200 checks."""
GIANT = 20_000
"""Accounts of a cluster with a hundred times as many."""
SIZES = (1, 10, 100, 1000)
SPREAD, BUSY, MEMORY, SPEEDUP = 15, 85, 300, 1.8
QUIET = ("--report", "html,junit")
CUT = 20
"""Seconds that an audit may take where clusters hang."""


def table_of_fleet(house: House, sizes: Sequence[int] = SIZES) -> str:
    """Measure fleets of these sizes, one after the other, and return the tables with what they mean."""
    baseline, answers = record(house, WORLD, house.folder)
    folder = house.folder / "fleet"

    few = max(sizes[-1] // 5, 4)
    grown = [night(Fleet(count, [answers]), baseline, folder / f"of-{count}") for count in sizes]
    bare = night(Fleet(few, [answers]), baseline, folder / "bare", *QUIET)
    limit = ("--audit-deadline", str(CUT), "--deadline", "600")
    hung = night(Fleet(few, [answers], hang=5), baseline, folder / "hung", *limit)
    dask = [_by_dask(few, count, baseline, answers, folder) for count in (1, 2)]
    large, told = record_accounts(house, GIANT, folder)
    giant = night(Fleet(few, [answers, told]), baseline, folder / "giant", giant=large)
    return "\n".join(
        [
            f"## {TITLE}\n\n{_about(answers)}",
            _growth(grown, bare),
            _dask(dask),
            _faults(hung, giant, bare),
        ]
    )


def _about(answers: Path) -> str:
    return (
        f"A simulation: {len(REGIONS)} regions of an AWS API with EMR's limits of calls, a hub and a container for each cluster, all over sockets of this machine, and each answer"
        f" comes 300 ms late. What hubs and containers say is what a real JupyterHub 1.5 in a container said once ({answers.stat().st_size / 1024:.0f} KB);"
        " the door into the container is a plugin's. What is audited, judged, written and merged is as for any cluster: 200 checks in each, of which 5 drift.\n"
    )


def _growth(grown: Sequence[Night], bare: Night) -> str:
    first = grown[0]
    rows = []
    for this in grown:
        count, cost = this.fleet.count, this.cost
        alone = (cost.cpu - first.cost.cpu) / (count - first.fleet.count) if this is not first else None
        rows.append(
            (
                f"{count:,}",
                f"{this.outcomes.total():,}",
                f"{cost.seconds:.1f}",
                f"{cost.cpu:.1f}",
                f"{cost.cpu / count:.3f}",
                f"**{alone:.3f}**" if alone else "",
                f"{cost.busy:.0%}",
                f"{cost.cpu / cost.seconds / 2:.0%}",
                f"{this.told['cpu'] / count * 1000:.0f}",
                f"{cost.peak_mb:.0f}",
                this.refused,
            )
        )
    costs = [float(row[5].strip("*")) for row in rows if row[5]]
    spread = (max(costs) / min(costs) - 1) * 100 if costs else 0
    last = grown[-1].cost
    head = (
        *("clusters", "records", "wall s", "CPU s", "CPU s a cluster", "the same without the start", "cores busy"),
        *("by the fleet", "simulation's CPU ms a cluster", "leading process MB", "calls throttled"),
    )
    said = (
        f"Without the start (what the smallest fleet here cost), the cost of a cluster differs by **{spread:.0f} %** between them (goal: {SPREAD} %). With {grown[-1].fleet.count:,} clusters the cores"
        f" are busy for **{last.busy:.0%}** of the time (goal: {BUSY} %), and the leading process needs **{last.peak_mb:.0f} MB** (goal: {MEMORY} MB). No record tells of throttling."
        f" With `{' '.join(QUIET)}`, so without Allure's files, {bare.fleet.count} clusters take {bare.cost.cpu / bare.fleet.count:.3f} s of the CPU each, with the start.\n"
    )
    return f"{table(head, rows)}\n{said}"


def _by_dask(clusters: int, count: int, baseline: Path, answers: Path, folder: Path) -> Night:
    about = Fleet(clusters, [answers])
    place = folder / f"dask-{count}"
    return night(about, baseline, place, engine=lambda environment: workers(count, place, environment))


def table_of_dask(house: House, clusters: int) -> str:
    """Measure so many clusters by one worker of Dask and by two, and return the table with what it means."""
    baseline, answers = record(house, WORLD, house.folder)
    return _dask([_by_dask(clusters, count, baseline, answers, house.folder / "fleet") for count in (1, 2)])


def _dask(nights: Sequence[Night]) -> str:
    took = [_audits(one) for one in nights]
    rows = [(number, f"{seconds:.1f}", f"{took[0] / seconds:.2f}") for number, seconds in enumerate(took, 1)]
    head = ("workers of Dask", f"{nights[0].fleet.count} clusters in s", "times one")
    with quota(SHARE) as made:
        limited = made is not None
    each = (
        f"Each worker may take {SHARE:g} of a core, with the audits that it runs: a quota of the kernel's (cgroup), the same for one worker and for each of two."
        " The simulation, the scheduler and the leading process have the rest of the two cores, for a fleet's workers are on machines of their own: what serves them is not measured here."
        if limited
        else "Each worker has one core of this machine for itself and the audits that it runs; the simulation, the scheduler and the leading process take theirs of both."
    )
    return f"{each} From the first audit to the last: **{took[0] / took[1]:.2f} times** as fast by two (goal: {SPEEDUP}).\n\n{table(head, rows)}"


def _audits(one: Night) -> float:
    """Return the seconds from the clusters found to the last audit, as the fleet says itself."""
    found = re.findall(r"0 left; .*\((\d+) s\)", one.output)
    return float(found[-1]) if found else one.cost.seconds


def _faults(hung: Night, giant: Night, bare: Night) -> str:
    count = sum(hung.fleet.fate(str(one.host)) == "hangs" for one in hung.fleet.clusters)
    told = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(hung.outcomes.items()))
    return (
        f"Of {hung.fleet.count} clusters {count} never answer. Each is cut off after {CUT} s (`--audit-deadline`), and each of its checks is told of as not looked at: {told}."
        f" All took {hung.cost.seconds:.1f} s.\n\n"
        f"Where one of {giant.fleet.count} clusters has a hundred times as many checks, {giant.outcomes.total():,} records came, and the leading process needed {giant.cost.peak_mb:.0f} MB;"
        f" {bare.cost.peak_mb:.0f} MB without it.\n"
    )
