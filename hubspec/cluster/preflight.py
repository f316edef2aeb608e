"""What the doctor looks at that no door does: programs and libraries of this machine, ports, the shell of the master node."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from importlib import metadata
from urllib.parse import urlsplit

from packaging.requirements import Requirement

from hubspec.cluster.browser import CHROMIUM
from hubspec.cluster.ssh import SshLine
from hubspec.errors import DoorError, HubspecError, ShutError

PATIENCE = 2.0
"""Seconds after which something that goes on is told of."""
_QUICK = 3.0
_WORD = "hubspec-doctor"
_SHELL = f"exec sh -c 'cat; echo; date +%s.%N; echo {_WORD}-end'"


def within(do: Callable[[], None], seconds: float, say: Callable[[], None]) -> None:
    """Call something in a thread, tell after two seconds that it goes on, and raise what it raises.

    Raises DoorError after so many seconds, and for what nobody thought of.
    """
    raised: list[BaseException] = []

    def run() -> None:
        try:
            do()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(min(PATIENCE, seconds))
    if thread.is_alive():
        say()
        thread.join(max(seconds - PATIENCE, 0))
    if thread.is_alive():
        raise DoorError(f"it did not end within {seconds:g} s")
    if not raised:
        return
    if isinstance(raised[0], HubspecError):
        raise raised[0]
    # One check that is at its wits' end is no reason to say nothing of the others.
    raise DoorError(f"this check broke off by itself ({type(raised[0]).__name__}: {raised[0]})")


def terminal() -> int:
    """Return how many characters a line of the terminal takes."""
    return shutil.get_terminal_size((120, 24)).columns


def python() -> str:
    """Return the version of this Python, and what runs it."""
    return f"{platform.python_version()} on {platform.system()} {platform.machine()}"


def lacking() -> list[str]:
    """Return the required libraries that are not there or of the wrong version, in words. Raises DoorError where hubspec is not installed."""
    try:
        wanted = [Requirement(line) for line in metadata.requires("hubspec") or []]
    except metadata.PackageNotFoundError:
        raise DoorError("hubspec is not installed, so its requirements are not known") from None
    found = []
    for one in wanted:
        if one.marker and not one.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(one.name)
        except metadata.PackageNotFoundError:
            found.append(f"{one.name} is missing")
            continue
        if not one.specifier.contains(version, prereleases=True):
            found.append(f"{one.name} is {version}, wanted {one.specifier}")
    return found


def ssh() -> str:
    """Return the version of OpenSSH's client. Raises DoorError where there is none."""
    try:
        done = subprocess.run(
            ["ssh", "-V"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_QUICK, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        raise DoorError("there is no ssh on this machine: install OpenSSH's client") from None
    return (done.stderr or done.stdout).strip().split(",")[0]


def browser() -> str:
    """Return the browser that a login would use. Raises DoorError where there is none."""
    if importlib.util.find_spec("playwright") is None:
        raise DoorError("there is no Playwright: pip install 'hubspec[browser]'")
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if not found:
        raise DoorError(
            "there is no Chromium on the PATH: sudo apt-get install chromium, or playwright install chromium"
        )
    return found


def listens(where: str) -> str:
    """Return why nobody is reached at HOST:PORT, empty where somebody listens."""
    parts = urlsplit(f"//{where}")
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), _QUICK).close()
    except (OSError, ValueError) as error:
        return str(error)
    return ""


def shell(line: SshLine, seconds: float) -> tuple[str, float | None]:
    """Return what the login shell of the master node prints by itself, and by how many seconds its clock is before ours.

    Raises DoorError where it does not run what it is told.
    """
    sent = time.time()
    said = line.run(_SHELL, _WORD.encode(), seconds)
    noise, began, rest = said.out.decode("utf-8", "backslashreplace").partition(_WORD)
    clock, ended, _ = rest.partition(f"{_WORD}-end")
    if not began or not ended:
        target = line.target
        what = f"the shell of {target.user} on {target.host} does not run what it is told (status {said.code})"
        raise ShutError(what, "shell", f"does the profile of {target.user} end it, or read its input?")
    try:
        apart = float(clock.strip()) - (sent + time.time()) / 2
    except ValueError:
        apart = None
    return noise.strip(), apart
