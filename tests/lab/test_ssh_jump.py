"""A jump host on the way to the master node, as the user's own configuration says it (ProxyJump, ssh_config(5))."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import emr
import pytest
import sshd
from sshd import Sshd

from hubspec.cluster.ssh import SshLine, Target
from hubspec.cluster.ssh_door import SshDoor
from hubspec.errors import DoorError
from lab.model import HUB, MASTER


@pytest.fixture(scope="module")
def jump(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Give an SSH server beside the lab, from which the lab's master node is reached by its own name."""
    with emr.scene() as on, sshd.running(on, tmp_path_factory.mktemp("jump")) as made:
        yield made


def way(jump: Sshd, *, known: Path, user: str = "member") -> Target:
    """Return how the master node is reached over the jump host, by a name that is known nowhere else."""
    lab = jump.on.lab
    config = jump.folder / f"jump-{user}"
    config.write_text(f"IdentityFile {lab.ssh_key}\nIdentityAgent none\n"
                      f"Host gate\n  HostName 127.0.0.1\n  Port {jump.port}\n  User {user}\n  UserKnownHostsFile {known}\n  StrictHostKeyChecking yes\n"
                      f"Host inner\n  HostName {MASTER}\n  ProxyJump gate\n"
                      f"  HostKeyAlias [127.0.0.1]:{lab.ssh_port}\n  UserKnownHostsFile {lab.known_hosts}\n")  # fmt: skip
    return Target(host="inner", config=str(config))


def test_the_master_node_behind_a_jump_host(jump: Sshd) -> None:
    line = SshLine(way(jump, known=jump.folder / "known_hosts"), 20)
    try:
        door = SshDoor(line, HUB, deadline=20)
        assert door.run("hostname")[0] == door.run("hostname")[0] != ""
        assert line.logins == 1
        assert jump.sh("grep -c 'Accepted publickey for member' /var/log/sshd || true").strip() == "1"
    finally:
        line.close()


@pytest.mark.parametrize(
    ("user", "known", "words"),
    [
        ("member", "nobody", "the host key of the jump host before inner is not known here"),
        (
            "stranger",
            "known_hosts",
            "the jump host before inner refused the login of stranger: log in by hand to see why",
        ),
        ("noforward", "known_hosts", "the jump host before inner leads no further"),
    ],
)
def test_a_jump_host_that_is_shut(jump: Sshd, user: str, known: str, words: str) -> None:
    line = SshLine(way(jump, known=jump.folder / known, user=user), 20)
    with pytest.raises(DoorError, match=words):
        SshDoor(line, HUB, deadline=20).run("echo here")


def test_a_master_node_that_refuses_behind_a_jump_host_that_does_not(jump: Sshd) -> None:
    line = SshLine(replace(way(jump, known=jump.folder / "known_hosts"), user="stranger"), 20)
    with pytest.raises(DoorError, match="inner refused the login of stranger"):
        line.open()
