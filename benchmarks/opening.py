"""How long a browser takes to open the HTML report: first words on the screen, and everything loaded and the filters at work."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.page import table

TIMES = 7
"""A page is opened so often, each time by a visitor that has nothing of it yet; the median counts."""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def table_of_opening(pages: dict[str, Path]) -> str:
    """Open each page in headless Chromium, and return the table; a sentence where there is no Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return "How long a browser takes to open the page was not measured: there is no chromium.\n"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        rows = [_row(browser, name, path) for name, path in pages.items()]
        browser.close()
    head = ("the HTML page in Chromium", "MB", "first paint s", "loaded, filters at work s (goal: 1)")
    return table(head, rows)


def _row(browser: Browser, name: str, path: Path) -> tuple[object, ...]:
    times = [_open(browser, path) for _ in range(TIMES)]
    painted, loaded = (statistics.median(one) / 1000 for one in zip(*times, strict=True))
    return name, f"{path.stat().st_size / 1e6:.1f}", f"{painted:.2f}", f"**{loaded:.2f}**"


def _open(browser: Browser, path: Path) -> tuple[float, float]:
    """Return after how many milliseconds the page painted, and had run its script."""
    visitor = browser.new_context()
    page = visitor.new_page()
    page.goto(path.as_uri())
    page.wait_for_function("!document.getElementById('filters').hidden")
    times = page.evaluate(f"[{PAINTED}, {LOADED}]")
    visitor.close()
    return times[0], times[1]
