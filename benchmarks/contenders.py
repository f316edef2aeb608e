"""The command lines that are timed: our audit, pytest's floor, stock testinfra, Serverspec."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

from benchmarks.clock import Contender
from benchmarks.house import NAME, House
from benchmarks.world import person

PEERS = Path(__file__).resolve().parent / "peers"
# hypothesis, a tool of our own tests, loads 0.6 s of itself into every pytest of this venv; no pytest here pays for it.
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:hypothesispytest", "-o", "cache_dir={folder}/cache"]
REPORTS = ["--junitxml={folder}/junit.xml", "--alluredir={folder}/allure-results"]


def audit(house: House, baseline: Path, name: str = "hubspec", checks: str = "checks", *more: str) -> Contender:
    command = [*PYTEST, checks, "--reports", "{folder}/reports", *more]
    return Contender(name, command, house.environment(baseline), house.folder)


def floor(house: House, tests: int, name: str = "floor") -> Contender:
    command = [*_apart(house, "floor.py"), *REPORTS]
    return Contender(name, command, {"BENCH_TESTS": str(tests)}, house.folder)


def stock_testinfra(house: House, people: int, name: str = "testinfra", *more: str) -> Contender:
    command = [*_apart(house, "stock_testinfra.py"), f"--hosts=docker://{NAME}", *REPORTS, *more]
    return Contender(name, command, {"BENCH_PEOPLE": _people(house, people)}, house.folder)


def serverspec(house: House, people: int, name: str = "serverspec", *more: str) -> Contender:
    command = ["rspec", str(PEERS / "serverspec_spec.rb"), *more]
    environment = {"BENCH_PEOPLE": _people(house, people), "BENCH_CONTAINER": NAME}
    return Contender(name, command, environment, house.folder)


def without_serverspec(house: House) -> str:
    """Return why Serverspec cannot run here, after a trial with one person; nothing where it can."""
    if not shutil.which("rspec"):
        return "no rspec on PATH (apt-get install ruby-serverspec ruby-docker-api, or python -m benchmarks --install)"
    try:
        serverspec(house, 1, "serverspec-trial").run()
    except SystemExit as error:
        return " ".join(str(error).split())[:200]
    return ""


def round_trips(contender: Contender) -> dict[str, int]:
    """Return door -> round trips, as the audit counted them itself."""
    found = re.search(r"round trips: (.+)", contender.output)
    parts = [part.split(" ", 1) for part in found[1].split(", ")] if found else []
    return {sort: int(count) for count, sort in parts}


def counted(contender: Contender) -> tuple[int, int]:
    """Return the tests of the last audit, and its assertions: compared properties, and existence where none is stated."""
    newest = max(contender.folder.glob(f"{contender.name}-*"), key=lambda path: path.stat().st_mtime)
    lines = (newest / "reports" / "latest" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return len(records), sum(max(1, len(record["expected"].keys() - {"ensure"})) for record in records)


def _apart(house: House, file: str) -> list[str]:
    """Return pytest on a copy of a file with an ini file of its own: nothing of this repository is loaded."""
    folder = house.folder / "apart"
    folder.mkdir(exist_ok=True)
    shutil.copy(PEERS / file, folder)
    ini = folder / "pytest.ini"
    ini.write_text("[pytest]\naddopts = -ra\n")
    return [*PYTEST, "-c", str(ini), "--rootdir", str(folder), str(folder / file)]


def _people(house: House, number: int) -> str:
    path = house.folder / f"people-{number}.json"
    path.write_text(json.dumps([person(i) for i in range(number)]))
    return os.fspath(path)
