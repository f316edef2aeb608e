"""The hub's REST API as the lab needs it: waiting for it, its token, its users and groups."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lab import inside, state
from lab.model import HUB, Lab, LabError
from lab.versions import at_least

if TYPE_CHECKING:
    from docker import DockerClient

ADMIN = "jovyan"
NOTE = "hubspec lab"
LIFE = 30 * 24 * 3600
START_LIMIT = 120.0
CONFIG = "/etc/jupyter/conf/jupyterhub_config.py"
CLI_NOTE = "command-line generated"
# JupyterHub before 0.9 notes nothing of a token, and lets nobody make or revoke one by its API.
TOKENS_SINCE = "0.9"
# The API's own list is no help: a hub keeps that of a user as it was when first asked for, without what
# `jupyterhub token` added (JupyterHub 1.5, `orm.py`: expire_on_commit=False).
_TOKENS = """python3 -c '
import json, sqlite3
db = sqlite3.connect("file:/home/jovyan/jupyterhub.sqlite?mode=ro", uri=True, timeout=10)
old = "note" not in {row[1] for row in db.execute("PRAGMA table_info(api_tokens)")}
facts = "NULL, 0" if old else "t.note, t.expires_at IS NOT NULL"
rows = db.execute("SELECT u.name, t.id, " + facts + " FROM api_tokens t JOIN users u ON u.id = t.user_id ORDER BY t.id")
print(json.dumps(rows.fetchall()))'"""
NOT_FOUND, ERROR = 404, 400


def ask(  # noqa: PLR0913 - one HTTP request
    lab: Lab, method: str, path: str, body: object = None, *, token: str | None = None, limit: float = 20.0
) -> tuple[int, Any]:
    """Call the hub, trusting the lab's own certificate only. Answers status and decoded body.

    Raises: OSError (refused, timed out, another certificate) where the hub does not answer.
    """
    where = urlsplit(lab.hub_url)
    if token is None:
        token = lab.token_file.read_text().strip() if lab.token_file.exists() else ""
    # By the certificate itself and not as a CA: a break may let it expire, or be weak.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    link = http.client.HTTPSConnection(where.hostname or "", where.port, timeout=limit, context=context)
    try:
        link.connect()
        if link.sock.getpeercert(binary_form=True) != ssl.PEM_cert_to_DER_cert(lab.ca_file.read_text()):
            raise OSError("another certificate than the lab's is shown there")
        headers = {"Authorization": f"token {token}"} if token else {}
        link.request(method, f"/hub/api{path}", None if body is None else json.dumps(body), headers)
        answer = link.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(str(error)) from error
    finally:
        link.close()


def must(lab: Lab, method: str, path: str, body: object = None, *, fine: tuple[int, ...] = ()) -> Any:
    """Call the hub and answer the body. Raises: LabError where it refuses with a status not in `fine`."""
    try:
        status, answer = ask(lab, method, path, body)
    except OSError as error:
        raise LabError(f"the hub does not answer {method} {path}", last=str(error), then="python -m lab up") from error
    if status >= ERROR and status not in fine:
        raise LabError(f"the hub refused {method} {path}", found=f"HTTP {status}", last=str(answer))
    return answer


def answers(lab: Lab, limit: float = 2.0) -> bool:
    """Answer whether the hub itself (not only its proxy) answers within `limit` seconds."""
    try:
        return ask(lab, "GET", "/", token="", limit=limit)[0] < ERROR
    except OSError:
        return False


def wait(lab: Lab) -> None:
    """Wait until the hub answers. Raises: LabError after START_LIMIT."""
    deadline = time.monotonic() + START_LIMIT
    while not answers(lab):
        if time.monotonic() > deadline:
            raise LabError(
                f"the hub does not answer at {lab.hub_url} after {START_LIMIT:.0f} s", then="python -m lab down"
            )
        time.sleep(0.1)


def token_works(lab: Lab) -> bool:
    """Answer whether the token in the lab's file opens the hub as its admin."""
    if not lab.token_file.exists():
        return False
    try:
        status, user = ask(lab, "GET", "/user", limit=5.0)
    except OSError:
        return False
    return status < ERROR and bool(user.get("admin"))


def ensure_token(client: DockerClient, lab: Lab) -> None:
    """Mint the admin's token where the one at hand does not work; it ends after 30 days.

    `jupyterhub token` makes a token that never ends, so it only serves to ask for this one and is deleted; where the API
    makes none, it stays. Source of fact: JupyterHub 0.8.1 and 1.5, `jupyterhub.app.NewToken`, `apihandlers/users.py`.
    """
    if token_works(lab):
        return
    words = inside.must(client, HUB, f"jupyterhub token -f {CONFIG} {ADMIN}", cwd="/home/jovyan").split()
    if not words:
        raise LabError("`jupyterhub token` printed nothing")
    first = words[-1]
    if not at_least(lab.version, TOKENS_SINCE):
        state.keep(client, "token", f"{first}\n".encode())
        return
    known = tokens(client)
    status, made = ask(lab, "POST", f"/users/{ADMIN}/tokens", {"note": NOTE, "expires_in": LIFE}, token=first)
    if status >= ERROR:
        raise LabError("the hub refused to mint a token", found=f"HTTP {status}")
    state.keep(client, "token", (made["token"] + "\n").encode())
    for old in known:
        if old.user == ADMIN and old.note in (CLI_NOTE, NOTE):
            drop(lab, old)


@dataclass(frozen=True)
class Token:
    """An API token as the hub's database has it: whose, its id in the API, its note, and whether it ends."""

    user: str
    id: str
    note: str
    ends: bool


def tokens(client: DockerClient) -> list[Token]:
    """Answer all API tokens of people, oldest first. Raises: LabError where the database cannot be read."""
    rows = json.loads(inside.must(client, HUB, _TOKENS))
    return [Token(user, f"a{number}", note or "", bool(ends)) for user, number, note, ends in rows]


def drop(lab: Lab, token: Token, *, by: str | None = None) -> None:
    """Revoke a token, with the one at hand or another; one that is gone is fine. Raises: LabError where the hub refuses."""
    status, answer = ask(lab, "DELETE", f"/users/{token.user}/tokens/{token.id}", token=by)
    if status >= ERROR and status != NOT_FOUND:
        raise LabError(
            f"the hub refused to revoke {token.id} of {token.user}", found=f"HTTP {status}", last=str(answer)
        )
