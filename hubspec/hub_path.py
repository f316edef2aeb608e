"""Names in the addresses of the hub: the one place where a name of a user, group, token or server becomes part of a URL."""

from __future__ import annotations

from urllib.parse import quote

API = "/hub/api"
"""Below it is the hub's REST API (JupyterHub 0.8 and later, behind its base URL)."""
_DOTS = {".": "%2E", "..": "%2E%2E"}


def hub_path(*names: str) -> str:
    """Return /users/NAME/tokens/ID for ("users", NAME, "tokens", ID), whatever characters the names have.

    Everything but letters, digits and `_.-~` is escaped, the slash too, as is what JSON can hold and UTF-8 cannot
    (half a character). A name of dots alone is escaped as well: as it is, it would lead to what is above it (RFC 3986, 5.2.4).
    """
    return "".join("/" + (_DOTS.get(name) or quote(name, safe="", errors="surrogatepass")) for name in names)
