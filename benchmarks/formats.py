"""What the formats of a report cost an audit of 6,000 checks, each alone and all together, and the memory of their writers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.clock import Contender
from benchmarks.contenders import PYTEST
from benchmarks.opening import table_of_opening
from benchmarks.page import table
from benchmarks.world import World, person, write_baseline

CHECKS, DRIFTED = 6000, 8
"""One in eight is not as declared."""
GOAL, GOAL_MEGABYTES = 25, 150
LEAST, DEFAULT, ALL = "markdown", "html,junit,allure", "all"
FILES = "html,junit,ocsf,sarif,oscal,hdf,csv,markdown"
"""All of them but Allure's, which are thousands of files."""

WRITERS = """
import resource, sys, tempfile
from pathlib import Path
from fixtures.reports import write
from hubspec.model import Record, Run
from hubspec.report.formats import FORMATS
from tests.records import run

records = [Record.model_validate_json(line) for line in open(sys.argv[1], encoding="utf-8")][: int(sys.argv[2])]
names = list(FORMATS)
with tempfile.TemporaryDirectory() as folder:
    write(Path(folder, "first"), names, records[:1], run())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    failed = write(Path(folder, "all"), names, records, run())
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert not failed, failed
print((after - before) / 1024)
"""


def table_of_formats(folder: Path, repeat: int) -> str:
    """Time audits of a snapshot in turns, that differ in their formats alone, and return the tables."""
    options = _world(folder)
    asked = [_audit(folder, options, formats) for formats in (LEAST, FILES, DEFAULT, ALL)]
    for number in range(-1, repeat):
        for one in asked:
            one.run()
            if number < 0:
                one.wall.clear()
                one.cpu.clear()
    least, _, default, whole = asked
    rows = [(one.name, *(_more(one, than) for than in (least, default)), f"{one.cpu_seconds:.1f}") for one in asked]
    report = folder / f"{ALL}-{whole.runs}" / "reports" / "latest"
    sizes = (CHECKS // 4, CHECKS // 2, CHECKS)
    memory = [f"{size:,} checks: {_memory(report, size):.0f} MB" for size in sizes]
    return (
        f"## Formats of a report (goal: all together at most {GOAL} % of an audit, and less than {GOAL_MEGABYTES} MB)\n\n"
        f"An audit of {CHECKS:,} accounts from a snapshot, one in {DRIFTED} not as declared; nothing is waited for, so the formats weigh most.\n\n"
        + table((f"`--report`, {CHECKS:,} checks", f"CPU more than {LEAST}", f"CPU more than {DEFAULT}", "CPU s"), rows)
        + f"\nMemory that the writers need, one after the other, beside the records: {', '.join(memory)}.\n\n"
        + table_of_opening({f"{CHECKS:,} checks, one in {DRIFTED} drifted": report / "report.html"})
    )


def _more(one: Contender, than: Contender) -> str:
    return f"{one.cpu_seconds / than.cpu_seconds * 100 - 100:+.0f} %"


def _world(folder: Path) -> list[str]:
    baseline = write_baseline(folder / "formats.yaml", World(CHECKS - 2, 0), "jupyterhub", only_users=True)
    seen: dict[str, Any] = {"jovyan": {"present": {"uid": 1000}}}
    for number in range(CHECKS - 2):
        one = person(number)
        told = {"uid": one["uid"] + (number % DRIFTED == 0), "home": one["home"], "shell": one["shell"]}
        seen[one["name"]] = {"present": told}
    reading = {
        "door": "docker",
        "evidence": "docker exec -i jupyterhub sh",
        "started": "2026-01-02T03:04:05+00:00",
        "took": 0.3,
        "seen": seen,
    }
    document = {"hubspec_snapshot": 1, "cluster": "j-BENCH", "trips": {"docker exec": 1}, "kinds": {"user": reading}}
    snapshot = folder / "formats.json"
    snapshot.write_text(json.dumps(document), encoding="utf-8")
    return ["--snapshot", str(snapshot), "--baseline", str(baseline)]


def _audit(folder: Path, options: list[str], formats: str) -> Contender:
    command = [*PYTEST, "checks/test_users.py", *options, "--report", formats, "--reports", "{folder}/reports"]
    return Contender(formats, command, {}, folder, ok=(1,))


def _memory(report: Path, size: int) -> float:
    done = subprocess.run(
        [sys.executable, "-c", WRITERS, str(report / "records.jsonl"), str(size)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)
