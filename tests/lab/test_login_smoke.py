"""The smoke test of the login on the lab: a real form, a real browser, and a picture that is really shown."""

from __future__ import annotations

import base64
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import probes
import pytest
from pydantic import SecretStr

from hubspec.cluster.hub import Trust
from hubspec.cluster.live import Live
from hubspec.errors import DoorError
from hubspec.probe import probe_user
from lab import breaks, inside
from lab.breaks.model import Scene
from lab.model import HUB
from tests.conftest import ROOT, Audit

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[dev]'")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium: install Debian's with `apt-get install chromium`"
)
SMOKE = "checks/smoke"
ARGUMENTS = ("--cluster", "lab", "--smoke=login")


@pytest.fixture(autouse=True)
def _nothing_is_left(on: Scene) -> Iterator[None]:
    yield
    assert probes.left(on) == []
    assert browsers() == []


def browsers() -> list[str]:
    """Return the browsers that still run with the flag of ours, after a moment in which they may end."""
    deadline = time.monotonic() + 10
    while True:
        found = [
            path.parent.name
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if b"ignore-certificate-errors-spki-list" in _bytes(path)
        ]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.fixture
def page() -> Iterator[Any]:
    """Give a page of a browser of the test's own."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser.new_page()
        browser.close()


def picture(folder: Path) -> bytes:
    return (folder / "latest" / "lab-login.jpg").read_bytes()


def test_the_login_is_shown_by_a_picture_in_every_report(audit: Audit, page: Any, tmp_path: Path) -> None:
    run = audit(*ARGUMENTS, checks=SMOKE)

    assert run.code == 0, run.text
    (record,) = run.records
    assert (record["control"], record["resource"], record["outcome"]) == ("SRV-25", "login", "compliant")
    told, shown = record["details"]
    assert "the hub let it in, and its server answers" in told["text"]
    shot = picture(run.folder)
    assert shot.startswith(b"\xff\xd8\xff")
    assert 5_000 < len(shot) < 300_000
    assert shown["image"] == f"data:image/jpeg;base64,{base64.b64encode(shot).decode()}"
    attached = [path.read_bytes() for path in (run.folder / "latest" / "allure-results").glob("*-attachment.jpg")]
    assert attached == [shot]

    page.goto((run.folder / "latest" / "report.html").as_uri())
    row = page.locator("#list > details")
    row.locator("summary").click()
    image = row.locator("img.shot")
    image.wait_for()
    assert image.evaluate("image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])") == [
        1280,
        800,
    ]
    assert re.search(r"at /user/hubspec-probe-\w+/", image.get_attribute("alt"))
    assert image.bounding_box()["width"] > 300
    page.screenshot(path=tmp_path / "report.png", full_page=True)
    assert (tmp_path / "report.png").stat().st_size > len(shot) / 10
    # What is in the picture is no blank page: the browser itself counts its colours.
    colours = image.evaluate(
        """image => {
            const canvas = new OffscreenCanvas(128, 80), context = canvas.getContext('2d');
            context.drawImage(image, 0, 0, 128, 80);
            const data = context.getImageData(0, 0, 128, 80).data, seen = new Set();
            for (let i = 0; i < data.length; i += 4) seen.add(`${data[i] >> 4},${data[i + 1] >> 4},${data[i + 2] >> 4}`);
            return seen.size;
        }"""
    )
    assert colours > 5


def test_a_login_that_is_refused_shows_the_hubs_words(audit: Audit) -> None:
    breaks.apply("login-refused")
    try:
        run = audit(*ARGUMENTS, checks=SMOKE)
    finally:
        breaks.mend("login-refused")

    assert run.code == 1, run.text
    (record,) = run.records
    assert "the login form refused: Invalid username or password" in record["message"]
    assert [detail["title"] for detail in record["details"]] == [
        "what was done",
        "last lines of the hub's log",
        "what the browser showed",
    ]
    assert len(picture(run.folder)) > 5_000


def test_the_password_is_in_no_argument_and_in_nothing_that_is_said(on: Scene) -> None:
    said: list[str] = []
    with probes.doors(on.lab, said) as doors, probe_user(doors, said.append, []) as probe:
        assert doors.live is not None
        argv: list[bytes] = []

        def look(text: str) -> None:
            said.append(text)
            argv.extend(_bytes(path) for path in Path("/proc").glob("[0-9]*/cmdline"))
            argv.append(inside.must(on.client, HUB, "cat /proc/[0-9]*/cmdline").encode())

        seen = doors.live(None).login(probe.name, probe.password, 120, look)
        wrong = doors.live(None).login(probe.name, SecretStr("not-the-password"), 60, look)

    word = probe.password.get_secret_value().encode()
    assert seen.ok, seen.words
    assert not wrong.ok
    assert "Invalid username or password" in wrong.words
    assert any(b"ignore-certificate-errors-spki-list" in one for one in argv), "the browser was looked at"
    assert not any(word in one for one in argv)
    assert word.decode() not in "".join(said) + repr(seen) + repr(wrong)


def test_another_certificate_than_the_pinned_one_is_not_even_shown_the_name(on: Scene) -> None:
    live = Live(lambda: on.lab.hub_url, lambda: None, Trust(fingerprint="00" * 32), 10)
    with pytest.raises(DoorError, match="its certificate is not the pinned one"):
        live.login("diego", SecretStr("x"), 20, print)


def test_a_hub_whose_certificate_is_trusted_by_its_ca(on: Scene) -> None:
    live = Live(lambda: on.lab.hub_url, lambda: None, Trust(ca_file=str(on.lab.ca_file)), 10)
    seen = live.login("hubspec-nobody", SecretStr("x"), 60, print)

    assert "Invalid username or password" in seen.words


def test_without_a_browser_it_could_not_be_tried(audit: Audit, tmp_path: Path) -> None:
    (tmp_path / "playwright.py").write_text("raise ImportError('no browser here')\n")
    run = audit(*ARGUMENTS, checks=SMOKE, env={"PYTHONPATH": str(tmp_path)})

    assert run.code == 11, run.text
    assert "the browser could not be used" in run.text
    assert "pip install 'hubspec[browser]'" in run.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_login_leaves_no_user_and_no_browser(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-u", "-m", "pytest", SMOKE, *ARGUMENTS, "--reports", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "the login form is there" in line:
                break
        process.send_signal(number)
        said += process.stdout.read()
        process.wait(120)

    assert process.returncode == 2, said
    assert "stopping its server, and removing it" in said
