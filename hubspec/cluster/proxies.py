"""Proxies that the environment names (HTTPS_PROXY and its like): which one would catch an address. The hub is never asked through one.

Source of fact: `getproxies` and `proxy_bypass` of Python's urllib, which requests and botocore use.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

ENGINE = ("tcp://", "http://", "https://")
"""How a DOCKER_HOST begins that is asked over the network."""


def named() -> dict[str, str]:
    """Return variable -> address of each proxy in the environment, without its password, and NO_PROXY as it is."""
    found = {
        variable: _shown(os.environ[variable])
        for word in ("http", "https", "all")
        if (variable := _variable(f"{word}_proxy"))
    }
    spared = _variable("no_proxy")
    return found | ({spared: os.environ[spared]} if spared else {})


def catching(url: str) -> tuple[str, str] | None:
    """Return the variable that sends what is asked at an address through a proxy, and the proxy's HOST:PORT; None for none."""
    where = urlsplit(url)
    proxy = getproxies().get(where.scheme)
    if not proxy or proxy_bypass(where.netloc):
        return None
    return _variable(f"{where.scheme}_proxy"), _shown(proxy)


def blamed(url: str) -> str:
    """Return what is said of a proxy behind an error of something that was asked through it, empty where none catches it."""
    caught = catching(url)
    if not caught:
        return ""
    host = urlsplit(url).hostname
    return f"; {caught[0]} sends it through the proxy {caught[1]}: is that up? Where {host} is reached without it, put it into NO_PROXY"


def unused(url: str) -> str:
    """Return that a proxy is set which a hub's address would be asked through by others, and not by us; empty where none is."""
    caught = catching(url)
    return f"; {caught[0]} is set, and never used for the hub" if caught else ""


def of_engine(host: str) -> str:
    """Return `blamed` for the address of a Docker engine as DOCKER_HOST names it."""
    if not host.startswith(ENGINE):
        return ""
    scheme = "https" if os.environ.get("DOCKER_TLS_VERIFY") else "http"
    return blamed(f"{scheme}://{host.partition('://')[2]}")


def _variable(lower: str) -> str:
    return next((name for name in (lower, lower.upper()) if os.environ.get(name)), "")


def _shown(proxy: str) -> str:
    return urlsplit(proxy if "://" in proxy else f"//{proxy}").netloc.rpartition("@")[2]
