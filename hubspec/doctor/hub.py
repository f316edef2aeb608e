"""Checks of the hub: whether it is reached, believed and well, and what the token may do there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from hubspec.baseline import Baseline
from hubspec.cluster.hub import HubDoor
from hubspec.doctor import machine, tls
from hubspec.doctor.clock import verdict
from hubspec.doctor.model import Check, Finding, Findings, State, fails, parted, works
from hubspec.errors import AnsweredError, DoorError
from hubspec.scopes import needed

_REFUSED = {401, 403}


@dataclass(frozen=True)
class Mint:
    """For whom an audit would make a token: in any case, and where it has none."""

    always: str | None
    spare: str | None

    def whom(self, door: HubDoor) -> str | None:
        """Return for whom it would make one, None where it would not."""
        if self.always or not self.spare:
            return self.always
        try:
            door.own()
        except DoorError:
            return self.spare
        return None


def checks(door: HubDoor, baseline: Baseline, mint: Mint, deadline: float) -> Iterator[Check]:
    """Yield the checks."""
    yield Check(("hub.address",), lambda: address(door))
    yield Check(("proxy.hub",), lambda: machine.of_hub(door.address), ("hub.address",), needed=False)
    yield Check(("hub.reached",), lambda: reached(door, deadline), ("hub.address",))
    yield Check(("hub.tls",), lambda: certificate(door), ("hub.reached",))
    yield Check(("hub.version", "clock.hub"), lambda: version(door), ("hub.tls",))
    whom = mint.whom(door)
    yield Check(("hub.token",), lambda: token(door, whom), needed=whom is None)
    if whom is None:
        yield Check(("hub.accepted", "hub.rights"), lambda: rights(door, baseline), ("hub.version", "hub.token"))


def address(door: HubDoor) -> Findings:
    """Tell the address, or why nobody knows it."""
    try:
        yield works("hub.address", door.address())
    except DoorError as error:
        yield fails("hub.address", str(error), "--hub-url https://HOST:9443")


def reached(door: HubDoor, deadline: float) -> Findings:
    """Tell whether its port is reached, and by which way."""
    url = door.address()
    where = urlsplit(url)
    host, port = where.hostname or "", where.port or (443 if where.scheme == "https" else 80)
    try:
        door.trust.connect(host, port, deadline).close()
    except OSError as error:
        fix = "is the hub up, does the security group let this machine in (port 9443)? Else --door ssh leads there, or --hub-url"
        yield fails("hub.reached", f"nobody is reached at {host}:{port} ({error})", fix)
        return
    except DoorError as error:
        yield fails("hub.reached", str(error), "mend the way through ssh first, or let this machine in at that port")
        return
    yield works("hub.reached", door.trust.told(url)[0] or "directly")


def certificate(door: HubDoor) -> Findings:
    """Tell whether its certificate is believed."""
    trust = door.trust
    yield tls.verdict(door.certificate(), trust.fingerprint, trust.ca_file, insecure=trust.insecure)


def version(door: HubDoor) -> Findings:
    """Tell what answers there."""
    about = door.version()
    yield works("hub.version", f"JupyterHub {about.get('version', 'of no version')}")
    yield verdict("clock.hub", door.apart, "the hub")


def token(door: HubDoor, mint: str | None) -> Findings:
    """Tell whether there is a token."""
    if mint:
        told = f"an audit makes one for {mint} in the container (--mint-token); the doctor makes none"
        yield Finding("hub.token", State.UNTRIED, told, needed=False)
        return
    try:
        door.own()
    except DoorError as error:
        yield fails("hub.token", *parted(str(error)))
        return
    yield works("hub.token", "there is one")


def rights(door: HubDoor, baseline: Baseline) -> Findings:
    """Tell whose the token is, and which of an audit's questions it may not ask."""
    try:
        who = door.get("/user")
    except AnsweredError as error:
        if error.status in _REFUSED:
            yield fails(
                "hub.accepted",
                "the hub does not take the token: it is wrong, expired or revoked",
                "give a valid one with HUBSPEC_HUB_TOKEN or --hub-token-file",
            )
            return
        raise
    yield works("hub.accepted", f"it is a token of {who.get('name', '?')}")
    yield _allowed(who, baseline)


def _allowed(who: dict[str, Any], baseline: Baseline) -> Finding:
    scopes = who.get("scopes")
    if scopes is None:  # before 2.0 there is admin, and nothing else
        if who.get("admin"):
            return works("hub.rights", "an admin")
        return fails("hub.rights", f"{who.get('name', '?')} is no admin of the hub", "give the token of one")
    missing = {scope: sections for scope, sections in needed(baseline).items() if scope not in scopes}
    if not missing:
        return works("hub.rights", "every scope that this baseline needs")
    lost = ", ".join(dict.fromkeys(section for sections in missing.values() for section in sections))
    return fails(
        "hub.rights",
        f"the token lacks {', '.join(missing)}: {lost} cannot be read",
        f"give one with the scopes {' '.join(needed(baseline))}",
    )
