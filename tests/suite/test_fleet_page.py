"""The page of many clusters in a real browser: it can be used by everybody, asks nobody for anything, and leads to each cluster."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from hubspec.fleet import whole
from hubspec.fleet.merge import Merged
from tests.parts import leave, one_of
from tests.records import HOSTILE, with_history

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[dev]'")
AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium: install Debian's with `apt-get install chromium`"
)
SEEN = [("light", 1280), ("dark", 400)]


@pytest.fixture
def pages() -> Iterator[list[Any]]:
    """Open pages of a browser, in two schemes and widths."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield [
            browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}).new_page()
            for scheme, width in SEEN
        ]
        browser.close()


def test_the_page_of_many_clusters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: list[Any]) -> None:
    monkeypatch.setattr(whole, "MOST", 10)
    records, about = with_history()
    merged = Merged(tmp_path / "merged", command="python -m hubspec fleet --cluster all", shard="1/2")
    for number, name in enumerate([*HOSTILE, "x" * 300]):
        part = leave(tmp_path / f"p{number}", one_of(name, "drifted", "unreadable", message=name, title=name))
        (part / "manifest.json").unlink()  # the page is added, as if its run had left it
        (part / "report.html").write_text("<title>its own</title>")
        merged.add(part)
    stated = {"frameworks": about.frameworks, "compared": True, "last": about.last, "notices": list(HOSTILE)}
    merged.add(leave(tmp_path / "known", records, **stated))
    for name in HOSTILE:
        merged.lost(f"lost {name}", name)
    assert merged.finish(["html"]) == 1

    for page, (_, width) in zip(pages, SEEN, strict=True):
        faults: list[str] = []
        page.on("dialog", lambda dialog, faults=faults: (faults.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda message, faults=faults: faults.append(message.text))
        page.on("request", lambda one, faults=faults: None if one.url.startswith(("file:", "data:")) else faults.append(one.url))  # fmt: skip
        page.goto((merged.folder / "report.html").as_uri())
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(AXE.read_text(encoding="utf-8"))
        told = page.evaluate("() => axe.run(document)")
        assert len(told["passes"]) > 10, "it looked"
        assert [(one["impact"], one["id"], one["nodes"][0]["html"]) for one in told["violations"]] == []
        assert page.locator("#clusters ~ table tbody tr").count() == 2 * len(HOSTILE) + 3
        page.locator("#clusters ~ table a").first.click()
        assert page.title() == "its own"
        assert faults == []
