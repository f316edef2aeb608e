"""One audit of a simulated fleet: run as a user runs it, looked through whether it is whole, with what it cost."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fleet.cost import Cost
from benchmarks.fleet.served import served
from benchmarks.fleet.world import Fleet

ALL = ("--cluster", "name:hub *")
"""All clusters, by their name: to find `all`, EMR has to be asked about each before its audit, as fast as its limits are."""


Engine = Callable[[Mapping[str, str]], contextlib.AbstractContextManager[str]]
"""Gives the address of an engine whose workers are told these variables."""


@dataclass
class Night:
    """What came of one audit of a fleet: its cost, its records by outcome, and what the simulation was asked and refused."""

    fleet: Fleet
    cost: Cost
    outcomes: Counter[str]
    told: dict[str, Any]
    output: str

    @property
    def refused(self) -> int:
        """Return how many calls the simulated EMR throttled; botocore asks again, and no result tells of it."""
        return sum(self.told["throttled"].values())


def night(
    about: Fleet, baseline: Path, folder: Path, *words: str, engine: Engine | None = None, giant: Path | None = None
) -> Night:
    """Audit a fleet, with the engine where one is given; `giant` is the baseline of the last cluster, where that has one of its own.

    Raises SystemExit where clusters are missing in what came, or are told to be throttled: it would be no good night.
    """
    folder.mkdir(parents=True)
    with served(about, folder) as here, contextlib.ExitStack() as around:
        told = here.environment(about, baseline)
        if giant:
            del told["HUBSPEC_BASELINE"]
            told["HUBSPEC_CONFIG"] = str(_settings(folder, baseline, giant, about.clusters[-1].id))
        at = ["--engine", around.enter_context(engine(told))] if engine else []
        cost, output = _run([*ALL, *words, *at], told, folder)
    lines = (folder / "reports" / "latest" / "records.jsonl").open(encoding="utf-8")
    outcomes: Counter[str] = Counter()
    clusters = set()
    throttled = 0
    with lines:
        for line in lines:
            record = json.loads(line)
            outcomes[record["outcome"]] += 1
            clusters.add(record["cluster"])
            throttled += bool(re.search("throttl|Rate exceeded", record["message"] or "", re.IGNORECASE))
    if len(clusters) != about.count or throttled or cost.code not in {1, 11}:
        what = f"{len(clusters)} of {about.count} clusters came, {throttled} records tell of throttling"
        raise SystemExit(f"no good night (exit {cost.code}): {what}:\n{output[-3000:]}")
    return Night(about, cost, outcomes, here.told, output)


def _settings(folder: Path, baseline: Path, giant: Path, cluster: str) -> Path:
    path = folder / "hubspec.toml"
    path.write_text(f'baseline = "{baseline}"\n[[clusters]]\nmatch = "{cluster}"\nbaseline = "{giant}"\n')
    return path


def _run(words: Sequence[str], told: Mapping[str, str], folder: Path) -> tuple[Cost, str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HUBSPEC_", "PYTEST_", "AWS_"))}
    out = folder / "cost.json"
    fleet = [sys.executable, "-m", "hubspec", "fleet", *words, "--reports", str(folder / "reports")]
    with (folder / "output").open("w+") as said:
        command = [sys.executable, "-m", "benchmarks.fleet.cost", str(out), *fleet]
        subprocess.run(command, env=environment | dict(told), stdout=said, stderr=said, check=True)
    return Cost(**json.loads(out.read_text(encoding="utf-8"))), (folder / "output").read_text(errors="replace")
