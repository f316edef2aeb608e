"""The browser of a login: started, told where to go and whom to believe, and ended when its time is up or the run is."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib.util
import json
import queue
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from hubspec.cluster.channel import connected
from hubspec.cluster.hub_http import Trust
from hubspec.door import Seen
from hubspec.errors import DoorError

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
INSTALL = "pip install 'hubspec[browser]', and Debian's chromium (sudo apt-get install chromium) or `playwright install chromium`"
SLACK, TICK = 10.0, 0.2
"""Seconds that a browser may take beyond its time to start and to end, and between two looks at what it says."""


@dataclass(frozen=True)
class Person:
    """Who logs in."""

    name: str
    password: SecretStr


def login(url: str, trust: Trust, who: Person, seconds: float, say: Callable[[str], None]) -> Seen:
    """Return what a browser sees that logs in at a hub: the way to the notebook page, and a picture of its end.

    Chromium believes the hub's one certificate, which was believed as for every other request, whoever signed it.
    Raises DoorError where there is no browser, or it does not end.
    """
    if importlib.util.find_spec("playwright") is None:
        raise DoorError(f"there is no browser to log in with: {INSTALL}")
    job = {
        "url": url, "name": who.name, "seconds": seconds, **_believed(url, trust),
        "chromium": next(filter(None, map(shutil.which, CHROMIUM)), None),
    }  # fmt: skip
    command = [sys.executable, "-m", "hubspec.cluster.browser_page"]
    with (
        trust.port_here(url) as port,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        job["port"] = port
        try:
            end = _told(process, job, who.password, seconds, say)
        finally:
            _end(process)
    if "error" in end:
        words = " ".join(str(end["error"]).split())[:300]
        raise DoorError(f"the browser could not be used: {words}; is it whole? {INSTALL}")
    return Seen(end["ok"], end["words"], end["path"], end["title"], base64.b64decode(end["shot"]))


def _told(
    process: subprocess.Popen[str], job: dict[str, Any], password: SecretStr, seconds: float, say: Callable[[str], None]
) -> dict[str, Any]:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(json.dumps(job | {"password": password.get_secret_value()}) + "\n")
    lines: queue.Queue[str] = queue.Queue()
    errors: list[str] = []

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put("")

    def hear() -> None:
        assert process.stderr is not None
        errors.extend(process.stderr)

    for work in (read, hear):
        threading.Thread(target=work, daemon=True).start()
    until = time.monotonic() + seconds + SLACK
    while time.monotonic() < until:
        try:
            line = lines.get(timeout=TICK)
        except queue.Empty:
            continue
        if not line:
            said = " ".join("".join(errors[-5:]).split())[-300:]
            return {"error": f"its process ended early: {said.replace(password.get_secret_value(), '***')}"}
        told: dict[str, Any] = json.loads(line)
        if "say" not in told:
            return told
        say(told["say"])
    return {"error": f"it did not end within {seconds + SLACK:.0f} s"}


def _end(process: subprocess.Popen[str]) -> None:
    """End it. Playwright's own process and Chromium end with the pipes that they are spoken to through."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()


def _believed(url: str, trust: Trust) -> dict[str, Any]:
    """Return how Chromium tells the hub's certificate from any other: the hash of its key, and its last second."""
    if urlsplit(url).scheme != "https":
        return {"spki": "", "ends": None}
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import load_der_x509_certificate

    with contextlib.closing(connected(url, trust, 30)) as link:
        assert isinstance(link, ssl.SSLSocket)
        found = link.getpeercert(binary_form=True)
    assert found is not None
    certificate = load_der_x509_certificate(found)
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    spki = base64.b64encode(hashlib.sha256(key).digest()).decode()
    return {"spki": spki, "ends": int(certificate.not_valid_after_utc.timestamp())}
