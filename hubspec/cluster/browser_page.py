"""A login in headless Chromium, in a process of its own: `python -m hubspec.cluster.browser_page`, by Playwright.

Standard input is one line of JSON, the password in it; standard output is a line of JSON for each thing to say, and at last
what became of it. Nothing of the password is in an argument, an address, a picture or a message.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import time
from typing import Any
from urllib.parse import urlsplit

FLAGS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
)
SIZE = {"width": 1280, "height": 800}
LARGEST = 300_000
"""Bytes of a picture: of one that is larger the quality is lowered."""
FORM = "form input[name=username]"
WRONG = ".login_error, .error, .alert-danger"
READY = "#notebook_list, .jp-DirListing, .jp-Launcher, #jp-main-dock-panel, .jp-Notebook"
"""What is in the page of classic Notebook (5 and 6), of Notebook 7, and of JupyterLab, once it can be used."""


def main() -> int:
    """Log in, and say what became of it."""
    # Playwright logs what it types where DEBUG says so.
    for name in ("DEBUG", "DEBUG_FILE", "PWDEBUG"):
        os.environ.pop(name, None)
    job = json.loads(sys.stdin.readline())
    try:
        end = _login(job)
    except Exception as error:  # noqa: BLE001 - whatever it is, its words are all that leaves this process
        end = {"error": str(error) or type(error).__name__}
    print(json.dumps(without(job["password"], end)), flush=True)
    return 0


def without(password: str, end: dict[str, Any]) -> dict[str, Any]:
    """Return what became of a login with no password in its words. The picture is left whole: a short password is among its letters by chance."""
    return {
        name: told.replace(password, "***") if isinstance(told, str) and name != "shot" else told
        for name, told in end.items()
    }


def _say(text: str) -> None:
    print(json.dumps({"say": text}), flush=True)


def _login(job: dict[str, Any]) -> dict[str, Any]:
    from playwright.sync_api import Error, sync_playwright

    until = time.monotonic() + job["seconds"]
    flags = [*FLAGS, *([f"--ignore-certificate-errors-spki-list={job['spki']}"] if job["spki"] else [])]
    if job["port"]:  # the hub is reached through it, under its own name
        flags.append(f"--host-resolver-rules=MAP {urlsplit(job['url']).netloc} 127.0.0.1:{job['port']}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=job["chromium"], args=flags, chromium_sandbox=os.geteuid() != 0
        )
        try:
            page = browser.new_context(viewport=SIZE, accept_downloads=False).new_page()  # type: ignore[arg-type] # a TypedDict of its own
            here = urlsplit(job["url"]).netloc
            page.route(lambda url: urlsplit(url).netloc != here, lambda route: route.abort())
            answered: list[tuple[int, str]] = []
            page.on("response", lambda one: answered.append((one.status, urlsplit(one.url).path)))
            try:
                words = _through(page, job, until)
            except Error as error:
                last = ", ".join(f"{status} {path}" for status, path in answered[-3:])
                words = f"{error.message.splitlines()[0]} (at {urlsplit(page.url).path}; last answers: {last})"
            shot = _picture(page)
            return {
                "ok": not words,
                "words": words,
                "path": urlsplit(page.url).path,
                "title": page.title(),
                "shot": shot,
            }
        finally:
            browser.close()


def _through(page: Any, job: dict[str, Any], until: float) -> str:
    """Return why it did not come to the notebook page; nothing where it did."""

    def left() -> float:
        return max((until - time.monotonic()) * 1000, 1)

    answer = page.goto(f"{job['url']}/hub/login", timeout=left())
    told = (answer.security_details() or {}) if answer else {}
    if job["ends"] and told.get("validTo") != job["ends"]:
        return "the login page came with another certificate than the believed one; nothing was typed"
    page.locator(FORM).first.wait_for(timeout=left())
    _say("the login form is there")
    page.locator(FORM).first.fill(job["name"], timeout=left())
    page.locator("form input[name=password]").first.fill(job["password"], timeout=left())
    page.locator("form input[name=password]").first.press("Enter", timeout=left(), no_wait_after=True)
    server = re.compile(rf"/user/{re.escape(job['name'])}/")
    pressed = False
    while not server.search(page.url):
        if time.monotonic() > until:
            return f"it did not come to the notebook page in time; the page is {page.title()!r}"
        page.wait_for_timeout(200)
        if "/hub/login" in page.url and (wrong := _text(page, WRONG)):
            return f"the login form refused: {wrong}"
        if not pressed and "/hub/" in page.url and page.locator("a#start").count():
            pressed = True  # a hub that shows its home page first
            page.locator("a#start").first.click(timeout=left(), no_wait_after=True)
    _say("the hub let it in, and its server answers")
    page.locator(READY).first.wait_for(timeout=left())
    return ""


def _text(page: Any, selector: str) -> str:
    found = page.locator(selector)
    texts = [
        found.nth(number).inner_text().strip()
        for number in range(min(found.count(), 3))
        if found.nth(number).is_visible()
    ]
    return "; ".join(" ".join(text.split())[:200] for text in texts if text)


def _picture(page: Any) -> str:
    # What is typed into the form is no part of the evidence, not even as dots.
    mask = [page.locator("input[type=password]")]
    for quality in (70, 40, 15):
        shot: bytes = page.screenshot(type="jpeg", quality=quality, mask=mask)
        if len(shot) <= LARGEST:
            return base64.b64encode(shot).decode()
    return ""


if __name__ == "__main__":
    sys.exit(main())
