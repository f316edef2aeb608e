"""Environments on disk: where they are, what is in them, and the history that makes them one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from hubspec_conda import NUMBER, ROOT


class CondaError(Exception):
    """What conda reports to a person: an exception name of conda's own, and a sentence.

    Source of fact: conda `exceptions.py` (names), `cli/main.py` (exit 1).
    """

    def __init__(self, name: str, message: str, **more: object) -> None:
        """Keep conda's name of the error, and what else conda would put in its JSON."""
        super().__init__(message)
        self.name = name
        self.more = more

    def as_json(self) -> dict[str, object]:
        """Answer the error as `--json` prints it."""
        kind = f"<class 'conda.exceptions.{self.name}'>"
        text = str(self)
        return {
            "caused_by": "None",
            "error": f"{self.name}: {text}",
            "exception_name": self.name,
            "exception_type": kind,
            "message": text,
            **self.more,
        }


def prefix_of(name: str | None, path: str | None, *, must_exist: bool = True) -> Path:
    """Answer the folder of an environment, by name (`base` is the root) or by path.

    Raises: CondaError EnvironmentLocationNotFound where it has no conda-meta and must have.
    """
    if path:
        prefix = Path(path)
    elif name in (None, "base", "root"):
        prefix = Path(ROOT)
    else:
        prefix = Path(ROOT, "envs", str(name))
    if must_exist and not (prefix / "conda-meta").is_dir():
        message = f"Not a conda environment: {prefix}"
        raise CondaError("EnvironmentLocationNotFound", message)
    return prefix


def records(prefix: Path) -> list[dict[str, Any]]:
    """Answer the conda-meta records of an environment, by name."""
    found = [json.loads(file.read_text()) for file in (prefix / "conda-meta").glob("*.json")]
    return sorted(found, key=lambda record: str(record["name"]))


def pip_packages(prefix: Path) -> list[tuple[str, str]]:
    """Answer name and version of what pip installed there: distributions that no conda record owns."""
    owned = {path for record in records(prefix) for path in record.get("files", [])}
    found = []
    for site in prefix.glob("lib/python3*/site-packages"):
        for dist in distributions(path=[str(site)]):
            home = Path(str(getattr(dist, "_path", site)))
            if str((home / "METADATA").relative_to(prefix)) not in owned:
                found.append((dist.metadata["Name"].lower(), dist.version))
    return sorted(found)


def requested(prefix: Path) -> dict[str, str]:
    """Answer what a person asked for, by name: the records whose requested_spec is not empty."""
    return {r["name"]: r["requested_spec"] for r in records(prefix) if r.get("requested_spec")}


def pinned(prefix: Path) -> dict[str, str]:
    """Answer the specs of conda-meta/pinned, by line; its comments say nothing. Source: conda `core/solve.py`, get_pinned_specs."""
    file = prefix / "conda-meta" / "pinned"
    lines = file.read_text().splitlines() if file.exists() else []
    return {line: line.strip() for line in lines if line.strip() and not line.strip().startswith("#")}


def write_requested(prefix: Path, specs: dict[str, str]) -> None:
    """Write who was asked for into the records; rattler itself leaves conda's older field out."""
    for record in records(prefix):
        spec = specs.get(record["name"], "")
        if record.get("requested_spec", None) == spec:
            continue
        record["requested_spec"] = spec
        record["requested_specs"] = [spec] if spec else []
        stem = f"{record['name']}-{record['version']}-{record['build']}"
        (prefix / "conda-meta" / f"{stem}.json").write_text(json.dumps(record, indent=2))


def write_history(prefix: Path, changes: list[str], action: str, specs: list[str]) -> None:
    """Add one entry to conda-meta/history, in conda's form. Source: conda `history.py`."""
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    lines = [f"==> {now} <==", f"# cmd: {' '.join(sys.argv)}", f"# conda version: {NUMBER}", *changes]
    if specs:
        lines.append(f"# {action} specs: {specs!r}")
    with (prefix / "conda-meta" / "history").open("a") as history:
        history.write("\n".join(lines) + "\n")


def make(prefix: Path) -> None:
    """Make an empty environment. It runs on the image's own Python, which no record describes.

    Raises: CondaError where the folder is an environment already.
    """
    if (prefix / "conda-meta").exists():
        message = f"prefix already exists: {prefix}"
        raise CondaError("CondaValueError", message)
    python = f"{ROOT}/bin/python3"
    subprocess.run([python, "-m", "venv", "--without-pip", str(prefix)], check=True)  # noqa: S603
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta" / "history").touch()
