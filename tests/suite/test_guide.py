"""`python -m hubspec guide`: what would be checked and why, as a page that asks nobody for anything."""

from __future__ import annotations

import re
import shutil
from html import unescape
from itertools import pairwise
from pathlib import Path

import pytest

from hubspec.__main__ import main
from hubspec.baseline import load
from hubspec.check import checks, undeclared_check
from hubspec.guide import sections
from hubspec.kinds import KINDS
from tests.conftest import ROOT

BASELINES = sorted((ROOT / "baselines").glob("*.yaml"))
MINE = """
extends: EMR
title: Mine <b>& yours</b>
users:
  diego: {uid: 1001, shell: /bin/bash}
  gone: {ensure: absent}
packages:
  keras: ">=2.10"
services:
  report: {url: "https://u:c4n4ry@h", command: [run, --token, c4n4ry]}
undeclared:
  user: {policy: remove, ignore: ["sys*"]}
waivers:
  w: {control: USR-01, reason: agreed, owner: ana, ticket: "https://u:c4n4ry@h", until: "2099-12-31"}
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "mine.yaml").write_text(MINE.replace("EMR", str(ROOT / "baselines" / "emr.yaml")))
    assert main(["guide", str(tmp_path / "mine.yaml"), "-o", str(tmp_path / "guide.html")]) == 0
    return tmp_path / "guide.html"


@pytest.mark.parametrize("path", BASELINES, ids=lambda path: path.name)
def test_every_control_and_check_of_a_shipped_baseline_is_in_it(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["guide", str(path)]) == 0
    text, baseline = capsys.readouterr().out, load(path)

    assert sorted(re.findall(r'id="control-([^"]+)"', text)) == sorted(baseline.sections.controls)
    for id_, control in baseline.sections.controls.items():
        assert f'id="control-{id_}"' in text
        assert control.why in unescape(text)
    told = {(s.kind, e.id, d.name) for s in sections(baseline) for e in s.entries for d in e.demands}
    wanted = {(kind, one.control_id, one.name) for kind in KINDS for one in checks(baseline, kind)}
    wanted |= {
        (kind, one.control_id, "all that is not declared")
        for kind in KINDS
        if (one := undeclared_check(baseline, kind))
    }
    assert wanted <= told
    assert {name for _, _, name in told - wanted} == {
        f"smoke test {name}" for kind in KINDS.values() for name in kind.smoke
    }


def test_a_demand_has_its_values_its_place_and_what_could_put_it_right(page: Path) -> None:
    found = {
        (e.id, d.name): (d, e)
        for s in sections(load(page.with_name("mine.yaml")))
        for e in s.entries
        for d in e.demands
    }
    demand, entry = found["USR-01", "diego"]

    assert demand.wanted == {"ensure": "present", "uid": "1001", "shell": "/bin/bash"}
    assert demand.place == f"{page.with_name('mine.yaml')}:5"
    assert entry.safety == ["safe", "unsafe"]
    assert found["USR-01", "gone"][0].wanted == {"ensure": "absent"}
    rest = next(
        d for (id_, name), (d, e) in found.items() if e.control.kind == "user" and name == "all that is not declared"
    )
    assert rest.wanted == {"policy": "remove", "ignore": '["sys*"]'}
    text = page.read_text()
    assert "Mine &lt;b&gt;&amp; yours&lt;/b&gt;" in text
    assert "c4n4ry" not in text
    assert "https://u:***@h" in text
    assert "from <code>docker inspect</code> (Docker" in text
    assert "<code>CTR-03</code> of <code>jupyterhub</code> on <code>*</code></p><p>until 2027-12-31, UTC" in text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [(None, "there is no such file"), ("users: [", "is not YAML"), ("users: {a: {shel: x}}", "unknown key 'shel'")],
)
def test_a_bad_baseline(text: str | None, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if text is not None:
        (tmp_path / "bad.yaml").write_text(text)
    assert main(["guide", str(tmp_path / "bad.yaml"), "-o", str(tmp_path / "page.html")]) == 4
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_a_page_that_cannot_be_written(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["guide", str(page.with_name("mine.yaml")), "-o", str(page / "x.html")]) == 4
    assert "cannot be written" in capsys.readouterr().err


def test_in_a_browser_it_fits_a_telephone_and_asks_nobody(page: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[dev]'")
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("no chromium: install Debian's with `apt-get install chromium`")
    faults: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 400, "height": 800})
        tab.on("console", lambda message: faults.append(message.text))
        tab.on(
            "request",
            lambda request: faults.append(request.url) if not request.url.startswith(("file:", "data:")) else None,
        )
        tab.goto(page.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") == 400
        assert tab.get_by_role("main").count() == tab.get_by_role("navigation", name="Kinds").count() == 1
        assert tab.get_by_role("heading", level=1).inner_text() == "Mine <b>& yours</b>"
        # Each level of headings is reached through the one above it, and each link leads somewhere.
        levels = tab.locator("h1, h2, h3").evaluate_all("all => all.map(one => Number(one.tagName[1]))")
        assert all(after - before <= 1 for before, after in pairwise(levels))
        lost = "all => all.map(one => one.hash.slice(1)).filter(id => !document.getElementById(id))"
        assert tab.locator("a").evaluate_all(lost) == []
        tab.get_by_role("link", name="packages").click()
        assert tab.get_by_role("heading", name="Packages", exact=True).is_visible()
        request = tab.get_by_text("What is sent for all users")
        request.click()
        assert tab.get_by_text("/etc/passwd", exact=False).last.is_visible()
        browser.close()
    assert faults == []
