"""Which door auto takes, where nothing but the environment and the name of the master node tells."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from hubspec.cluster import choice as of
from hubspec.cluster.answer import Said
from hubspec.cluster.choice import Choice
from hubspec.cluster.chosen import ChosenDoor, ChosenWorker
from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.options import ADDRESS
from hubspec.cluster.seal import Seal
from hubspec.cluster.sealed_door import SealedDoor
from hubspec.cluster.ssh import SshLine, Target
from hubspec.cluster.ssh_door import SshDoor
from hubspec.errors import DoorError


def refuse() -> str:
    raise DoorError("AWS is not asked here")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(of, "_FLOW", tmp_path / "job-flow.json")
    engine = tmp_path / "docker.sock"
    engine.touch()
    monkeypatch.setattr(of, "_SOCKET", engine)
    return tmp_path


def made(wanted: str, host: str | None, said: list[str], *, here: bool = False) -> Choice:
    ssh = SshDoor(SshLine(Target(host or "unknown")), "jupyterhub")
    name = refuse if host is None else lambda: host
    sealed = {word: partial(SealedDoor, Carrier(word), "jupyterhub") for word in ("step", "ssm")}
    docker = DockerDoor("jupyterhub")
    return Choice(wanted, docker, lambda: ssh, name, cluster="j-1", say=said.append, here=here, by_aws=sealed)


@dataclass
class Carrier:
    """Carries nothing: whoever is not named is not asked."""

    name: str
    trip: str = "trip"
    user: str = "root"

    def carry(self, _seal: Seal, _script: str, _limit: float) -> Said:
        raise AssertionError(self.name)


@pytest.mark.parametrize(
    ("wanted", "host", "here", "door", "why"),
    [
        ("docker", None, False, "docker", ""),
        ("ssh", "192.0.2.1", True, "ssh", ""),
        ("auto", None, True, "docker", ""),
        ("auto", "192.0.2.1", False, "ssh", "door ssh: the master node 192.0.2.1 is not this machine"),
        ("auto", "no-such-host.invalid", False, "ssh", "door ssh: the master node no-such-host.invalid is not this machine"),
        ("auto", "127.0.0.1", False, "docker", "door docker: the master node 127.0.0.1 is this machine"),
    ],
)  # fmt: skip
def test_it_takes_the_one_that_fits(wanted: str, host: str | None, here: bool, door: str, why: str) -> None:  # noqa: FBT001 - of a table
    said: list[str] = []
    one = made(wanted, host, said, here=here)

    assert one.make().door.name == door
    assert one.make() is one.make()
    assert (one.line() is not None) == (door == "ssh")
    assert one.said.startswith(why)
    assert said == ([f"j-1: {one.said}"] if why else []), "it is told once"


def test_the_environment_and_the_node_itself_count_before_aws(monkeypatch: pytest.MonkeyPatch, nowhere: Path) -> None:
    (nowhere / "job-flow.json").write_text(json.dumps({"jobFlowId": "j-1"}))
    assert "this machine is a node of the cluster" in made("auto", None, []).make().why
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    assert made("auto", None, []).make().why == "DOCKER_HOST names an engine"
    monkeypatch.setenv("DOCKER_HOST", "ssh://ana@192.0.2.1")
    for wanted in ("auto", "docker"):
        assert made(wanted, None, []).make().door.name == "ssh"
    assert made("auto", None, [], here=True).make().door.name == "docker"


def test_a_socket_that_is_not_ours_is_told(monkeypatch: pytest.MonkeyPatch, nowhere: Path) -> None:
    monkeypatch.setattr(of, "_SOCKET", nowhere / "none")
    found = made("auto", "127.0.0.1", []).make()

    assert found.door.name == "ssh"
    assert "may not be used by this user" in found.why


def test_where_nobody_says_where_it_is_nothing_is_guessed() -> None:
    one = made("auto", None, [])
    door = ChosenDoor(one, "jupyterhub")
    for _ in range(2):
        with pytest.raises(DoorError, match=r"AWS does not say .AWS is not asked here.; give --door docker"):
            door.look("echo", others=False)
    assert (door.name, door.trips) == ("auto", {})


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("ssh://ana@host.example:2222", ("ana", "host.example", "2222")),
        ("ssh://host", (None, "host", None)),
        ("ssh://-oProxyCommand=x", None),
        ("ssh://a@-host", None),
        ("ssh://host; reboot", None),
        ("ssh://", None),
    ],
)
def test_an_address_is_no_way_to_give_ssh_an_option(text: str, parts: tuple[str | None, ...] | None) -> None:
    found = re.fullmatch(ADDRESS, text)
    assert (found and found.group("user", "host", "port")) == parts


@pytest.mark.parametrize("name", ["step", "ssm"])
def test_a_door_by_aws_is_taken_where_it_is_named_and_only_looks(name: str) -> None:
    one = made(name, "127.0.0.1", [])

    assert one.make().door.name == name
    assert one.line() is None
    assert set(one.ways) == {"docker", "ssh"}
    with pytest.raises(DoorError, match=f"nothing is done through --door {name}: it only looks; give --via step"):
        ChosenWorker(one, lambda: False).manage(["docker", "start", "jupyterhub"])


@pytest.mark.parametrize(("wanted", "told"), [("auto", True), ("ssh", False)])
def test_where_auto_finds_ssh_shut_it_names_the_others_and_takes_none(wanted: str, told: bool) -> None:  # noqa: FBT001 - of a table
    door = ChosenDoor(made(wanted, "no-such-host.invalid", []), "jupyterhub")
    for look in (lambda: door.look("echo", others=False), lambda: door.run("echo")):
        with pytest.raises(DoorError, match=r"the name of no-such-host\.invalid is not known here") as shut:
            look()
        assert ("; without ssh: --door ssm runs a command by SSM, and --door step submits" in str(shut.value)) == told
    assert door.name == "ssh"
