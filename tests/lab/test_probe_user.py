"""A probe user on the lab: made, used, and taken back to the last file, whatever happens in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import probes
import pytest
from pydantic import SecretStr

from hubspec import probe as module
from hubspec import probe_name
from hubspec.errors import DoorError
from hubspec.model import Action
from hubspec.probe import probe_user
from lab import breaks, hub, inside
from lab.breaks.model import Scene
from lab.model import HUB
from lab.versions import at_least
from tests.conftest import Audit


@pytest.fixture(autouse=True)
def _nothing_is_left(on: Scene) -> Iterator[None]:
    yield
    assert probes.left(on) == []


def made(on: Scene, hours: float) -> str:
    """Make a probe user as a run that was killed leaves it, so many hours ago; return its name."""
    name = probe_name.new(datetime.now(UTC) - timedelta(hours=hours))
    inside.must(on.client, HUB, f"useradd -m {name}")
    hub.must(on.lab, "POST", f"/users/{name}")
    return name


def token(on: Scene, name: str) -> None:
    """Make a token of a user, where the hub can be asked for one."""
    if at_least(on.lab.version, hub.TOKENS_SINCE):
        hub.must(on.lab, "POST", f"/users/{name}/tokens", {"note": "of a probe"})


def drop(on: Scene, name: str) -> None:
    hub.must(on.lab, "DELETE", f"/users/{name}")
    inside.must(on.client, HUB, f"userdel -r {name} 2>/dev/null; true")


def test_it_is_there_with_its_password_and_then_it_is_not(on: Scene) -> None:
    said: list[str] = []
    gone: list[Action] = []
    with probes.doors(on.lab, said) as doors, probe_user(doors, said.append, gone) as probe:
        word = probe.password.get_secret_value()
        body = {"username": probe.name, "password": word}
        status, answer = hub.ask(on.lab, "POST", "/authorizations/token", body, token="")
        names = [user["name"] for user in hub.must(on.lab, "GET", "/users")]
        entry = inside.must(on.client, HUB, f"getent passwd {probe.name}").split(":")
        argv = inside.must(on.client, HUB, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")

    if at_least(on.lab.version, "2.0"):
        assert status == 404  # gone since 2.0; the smoke test of the login tries the password
    else:
        assert status == 200, answer
    assert probe.name in names
    assert entry[5] == f"/home/{probe.name}"
    assert int(entry[2]) > 1003
    assert gone == []
    assert word not in argv + repr(probe) + "".join(said)


def test_what_its_processes_left_anywhere_goes_and_what_is_of_others_stays(on: Scene) -> None:
    said: list[str] = []
    inside.must(on.client, HUB, "touch /tmp/of-diego; chown diego /tmp/of-diego")
    try:
        with probes.doors(on.lab, said) as doors, probe_user(doors, said.append, []) as probe:
            inside.must(
                on.client,
                HUB,
                f"su {probe.name} -c 'cd; mkdir -p /tmp/p/q; echo x > /tmp/p/q/r; touch /var/tmp/p /dev/shm/p; ln -s /home/diego ~/l;"
                f" chmod 500 /tmp/p; (trap : TERM HUP; while :; do sleep 600; done) >/dev/null 2>&1 & setsid sleep 601 >/dev/null 2>&1 &';"
                f" mkdir -p /var/mail; touch /var/mail/{probe.name}; pgrep -u {probe.name} >/dev/null",
            )
        assert inside.must(on.client, HUB, "ls -d /home/diego /tmp/of-diego").split() == [
            "/home/diego",
            "/tmp/of-diego",
        ]
    finally:
        inside.must(on.client, HUB, "rm -f /tmp/of-diego")


def test_it_never_becomes_the_owner_of_a_home_that_outlived_its_account(on: Scene) -> None:
    inside.must(on.client, HUB, "mkdir /home/orphan && chown 1050 /home/orphan")
    try:
        with probes.doors(on.lab, []) as doors, probe_user(doors, print, []) as probe:
            uid = int(inside.must(on.client, HUB, f"id -u {probe.name}"))
        assert uid > 1050
        assert inside.must(on.client, HUB, "ls -d /home/orphan")
    finally:
        inside.must(on.client, HUB, "rm -rf /home/orphan")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_a_body_that_ends_early(on: Scene, error: type[BaseException]) -> None:
    gone: list[Action] = []

    def body() -> None:
        with probes.doors(on.lab, []) as doors, probe_user(doors, print, gone) as probe:
            token(on, probe.name)
            hub.must(on.lab, "POST", f"/users/{probe.name}/server")
            raise error

    with pytest.raises(error):
        body()
    assert gone == []


def test_a_making_that_fails_half_way(on: Scene) -> None:
    with probes.doors(on.lab, []) as doors:
        inside.must(on.client, HUB, "mv /usr/sbin/chpasswd /usr/sbin/chpasswd.off")
        try:
            with (
                pytest.raises(DoorError, match="no account could be made for a probe user"),
                probe_user(doors, print, []),
            ):
                raise AssertionError
        finally:
            inside.must(on.client, HUB, "mv /usr/sbin/chpasswd.off /usr/sbin/chpasswd")


def test_a_hub_that_refuses_to_make_it(on: Scene) -> None:
    if not at_least(on.lab.version, hub.TOKENS_SINCE):
        pytest.skip("JupyterHub 0.8 makes no token for another user")
    said: list[str] = []
    diegos = hub.must(on.lab, "POST", "/users/diego/tokens", {"note": "a test", "expires_in": 60})
    try:
        with probes.doors(on.lab, said) as doors:
            object.__setattr__(doors, "live", lambda _given, live=doors.live: live(SecretStr(diegos["token"])))
            with pytest.raises(DoorError, match="answered 403"), probe_user(doors, said.append, []):
                raise AssertionError
    finally:
        hub.must(on.lab, "DELETE", f"/users/diego/tokens/{diegos['id']}")


def test_what_cannot_be_removed_is_told_with_the_line_that_does(on: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE", 1.0)
    said: list[str] = []
    gone: list[Action] = []
    try:
        with probes.doors(on.lab, said) as doors, probe_user(doors, said.append, gone) as probe:
            breaks.apply("hub-down")
    finally:
        breaks.mend("hub-down")
    (action,) = gone
    entry = inside.run(on.client, HUB, f"getent passwd {probe.name}")
    hub.must(on.lab, "DELETE", f"/users/{probe.name}")

    assert entry.code == 2, "the account was removed all the same"
    assert action.safety == "manual"
    assert action.request == f"DELETE /hub/api/users/{probe.name}"
    assert action.sentence.startswith(
        f"delete the hub user {probe.name} and its tokens, which a smoke test left behind: "
    )
    assert any(action.request in line for line in said)


def test_those_of_a_killed_run_go_with_the_next_and_no_others(on: Scene) -> None:
    old, young = made(on, 2), made(on, 0.1)
    bare = probe_name.new(datetime.now(UTC) - timedelta(days=3))
    inside.must(on.client, HUB, f"mkdir /home/{bare}; mkdir /home/hubspec-probe-mine")
    said: list[str] = []
    try:
        with probes.doors(on.lab, said) as doors, probe_user(doors, said.append, []):
            users = [user["name"] for user in hub.must(on.lab, "GET", "/users")]
            homes = inside.must(on.client, HUB, "ls /home").split()
    finally:
        inside.must(on.client, HUB, "rm -rf /home/hubspec-probe-mine")
        drop(on, young)

    assert old not in users + homes
    assert bare not in homes
    assert young in users
    assert {young, "hubspec-probe-mine"} < set(homes)
    assert sum("left behind by a smoke test that was killed" in line for line in said) == 2


def test_an_audit_beside_a_smoke_test_does_not_take_its_user_for_a_strangers(on: Scene, audit: Audit) -> None:
    with probes.doors(on.lab, []) as doors, probe_user(doors, print, []) as probe:
        token(on, probe.name)
        hub.must(on.lab, "POST", f"/users/{probe.name}/server")
        run = audit("--cluster", "lab")

    assert run.code == 0, run.text


def test_one_that_was_left_behind_is_reported(on: Scene, audit: Audit) -> None:
    name = made(on, 1.1)
    try:
        run = audit("--cluster", "lab", "-k", "undeclared")
    finally:
        drop(on, name)

    assert run.code == 1
    told = {record["kind"] for record in run.records if record["outcome"] == "drifted"}
    assert told == {"user", "hub_user"}
    assert name in run.text
