"""A fleet of saved snapshots, and `python -m hubspec fleet` as its user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import ROOT, Run
from tests.suite.snapshots import user, write

VARYING = ("run", "took", "since", "change")
"""Fields of a record that two looks at the same snapshot need not share."""


def saved(folder: Path, count: int, *drifting: int, people: int = 0) -> list[str]:
    """Write so many snapshots, of which these drift, and return the options that audit them; `people` are more accounts in each."""
    write(folder)
    more = {f"p{number:03}": 2000 + number for number in range(people)}
    with (folder / "baseline.yaml").open("a") as baseline:
        baseline.writelines(f"  {name}: {{uid: {uid}}}\n" for name, uid in more.items())
    document = json.loads((folder / "snapshot.json").read_text())
    options = ["--baseline", str(folder / "baseline.yaml")]
    for number in range(count):
        name = f"j-F{number:03}"
        users = {"diego": user(1001), "ana": user(7 if number in drifting else 1003)}
        users |= {name: user(uid) for name, uid in more.items()}
        document["cluster"], document["kinds"]["user"]["seen"] = name, users
        (folder / f"{name}.json").write_text(json.dumps(document))
        options += ["--snapshot", str(folder / f"{name}.json")]
    return options


def command(*words: str) -> list[str]:
    """Return the command line of `python -m hubspec`."""
    return [sys.executable, "-m", "hubspec", *words]


def environment(more: dict[str, str | None] | None = None) -> dict[str, str]:
    """Return our environment without what an audit would take for its own, and with more; None takes a variable out."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("HUBSPEC_", "AWS_", "PYTEST_"))}
    wanted = clean | {"AWS_EC2_METADATA_DISABLED": "true", "PYTHONPATH": str(ROOT)} | (more or {})
    return {key: value for key, value in wanted.items() if value is not None}


def begin(folder: Path, *args: str, env: dict[str, str | None] | None = None) -> subprocess.Popen[str]:
    """Begin a fleet whose report is put below the folder."""
    return subprocess.Popen(
        command("fleet", "--reports", str(folder), *args),
        cwd=ROOT,
        env=environment(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def ended(fleet: subprocess.Popen[str], folder: Path, seconds: float = 240) -> Run:
    """Return what a user sees of a fleet at its end."""
    text, _ = fleet.communicate(timeout=seconds)
    return Run(fleet.returncode, text, folder)


def same(run: Run) -> list[dict[str, Any]]:
    """Return the records, without what differs between two looks at the same."""
    kept = [{key: value for key, value in record.items() if key not in VARYING} for record in run.records]
    return sorted(kept, key=lambda record: (record["cluster"], record["test"]))
