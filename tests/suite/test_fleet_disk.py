"""The disk is full when the merged report of a fleet is written: nothing pretends to be whole, and what came is kept."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests import fleets, small_disk
from tests.conftest import ROOT

WORDS = ("--history", "none", "--report", "html", "--", "checks/test_users.py", "-p", "no:hypothesispytest")
PAGE, SPARE = 4096, 64 * 1024
"""A file of a tmpfs takes whole pages; and what an audit needs besides, such as folders and the file of what it says."""


def pages(*files: Path) -> int:
    return sum(-(-file.stat().st_size // PAGE) * PAGE for file in files)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """Return the options of a fleet, and its report where there is room."""
    folder = tmp_path_factory.mktemp("calm")
    options = [*fleets.saved(folder, 2, 1, people=200), *WORDS]
    run = fleets.ended(fleets.begin(folder / "r", *options), folder / "r")
    assert run.code == 1, run.text
    return options, folder / "r" / "latest"


def on_small_disk(tmp_path: Path, size: int, options: list[str]) -> tuple[subprocess.CompletedProcess[str], Path, Path]:
    disk, seen, told = tmp_path / "disk", tmp_path / "seen", tmp_path / "metrics"
    disk.mkdir()
    words = fleets.command("fleet", "--reports", str(disk), "--metrics", str(told), *options)
    done = subprocess.run(
        small_disk.command(str(size), disk, seen, words),
        cwd=ROOT,
        env=fleets.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done, seen, told


def test_no_room_for_the_records_of_all(tmp_path: Path, calm: tuple[list[str], Path]) -> None:
    options, whole = calm
    parts = [file for file in (whole / "clusters").rglob("*") if file.is_file()]
    records = whole / "records.jsonl"
    assert pages(records) > 4 * SPARE

    done, seen, told = on_small_disk(tmp_path, pages(*parts) + SPARE + pages(records) // 2, options)

    text = done.stdout + done.stderr
    assert done.returncode == 11, text
    assert "cannot be written: No space left on device" in text
    assert "there is no merged report of this run. The reports of 2 clusters are kept" in text
    (kept,) = seen.iterdir()
    assert kept.name.startswith("unfinished-")
    assert {one.name for one in kept.iterdir()} <= {"clusters", ".joining"}, "no half of a report"
    assert "hubspec_run_exit_code 11" in told.read_text()
    joined = subprocess.run(
        fleets.command("merge", *map(str, (kept / "clusters").iterdir()), "-o", str(tmp_path / "joined")),
        cwd=ROOT,
        env=fleets.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert joined.returncode == 1, joined.stdout + joined.stderr
    assert count(tmp_path / "joined") == count(whole)


def test_no_room_for_the_page(tmp_path: Path, calm: tuple[list[str], Path]) -> None:
    options, whole = calm
    made = [file for file in whole.rglob("*") if file.is_file() and file.name != "manifest.json"]
    page = whole / "report.html"
    assert pages(page) > 2 * SPARE

    done, seen, _ = on_small_disk(
        tmp_path, pages(*made, *whole.glob("clusters/*/manifest.json")) - pages(page) // 2, options
    )

    text = done.stdout + done.stderr
    assert done.returncode == 1, text
    assert "notice: report.html was not written: No space left on device" in text
    assert count(seen / "latest") == count(whole)
    assert not (seen / "latest" / "report.html").exists(), "no half of a page"


def count(report: Path) -> dict[tuple[str, str], str]:
    """Return (cluster, test) -> outcome of a report."""
    lines = (report / "records.jsonl").read_text().splitlines()
    return {(one["cluster"], one["test"]): one["outcome"] for one in map(json.loads, lines)}
