"""`python -m lab.matrix [--quick] [VERSION ...]`: audit, smoke tests and breaks on each hub version, told in docs/compatibility.md.

Each part is a process of its own, as a person would start it. A version that fails does not stop the others.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import lab
from lab import state
from lab.compatibility import PAGE, Row, written
from lab.model import ROOT, LabError
from lab.versions import DEFAULT, VERSIONS, known

LIMIT = 3600.0


def measure(version: str, folder: Path, say: Callable[[str], None], *, quick: bool) -> Row:
    """Make the lab with a hub and measure it, without the breaks where it is to be `quick`; what fails is in the row."""
    row = Row(version)
    try:
        if lab.status() and state.broken():
            say(f"making the lab anew: {', '.join(state.broken())} was not mended")
            lab.down(say)
        lab.up(say, hub=version)
    except LabError as error:
        row.faults.append(f"the lab did not come up: {str(error).splitlines()[0]}")
        return row
    say(f"{version}: audit and smoke tests")
    reports = folder / version
    code = run("checks/", "--cluster", "lab", "--smoke", "--reports", str(reports), "-q")
    audited(row, reports / "latest" / "records.jsonl", code)
    if quick:
        row.breaks = "not run"
        return row
    say(f"{version}: breaks")
    told = folder / f"{version}.xml"
    code = run("tests/lab/test_breaks.py", "-v", "--no-header", "-p", "no:cacheprovider", f"--junitxml={told}")
    broken(row, told, code)
    return row


def run(*words: str) -> int:
    """Run pytest in a process of its own, its progress shown here; answer its exit code."""
    try:
        return subprocess.run([sys.executable, "-m", "pytest", *words], cwd=ROOT, timeout=LIMIT, check=False).returncode
    except subprocess.TimeoutExpired:
        return -1


def audited(row: Row, records: Path, code: int) -> None:
    """Take the outcomes of the checks and the smoke tests into the row."""
    told = [json.loads(line) for line in records.read_text().splitlines()] if records.exists() else []
    outcomes = {sort: Counter[str]() for sort in (True, False)}
    for record in told:
        outcomes[record["check"] == "smoke"][record["outcome"]] += 1
    checks, smoke = outcomes[False], outcomes[True]
    row.checks = f"{checks['compliant']} of {checks.total() - checks['not applicable']}"
    row.beyond = str(checks["not applicable"] + smoke["not applicable"])
    row.smoke = f"{smoke['compliant']} of {smoke.total() - smoke['not applicable']}"
    if code:
        fine = {"compliant", "not applicable"}
        wrong = [record["message"] for record in told if record["outcome"] not in fine] or [
            "it did not come to its end"
        ]
        row.faults.append(
            f"the audit's exit code is {code}: {wrong[0]}" + (f", and {len(wrong) - 1} more" * (len(wrong) > 1))
        )


def broken(row: Row, told: Path, code: int) -> None:
    """Take what the breaks did into the row, from JUnit XML."""
    cases = list(ET.parse(told).iter("testcase")) if told.exists() else []  # noqa: S314 - written by the run above
    red = skipped = 0
    for case in cases:
        name = case.get("name", "?")
        skip, bad = case.find("skipped"), [one for one in case if one.tag in {"failure", "error"}]
        row.faults += [f"{name}: {(one.get('message') or '?').splitlines()[0][:160]}" for one in bad[:1]]
        if skip is not None:
            skipped += 1
            row.skipped[skip.get("message", "?")] += 1
        red += name.startswith("test_break[") and skip is None and not bad
    every = sum(case.get("name", "").startswith("test_break[") for case in cases)
    row.breaks = f"{red} of {every - skipped}" + (f", {skipped} skipped" if skipped else "")
    if code and not any(case.find("failure") is not None or case.find("error") is not None for case in cases):
        row.faults.append(f"the breaks did not come to their end: exit code {code}")


def main(argv: list[str] | None = None) -> int:
    """Measure these versions, all where none is named; exit 0 where nothing failed, 1 where something did, 2 for wrong use."""
    parser = argparse.ArgumentParser(prog="python -m lab.matrix", description="Measure the hub versions.")
    parser.add_argument("versions", nargs="*", metavar="VERSION", help=f"of {', '.join(VERSIONS)}; all of them")
    parser.add_argument("--quick", action="store_true", help="leave out the breaks, which take most of the time")
    args = parser.parse_args(argv)

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    try:
        wanted = [known(version).hub for version in args.versions or VERSIONS]
        there = lab.status()
    except LabError as error:
        say(f"matrix: {error}")
        return 2
    failed = []
    try:
        with tempfile.TemporaryDirectory(prefix="hubspec-matrix-") as folder:
            for number, version in enumerate(wanted, 1):
                say(f"== JupyterHub {version} ({number} of {len(wanted)})")
                row = measure(version, Path(folder), say, quick=args.quick)
                failed += [version] if row.faults else []
                # Each version as soon as it is measured: an interrupted run keeps what it has.
                PAGE.write_text(written([row], PAGE.read_text() if PAGE.exists() else ""))
                say("\n".join([row.line(), *row.notes()]))
    except KeyboardInterrupt:
        say(f"interrupted; {PAGE.name} has the versions before")
        return 130
    finally:
        restore(there.version if there else DEFAULT, say)
    say(f"failed: {', '.join(failed)}" if failed else f"{len(wanted)} versions, nothing failed")
    return 1 if failed else 0


def restore(version: str, say: Callable[[str], None]) -> None:
    """Put the lab back that was there."""
    try:
        lab.up(say, hub=version)
    except LabError as error:
        say(f"the lab could not be put back: {error}")


if __name__ == "__main__":
    sys.exit(main())
