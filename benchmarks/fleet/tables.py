"""What a fleet costs, as tables: from a few clusters to a thousand, by Dask, and with those that hang or are far larger."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
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
FEW = 200
"""Clusters of which some hang."""
BY_DASK, TURNS = 100, 3
"""Clusters by Dask, and how often one worker and two take turns: where others share the processor, one run tells little."""
SPREAD, BUSY, MEMORY, SPEEDUP = 15, 85, 300, 1.8
ALLURE = ("--report", "html,junit,allure")
CUT = 20
"""Seconds that an audit may take where clusters hang."""


def growth(house: House, sizes: Sequence[int] = SIZES) -> str:
    """Measure fleets of these sizes by turns, small ones more often, and return the table with what it means."""
    baseline, answers = record(house, WORLD, house.folder)
    folder = house.folder / "growth"
    nights: dict[int, list[Night]] = {count: [] for count in sizes}
    for turn in range(max(map(_runs, sizes))):
        for count in (count for count in sizes if turn < _runs(count)):
            nights[count].append(night(Fleet(count, [answers]), baseline, folder / f"of-{count}-{turn}"))
    some = sizes[-2] if len(sizes) > 1 else sizes[-1]
    allure = night(Fleet(some, [answers]), baseline, folder / "allure", *ALLURE)
    return f"## {TITLE}\n\n{_about(answers)}\n{grown(nights, allure)}"


def _runs(count: int) -> int:
    """Return how often a fleet of this size is measured: a second more or less is much for few clusters."""
    return 5 if count <= 10 else 3 if count <= 100 else 1


def beyond(house: House, few: int = FEW) -> str:
    """Measure fleets of so many clusters with some that hang, and with one that is far larger, and return what came of it."""
    baseline, answers = record(house, WORLD, house.folder)
    folder = house.folder / "fleet"
    bare = night(Fleet(few, [answers]), baseline, folder / "bare")
    limit = ("--audit-deadline", str(CUT), "--deadline", "600")
    hung = night(Fleet(few, [answers], hang=5), baseline, folder / "hung", *limit)
    large, told = record_accounts(house, GIANT, folder)
    giant = night(Fleet(few, [answers, told]), baseline, folder / "giant", giant=large)
    return f"## The same with clusters that hang, or with one that is far larger\n\n{_faults(hung, giant, bare)}"


def _about(answers: Path) -> str:
    return (
        f"A simulation: {len(REGIONS)} regions of an AWS API with EMR's limits of calls, a hub and a container for each cluster, all over sockets of this machine, and each answer"
        f" comes 300 ms late. What hubs and containers say is what a real JupyterHub 1.5 in a container said once ({answers.stat().st_size / 1024:.0f} KB);"
        " the door into the container is a plugin's. What is audited, judged, written and merged is as for any cluster: 200 checks in each, of which 5 drift.\n"
    )


def grown(nights: Mapping[int, Sequence[Night]], allure: Night) -> str:
    """Return the table of fleets by their size, each measured once or more, and one with Allure's results."""
    middle = {count: sorted(of, key=lambda one: one.cost.cpu)[len(of) // 2] for count, of in nights.items()}
    fewest = min(middle)
    start = middle[fewest].cost.cpu

    def added(one: Night) -> float:
        return (one.cost.cpu - start) / (one.fleet.count - fewest)

    rows = []
    for count, this in middle.items():
        cost = this.cost
        each = sorted(added(one) for one in nights[count]) if count != fewest else []
        rows.append(
            (
                f"{count:,}",
                f"{this.outcomes.total():,}",
                len(nights[count]),
                f"{cost.seconds:.1f}",
                f"{cost.cpu:.1f}",
                f"{cost.cpu / count:.3f}",
                f"**{added(this):.3f}**" if each else "",
                f"{each[0]:.3f} to {each[-1]:.3f}" if len(each) > 1 else "",
                f"{cost.own_cpu:.1f}",
                f"{cost.busy:.0%}",
                f"{cost.cpu / cost.seconds / 2:.0%}",
                f"{this.told['cpu'] / count * 1000:.0f}",
                f"{max(one.cost.peak_mb for one in nights[count]):.0f}",
                sum(one.refused for one in nights[count]),
            )
        )
    costs = [added(this) for count, this in middle.items() if count != fewest]
    spread = (max(costs) / min(costs) - 1) * 100 if costs else 0
    most = max(middle)
    last, some = middle[most].cost, allure.fleet.count
    head = (
        *("clusters", "records", "runs", "wall s", "CPU s", "CPU s a cluster", "the same without the start"),
        *("in each of the runs", "leading process CPU s", "cores busy", "by the fleet"),
        *("simulation's CPU ms a cluster", "leading process MB", "calls throttled"),
    )
    said = (
        f"Of so many runs, by turns, the one with the median of the CPU; the most memory of all. Without the start (what the smallest fleet cost, with its clusters), the cost of a cluster differs"
        f" by **{spread:.0f} %** between them (goal: {SPREAD} %). With {most:,} clusters the cores are busy for **{last.busy:.0%}** of the time (goal: {BUSY} %), and the leading process needs"
        f" **{max(one.cost.peak_mb for one in nights[most]):.0f} MB** (goal: {MEMORY} MB). No record tells of throttling.\n\n"
        f"With Allure's results (`{' '.join(ALLURE)}`), which a fleet writes where they are asked for, each of {some:,} clusters takes {added(allure) if some > fewest else allure.cost.cpu:.3f} s"
        f" in place of {added(middle[some]) if some > fewest else start:.3f} s, and the leading process needs {allure.cost.peak_mb:.0f} MB.\n"
    )
    return f"{table(head, rows)}\n{said}"


def table_of_dask(house: House, clusters: int = BY_DASK) -> str:
    """Measure so many clusters by one worker of Dask and by two, by turns, and return the table with what it means."""
    baseline, answers = record(house, WORLD, house.folder)
    about = Fleet(clusters, [answers])
    nights: dict[int, list[Night]] = {1: [], 2: []}
    for turn in range(TURNS):
        for count, ended in nights.items():
            place = house.folder / "dask" / f"{count}-{turn}"
            ended.append(night(about, baseline, place, engine=partial(workers, count, place)))
    return f"## The same by Dask\n\n{_dask(nights)}"


def _dask(nights: Mapping[int, Sequence[Night]]) -> str:
    took = {count: sorted(map(_audits, ended)) for count, ended in nights.items()}
    once = statistics.median(took[1])
    rows = []
    for count, ended in nights.items():
        middle, clusters = statistics.median(took[count]), ended[0].fleet.count
        costs = [
            statistics.median(each) for each in ([one.cost.cpu for one in ended], [one.told["cpu"] for one in ended])
        ]
        range_ = f"{took[count][0]:.1f} to {took[count][-1]:.1f}"
        own = (f"{cost / clusters * 1000:.0f}" for cost in costs)
        rows.append((count, f"{middle:.1f}", range_, f"{once / middle:.2f}", *own))
    head = (
        *("workers of Dask", f"{nights[1][0].fleet.count} clusters in s", "in each of the runs", "times one"),
        *("leading process's CPU ms a cluster", "simulation's CPU ms a cluster"),
    )
    with quota(SHARE) as made:
        limited = made is not None
    each = (
        f"Each worker may take {SHARE:g} of a core, with the audits that it runs: a quota of the kernel's (cgroup), the same for one worker and for each of two."
        " The simulation, the scheduler and the leading process have the rest of the two cores, for a fleet's workers are on machines of their own: what serves them is not measured here."
        if limited
        else "Each worker has one core of this machine for itself and the audits that it runs; the simulation, the scheduler and the leading process take theirs of both."
    )
    speed = once / statistics.median(took[2])
    return (
        f"{each} One worker and two took turns, {len(nights[1])} times. From the first audit to the last, by the medians: **{speed:.2f} times** as fast by two (goal: {SPEEDUP}).\n\n"
        + table(head, rows)
    )


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
