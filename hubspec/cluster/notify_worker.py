"""The process that sends a message: reads the message and the addresses on standard input, and says in JSON how it went.

Apprise names addresses in what it logs, with their secrets mostly hidden. Of that only numbers leave this process.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterable
from typing import Any

_STATUS = re.compile(r"error[=:] ?([0-9]{3})\b")
_PLACE = re.compile(r"\b(line|entry|item)\b[ #]*([0-9]+)", re.IGNORECASE)


class _Heard(logging.Handler):
    """Gathers what is said while addresses are read."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.faults: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        # Which entry of a file it was Apprise says of some faults only where it tells details.
        if record.levelno >= logging.WARNING or text.startswith(("Unparseable", "Recursion limit")):
            self.faults.append(text)


def main() -> None:
    """Send the message of standard input."""
    job = json.loads(sys.stdin.buffer.read())
    print(json.dumps(_send(job)), flush=True)
    os._exit(0)  # a service that did not answer in time is still waited for by a thread of Apprise


def _send(job: dict[str, Any]) -> dict[str, Any]:
    import apprise
    from apprise.utils.parse import parse_urls

    heard = _Heard()
    log = logging.getLogger("apprise")
    log.handlers, log.propagate = [heard], False
    log.setLevel(logging.DEBUG)
    # In memory: by default Apprise may keep what it knows of a service in files.
    asset = apprise.AppriseAsset(
        app_id="hubspec",
        app_desc="hubspec",
        app_url="",
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        service_timeout=job["deadline"],
    )
    people = apprise.Apprise(asset=asset)
    faults = []
    if "config" in job:
        config = apprise.AppriseConfig(asset=asset)
        # Not any file or page that it may name beside: what is told to whom stands in this one.
        known = config.add_config(job["config"], recursion=0) and len(config.services()) > 0
        faults += _faults(heard.faults, known=known)
        people.add(config)
    for number, url in enumerate(parse_urls(job["urls"]), 1):
        if not people.add(url):
            faults.append(f"address {number} of HUBSPEC_NOTIFY_URLS is none that Apprise knows")
    if not len(people):
        return {"faults": faults, "took": 0, "failed": []}
    log.handlers = [logging.NullHandler()]
    result = people.notify(
        title=job["title"],
        body=job["text"],
        body_format=apprise.NotifyFormat.MARKDOWN,
        notify_type=apprise.NotifyType(job["kind"]),
        timeout=job["deadline"],
    )
    failed = [
        f"service {number} ({one.name}) {_why(one.status.name, (entry.message for entry in one.logs()))}"
        for number, one in enumerate(result.results, 1)
        if not one
    ]
    return {"faults": faults, "took": len(result.results) - len(failed), "failed": failed}


def _faults(said: list[str], *, known: bool) -> list[str]:
    places = [f"{match[1].lower()} {match[2]}" for one in said if (match := _PLACE.search(one))]
    found = [f"{place} of the file cannot be used by Apprise" for place in dict.fromkeys(places)]
    if any(one.startswith("Recursion limit") for one in said):
        found.append("the file names another to include, which is not read")
    if found:
        return found
    if not known:
        return ["the file holds no address that Apprise can use"]
    return ["something in the file cannot be used by Apprise"] if said else []


def _why(status: str, said: Iterable[str]) -> str:
    text = " ".join(said)
    if answer := _STATUS.search(text):
        return f"answered {answer[1]}"
    if status == "TIMEOUT" or "timed out" in text.lower():
        return "did not answer in time"
    return "could not be connected to" if "onnection error" in text else "did not take it"


if __name__ == "__main__":
    main()
