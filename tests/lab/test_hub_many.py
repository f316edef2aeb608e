"""5,000 users in the real hub: 25 requests where its version pages, one where it does not, and each user once."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import docker
import pytest

import lab
from hubspec.cluster.hub import HubDoor, Trust
from hubspec.cluster.token import from_file
from lab import Lab, hub, inside
from lab.model import HUB
from lab.versions import at_least

MANY = 5000
PATIENCE = 300.0
"""Seconds: a hub before 2.0 that just started makes its one list of them in a minute or two, and does nothing else meanwhile."""
_DATABASE = r"""
import secrets, sqlite3, sys
db = sqlite3.connect("/home/jovyan/jupyterhub.sqlite")
db.execute("DELETE FROM users WHERE name LIKE 'many-%'")
left = int(sys.argv[1]) - db.execute("SELECT count(*) FROM users").fetchone()[0]
rows = [("many-%05d" % number, secrets.token_hex(16)) for number in range(left)]
db.executemany("INSERT INTO users (name, admin, cookie_id) VALUES (?, 0, ?)", rows)
db.commit()
"""
_STOPPED = "for _ in $(seq 300); do kill -0 $(cat /run/jupyterhub.pid) 2>/dev/null || exit 0; sleep 0.1; done; exit 1"


def fill(here: Lab, count: int) -> None:
    """Have the hub know so many users, by its database while it does not run: none of them has an account."""
    client = docker.from_env()
    try:
        inside.must(client, HUB, f"touch /run/hub.hold; kill -TERM $(cat /run/jupyterhub.pid); {_STOPPED}")
        try:
            inside.must(client, HUB, f"python3 -c {shlex.quote(_DATABASE)} {count}")
        finally:
            inside.must(client, HUB, "pkill -KILL -f '^node .*/configurable-http-proxy '; rm -f /run/hub.hold")
    finally:
        client.close()
    hub.wait(here)


@pytest.fixture
def here() -> Iterator[Lab]:
    made = lab.up(print)
    if not at_least(made.version, "1.0"):
        pytest.skip("a hub before 1.0 takes minutes to start with so many users; it tells them in one list as 1.5 does")
    fill(made, MANY)
    yield made
    fill(made, 0)


def test_5000_users_are_read_in_25_requests_at_most(here: Lab) -> None:
    token = from_file(here.token_file)
    door = HubDoor(lambda: here.hub_url, lambda: token, Trust(fingerprint=here.hub_fingerprint), PATIENCE)
    names = [user["name"] for user in door.pages("/users")]

    assert len(names) == len(set(names)) == MANY
    assert {"jovyan", "diego", "many-00000"} <= set(names)
    assert door.trips == {"hub GET": 25 if at_least(here.version, "2.0") else 1}
