"""Index: `audit` runs the suite as its user does; `tests/lab/conftest.py` has the lab. Warnings are errors in all tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
# The plugin of hypothesis is not there where an audit is only used, and takes a third of its start.
_WITHOUT = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")


def pytest_configure() -> None:
    """Take Ctrl-C's signal as usual: in a job of a shell's background it is ignored, and each process that tests send it to would inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make warnings errors here, and not in an audit: its outcome is the cluster's. Other hubs than the default's come last."""
    items.sort(key=lambda item: item.path.name == "test_matrix.py")
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("error"), append=False)
        item.add_marker(pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning"))


@dataclass(frozen=True)
class Run:
    """What a user sees of one audit: the exit code, the terminal, and the folder of the reports."""

    code: int
    text: str
    folder: Path

    @property
    def records(self) -> list[dict[str, Any]]:
        """Return the records of the run; none where it wrote none."""
        path = self.folder / "latest" / "records.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def outcomes(self, kind: str | None = None) -> dict[str, int]:
        """Return outcome -> number of records, of one kind or of all."""
        found = [record["outcome"] for record in self.records if kind in {None, record["kind"]}]
        return {outcome: found.count(outcome) for outcome in sorted(set(found))}


Audit = Callable[..., Run]


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Run `pytest checks/ ...` in a process of its own; `env` adds to a clean environment, a None takes out.

    `into` names the folder of the reports, so that a second run leaves those of the first.
    """

    def run(*args: str, checks: str = "checks", env: dict[str, str | None] | None = None, into: str = "reports") -> Run:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("HUBSPEC_", "AWS_", "PYTEST_"))}
        wanted = clean | {"AWS_EC2_METADATA_DISABLED": "true", "COLUMNS": "200"} | (env or {})
        folder = tmp_path / into
        done = subprocess.run(
            [sys.executable, "-m", "pytest", checks, "--reports", str(folder), *_WITHOUT, *args],
            cwd=ROOT,
            env={key: value for key, value in wanted.items() if value is not None},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            start_new_session=True,  # without a terminal, as in a nightly job
        )
        return Run(done.returncode, done.stdout + done.stderr, folder)

    return run
