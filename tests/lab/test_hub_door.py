"""The hub door on the real hub: names of every sort in its addresses, and a proxy that goes away and comes back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

import docker
import pytest

import lab
from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.hub import HubDoor, Trust
from hubspec.cluster.hub_inside import running
from hubspec.cluster.token import from_file
from hubspec.errors import AnsweredError, DoorError
from hubspec.hub_path import hub_path
from lab import hub, inside
from lab.model import HUB
from lab.versions import at_least

NAMES = ["ana@example.org", "ana maria", "añá", "100%", "a%2fb", "a+b", "a?b=c", "a#b", "..", "."]
# useradd refuses such names; a directory does not, so they are written down as it would tell them.
_ADD = r"""printf '%s:x:4999:100::/nonexistent:/usr/sbin/nologin\n' "$(cat)" >> /etc/passwd"""
_TAKE = "sed -i '/:x:4999:100::/d' /etc/passwd"
_PROXY = "pkill -KILL -f /configurable-http-proxy"


@pytest.fixture
def door() -> HubDoor:
    here = lab.up(print)
    token = from_file(here.token_file)
    container = DockerDoor(here.container)
    trust = Trust(fingerprint=here.hub_fingerprint)
    return HubDoor(lambda: here.hub_url, lambda: token, trust, 60, why=lambda: running(container))


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    made = docker.from_env()
    yield made
    made.close()


def _made(door: HubDoor, name: str) -> None:
    """Make a hub user. Skips where this hub takes no such name: newer ones refuse those of dots alone."""
    try:
        door.act("POST", hub_path("users", name), "{}")
    except AnsweredError as error:
        if error.status != 400 or name.strip("."):
            raise
        assert name not in {user["name"] for user in door.pages("/users")}
        pytest.skip(str(error))


@pytest.mark.parametrize("name", NAMES)
def test_a_user_of_any_name_is_made_read_given_a_token_and_deleted(
    name: str, door: HubDoor, client: docker.DockerClient
) -> None:
    path = hub_path("users", name)
    inside.must(client, HUB, _ADD, stdin=name)
    try:
        _made(door, name)
        assert name in {user["name"] for user in door.pages("/users")}
        assert door.get(path)["name"] == name
        if at_least(lab.up(print).version, "0.9"):  # before, no token is made or taken back by the API
            door.act("POST", f"{path}/tokens", json.dumps({"note": "of a name", "expires_in": 600}))
            mine = [one["id"] for one in door.get(f"{path}/tokens")["api_tokens"]]
            assert len(mine) == 1
            door.delete(hub_path("users", name, "tokens", mine[0]))
            assert door.get(f"{path}/tokens")["api_tokens"] == []
    finally:
        door.delete(path)
        inside.must(client, HUB, _TAKE)
    with pytest.raises(AnsweredError) as error:
        door.get(path)
    assert error.value.status == 404


def test_what_the_hub_itself_does_not_have_is_not_waited_for(door: HubDoor) -> None:
    """Before 0.9 its 404 is a page, as that of a proxy which does not know the hub yet."""
    door.get("/user")
    with pytest.raises(AnsweredError) as error:
        door.get("/no/such/thing")

    assert error.value.status == 404
    assert door.trips == {"hub GET": 2}


def test_a_name_with_a_slash_is_asked_for_as_one_name(door: HubDoor) -> None:
    """No hub takes one (JupyterHub, `Authenticator.validate_username`); what it says must be about that name."""
    with pytest.raises(AnsweredError) as error:
        door.act("POST", hub_path("users", "a/../jovyan"), "{}")

    assert error.value.status == 400
    assert {user["name"] for user in door.pages("/users")} >= {"jovyan", "diego"}


def test_a_proxy_that_is_down_is_told_from_a_hub_that_is(door: HubDoor, client: docker.DockerClient) -> None:
    inside.must(client, HUB, _PROXY)
    try:
        with pytest.raises(DoorError) as error:
            door.get("/user")
    finally:
        hub.wait(lab.up(print))

    assert "is it up?" in str(error.value)
    assert "the hub runs, its proxy does not run: so the hub is up and its proxy is not" in str(error.value)


def test_a_proxy_that_comes_back_in_the_middle_of_a_reading_is_waited_for(
    door: HubDoor, client: docker.DockerClient
) -> None:
    """The hub starts it again by itself (JupyterHub, `Proxy.check_running`)."""
    door.get("/user")
    inside.must(client, HUB, _PROXY)

    assert {user["name"] for user in door.pages("/users")} >= {"jovyan", "diego"}
    assert door.trips["hub GET"] > 2


def test_a_hub_that_hangs_is_told_with_what_its_processes_do(client: docker.DockerClient) -> None:
    here, proxy = lab.up(print), shlex.quote("/configurable-http-proxy")
    inside.must(client, HUB, f"pkill -STOP -f {proxy}")
    try:
        container, token = DockerDoor(here.container), from_file(here.token_file)
        trust = Trust(fingerprint=here.hub_fingerprint)
        slow = HubDoor(lambda: here.hub_url, lambda: token, trust, 2, why=lambda: running(container))
        with pytest.raises(DoorError) as error:
            slow.get("/user")
    finally:
        inside.must(client, HUB, f"pkill -CONT -f {proxy}")

    assert "did not answer within 2 s" in str(error.value)
    assert "the hub runs, its proxy is stopped by a signal" in str(error.value)
