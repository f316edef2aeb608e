"""Checks of this machine: its tools, and the proxies of its environment."""

from __future__ import annotations

from collections.abc import Callable

from hubspec.cluster import preflight, proxies
from hubspec.doctor.model import Check, Findings, fails, mind, parted, spared, works
from hubspec.errors import DoorError

RUN = "pip install --editable ."


def python() -> Findings:
    """Tell of Python and of the libraries."""
    yield works("tools.python", preflight.python())
    try:
        lacking = preflight.lacking()
    except DoorError as error:
        yield mind("tools.libraries", str(error), RUN)
        return
    yield fails("tools.libraries", ", ".join(lacking), RUN) if lacking else works("tools.libraries", "all are there")


def ssh(*, wanted: bool) -> Findings:
    """Tell of OpenSSH's client; `wanted` where it is the door."""
    try:
        yield works("tools.ssh", preflight.ssh(), needed=wanted)
    except DoorError as error:
        yield fails("tools.ssh", *parted(str(error)), needed=wanted)


def browser(*, wanted: bool) -> Findings:
    """Tell of the browser of the smoke test of a login."""
    if not wanted:
        yield spared("tools.browser", "only --smoke=login takes one")
        return
    try:
        yield works("tools.browser", preflight.browser())
    except DoorError as error:
        yield fails("tools.browser", *parted(str(error)))


def checks(*, login: bool) -> list[Check]:
    """Return the checks of the tools that any door needs."""
    return [
        Check(("tools.python", "tools.libraries"), python),
        Check(("tools.browser",), lambda: browser(wanted=login), needed=login),
        Check(("proxy.environment",), environment, needed=False),
    ]


def environment() -> Findings:
    """Tell which proxies the environment names."""
    named = ", ".join(f"{name}={value}" for name, value in proxies.named().items())
    yield works("proxy.environment", named or "none is set", needed=False)


def of_aws(endpoint: Callable[[], str]) -> Findings:
    """Tell of the proxy that calls to AWS go through."""
    url = endpoint()
    caught = proxies.catching(url)
    if not caught:
        yield works("proxy.aws", "AWS is asked without one", needed=False)
        return
    why = preflight.listens(caught[1])
    told = f"{caught[0]} sends what is asked of AWS through {caught[1]}"
    if why:
        yield fails("proxy.aws", f"{told}, where nobody listens ({why})", f"unset {caught[0]}, or start that proxy")
    else:
        yield works("proxy.aws", told)


def of_hub(url: Callable[[], str]) -> Findings:
    """Tell of the proxy that others would ask the hub through."""
    caught = proxies.catching(url())
    if caught:
        yield mind(
            "proxy.hub", f"{caught[0]} would catch the hub's address; hubspec asks the hub without a proxy, always"
        )
    else:
        yield works("proxy.hub", "the hub is asked without one, always", needed=False)
