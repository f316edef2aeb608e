"""The ssh door on a real SSH server: what it shows is what the docker door shows, and each fault has its own sentence."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import emr
import pytest
import sshd
from sshd import PASSWORD, Sshd

from hubspec.cluster.shells import ClusterShells, in_container
from hubspec.cluster.ssh import SshLine
from hubspec.cluster.ssh_door import SshDoor
from hubspec.door import Ran
from hubspec.errors import DoorError
from lab.model import HUB, LABEL


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Give an SSH server with every sort of user, beside the lab."""
    with emr.scene() as on, sshd.running(on, tmp_path_factory.mktemp("ssh")) as made:
        yield made


@pytest.fixture
def door(server: Sshd) -> Iterator[Any]:
    """Give a function that makes the door of a user; what it opened is closed."""
    lines = []

    def made(user: str, container: str = HUB, *, deadline: float = 20, **how: Any) -> SshDoor:
        line = SshLine(server.target(user, **how), deadline)
        lines.append(line)
        return SshDoor(line, container, label=LABEL, deadline=deadline)

    yield made
    for line in lines:
        line.close()


@pytest.mark.parametrize(
    ("user", "how", "runs"),
    [
        ("member", {}, "docker exec"),
        ("limited", {}, "sudo docker exec"),
        ("limited", {"password": "not needed, so not sent"}, "sudo docker exec"),
        ("chatty", {}, "sudo docker exec"),
        ("asks", {"password": PASSWORD}, "sudo docker exec"),
        ("asks", {"password": PASSWORD, "sudo": "always"}, "sudo docker exec"),
        ("member", {"sudo": "never"}, "docker exec"),
    ],
)
def test_each_sort_of_user_looks_as_root(door: Any, user: str, how: dict[str, Any], runs: str) -> None:
    ours = door(user, **how)
    seen = ours.look("id -u; printf 'b\\0'; printf err >&2", others=True)

    assert (seen.stdout, seen.stderr) == ("0\nb\0", "err")
    assert seen.inspect["Name"] == f"/{HUB}"
    assert seen.others
    assert ours.command == f"ssh {user}@127.0.0.1 {runs} -i {HUB} sh"
    assert ours.trips == {"ssh login": 1, "ssh command": 1}
    assert "NOISE" not in seen.stdout + seen.stderr


@pytest.mark.parametrize(
    ("user", "how"), [("member", {}), ("limited", {}), ("chatty", {}), ("asks", {"password": PASSWORD})]
)
def test_a_shell_is_held_with_the_rights_of_every_user(door: Any, user: str, how: dict[str, Any]) -> None:
    ours = door(user, **how)
    for number in range(2):
        assert in_container(ours, 20).run(f"id -u; cat; echo {number} >&2") == Ran(0, b"0\n", f"{number}\n".encode())
    master = ClusterShells(lambda: ours, lambda: False, None, 20).master()
    assert master.run("id -un; cat") == Ran(0, f"{user}\n".encode(), b"")
    assert ours.line.logins == 1


def test_a_second_look_logs_in_no_second_time(server: Sshd, door: Any) -> None:
    ours = door("member")
    before = server.sh("grep -c 'Accepted publickey' /var/log/sshd || true")
    for _ in range(3):
        assert ours.run("echo here")[0] == "here\n"
    after = server.sh("grep -c 'Accepted publickey' /var/log/sshd || true")

    assert int(after) == int(before) + 1
    assert ours.trips == {"ssh login": 1, "ssh command": 3}


def test_the_password_is_in_no_argument_list_and_in_no_log(server: Sshd, door: Any) -> None:
    ours = door("asks", password=PASSWORD)
    ours.line.open()
    seen: list[str] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(server.sh("cat /proc/*/cmdline /proc/*/environ 2>/dev/null | tr '\\0' ' ' || true"))

    thread = threading.Thread(target=watch)
    thread.start()
    ours.run("sleep 1.5")
    done.set()
    thread.join()

    assert any("docker exec -i -u 0" in one for one in seen), "it was watched while it ran"
    assert not any("c4n4ry" in one for one in seen)
    assert "c4n4ry" not in server.sh("cat /var/log/sshd; cat /var/log/auth.log 2>/dev/null || true")
    assert "c4n4ry" not in repr(ours.line.target)


@pytest.mark.parametrize(
    ("user", "how", "words"),
    [
        ("asks", {}, "sudo on 127.0.0.1 asks for a password: give it in HUBSPEC_SUDO_PASSWORD"),
        ("asks", {"password": "wrong"}, "sudo on 127.0.0.1 does not take the password that was given for asks"),
        ("terminal", {}, "sudo on 127.0.0.1 wants a terminal"),
        ("asks", {"sudo": "never"}, "asks may not use the Docker engine on 127.0.0.1, and sudo was not used"),
        ("nosudo", {"password": "x"}, "sudo on 127.0.0.1 does not let nosudo run docker|does not take the password"),
        ("elsewhere", {}, "no Docker engine answers on 127.0.0.1: start it there"),
        ("quits", {}, "closed|broke off|the shell of quits on 127.0.0.1 ran nothing"),
        ("eats", {}, "the shell of eats on 127.0.0.1 ran nothing"),
    ],
)
def test_who_may_not_use_docker_is_told_why(door: Any, user: str, how: dict[str, Any], words: str) -> None:
    with pytest.raises(DoorError, match=words) as told:
        door(user, **how).look("echo here", others=True)
    assert PASSWORD not in str(told.value)


def test_a_wrong_password_is_tried_once(server: Sshd, door: Any) -> None:
    with pytest.raises(DoorError, match="1 incorrect password attempt"):
        door("asks", password=PASSWORD[:-1]).run("echo here")
    assert server


