"""The smoke test of the login: a probe user's name and password, typed into the hub's own form in a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from hubspec.door import Doors
from hubspec.errors import DoorError
from hubspec.model import Detail, Difference
from hubspec.part import BrokenError, Part, hub_log
from hubspec.probe import Probe

NAME = "login"
_NOT_LET_IN = "not currently authorized"
"""What JupyterHub 5.0 and later say to whom no list of theirs allows, whatever the password (`error.html`)."""


def run(doors: Doors, probe: Probe, until: float, say: Callable[[str], None]) -> Part:
    """Log in as a probe user up to the notebook page, and return how that went, with a picture of its end."""
    assert doors.live is not None
    live = doors.live(None)
    part = Part(NAME, f"{live.base}/hub/login in Chromium as {probe.name}")

    def tell(text: str) -> None:
        part.note(text)
        say(f"{probe.name}: login: {text}")

    def do(part: Part) -> str:
        seen = live.login(probe.name, probe.password, max(until - time.monotonic(), 1), tell)
        part.note(f"the browser's last page is {seen.path}, {seen.title!r}")
        part.found = {"page": seen.path.replace(probe.name, "NAME"), "title": seen.title}
        if seen.picture:
            part.shown = Detail("what the browser showed", f"{seen.title}, at {seen.path}", image=seen.picture)
        if seen.ok:
            return "the login form let the probe user in, to its notebook page"
        if _NOT_LET_IN in seen.words:
            raise DoorError(
                "the hub lets in only those whom its settings name, so a probe user cannot try its login:"
                f" set c.Authenticator.allow_existing_users = True, or leave login out of --smoke ({seen.words})"
            )
        raise BrokenError(
            f"the login did not come to the notebook page: {seen.words}", Difference("page", "/user/NAME/", seen.path)
        )

    part.run(do, partial(hub_log, doors))
    say(f"{probe.name}: login: {part.outcome}, {part.took:.1f} s")
    return part