def test_no_docker_on_the_machine(server: Sshd, door: Any) -> None:
    server.sh("mv /usr/bin/docker /usr/bin/docker.gone")
    try:
        for user in ("member", "limited", "chatty"):
            with pytest.raises(
                DoorError, match=r"no docker on 127.0.0.1|does not let limited run docker|asks for a pass"
            ):
                door(user).run("echo here")
    finally:
        server.sh("mv /usr/bin/docker.gone /usr/bin/docker")


def test_host_key_changed(server: Sshd, door: Any) -> None:
    other = server.folder / "other_hosts"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", server.folder / "other"], check=True)
    other.write_text(f"[127.0.0.1]:{server.port} {(server.folder / 'other.pub').read_text()}")
    config = server.config(UserKnownHostsFile=str(other), StrictHostKeyChecking="no")
    with pytest.raises(DoorError, match=r"the host key of 127.0.0.1 is not the one that is known"):
        door("member", config=config).run("echo here")


@pytest.mark.parametrize("checking", ["ask", "no", "accept-new"])
def test_host_key_unknown_whatever_the_configuration_says(server: Sshd, door: Any, checking: str) -> None:
    known = server.folder / "none"
    config = server.config(UserKnownHostsFile=str(known), StrictHostKeyChecking=checking)
    with pytest.raises(DoorError, match=r"the host key of 127.0.0.1 is not known here"):
        door("member", config=config).run("echo here")
    assert not known.exists()


def test_key_refused_agent_empty_and_a_locked_key(server: Sshd, door: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    other, locked = server.folder / "stranger", server.folder / "locked"
    for path, phrase in ((other, ""), (locked, "canary")):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", phrase, "-f", path], check=True)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(
        DoorError, match=f"refused the login of member: the key {other} does not open it, and there is no agent"
    ):
        door("member", key=str(other)).run("echo here")
    with pytest.raises(DoorError, match=f"{locked} is locked by a passphrase, and there is no agent: unlock it first"):
        door("member", key=str(locked)).run("echo here")
    agent = subprocess.Popen(
        ["ssh-agent", "-D", "-a", server.folder / "agent"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 10
        while not (server.folder / "agent").exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(server.folder / "agent"))
        config = server.config(IdentityFile=str(server.folder / "no-such-file"), IdentityAgent="SSH_AUTH_SOCK")
        with pytest.raises(DoorError, match="there was no key to offer: the agent holds no key; add one"):
            door("member", key=None, config=config).run("echo here")
        subprocess.run(["ssh-add", "-q", server.key], check=True)
        assert door("member", key=None, config=config).run("echo here")[0] == "here\n"
    finally:
        agent.terminate()
        agent.wait()


def test_a_key_file_that_is_not_there(door: Any) -> None:
    with pytest.raises(DoorError, match="--ssh-key /no/such: there is no such file"):
        door("member", key="/no/such").run("echo here")


def test_a_host_that_is_not_there_or_not_well(server: Sshd, door: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        refusing = str(free.getsockname()[1])
    with pytest.raises(DoorError, match=f"refuses connections to port {refusing}: does its SSH server run"):
        door("member", port=refusing).run("echo here")
    with pytest.raises(DoorError, match=r"the name of no-such-host.invalid is not known here"):
        door("member", host="no-such-host.invalid").run("echo here")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        began = time.monotonic()
        with pytest.raises(DoorError, match=r"accepts connections and never speaks SSH|did not end within 2 s"):
            door("member", port=str(mute.getsockname()[1]), deadline=2).run("echo here")
        assert time.monotonic() - began < 6
    with pytest.raises(DoorError, match="ssh cannot read its configuration"):
        door("member", config=server.config(NoSuchOption="yes")).run("echo here")


def test_a_connection_cut_in_the_middle_of_the_answer(server: Sshd, door: Any) -> None:
    ours = door("member", deadline=30)
    mark = f"/run/cut-{uuid.uuid4().hex[:8]}"
    ours.line.open()
    threading.Timer(1.5, server.sh, ["pkill -f '^sshd: member' || true"]).start()
    with pytest.raises(DoorError, match=r"the connection to 127.0.0.1 broke off in the middle of the answer"):
        ours.run(f"echo once >> {mark}; echo begun; sleep 20")

    assert not ours.line.alive
    assert ours.run(f"cat {mark}; rm {mark}")[0] == "once\n", "it was done once, and the next look logs in anew"
    assert ours.line.logins == 2


def test_nothing_is_left_when_the_line_is_closed_or_its_process_killed(server: Sshd, tmp_path: Path) -> None:
    script = f"""
import os, sys, tempfile
tempfile.tempdir = {str(tmp_path)!r}
from hubspec.cluster.ssh import SshLine, Target
line = SshLine(Target("127.0.0.1", "member", {server.port!r}, {server.key!r}, {str(server.folder / "config")!r}))
line.open()
print(line._master.pid, flush=True)
if sys.argv[1] == "close":
    line.close()
    print(os.listdir({str(tmp_path)!r}))
else:
    os.kill(os.getpid(), 9)
"""
    for way in ("close", "kill"):
        done = subprocess.run(
            ["python", "-c", script, way], capture_output=True, text=True, timeout=60, check=False,
            env=os.environ | {"PYTHONPATH": "."},
        )  # fmt: skip
        pid, *left = done.stdout.splitlines()
        until = time.monotonic() + 10
        while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
            assert time.monotonic() < until, "the client that holds the connection ends with us"
            time.sleep(0.05)
        assert left == (["[]"] if way == "close" else []), done.stderr
