"""Held shells on the lab, in the container and on the master node, through docker and ssh: each way in which such a session goes wrong."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import emr
import pytest

from hubspec.cluster import held_session
from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.held import HeldShell
from hubspec.cluster.look_shell import LookShell
from hubspec.cluster.shells import ClusterShells, in_container
from hubspec.cluster.ssh import SshLine, Target
from hubspec.cluster.ssh_door import SshDoor
from hubspec.cluster.vocabulary import host
from hubspec.door import ContainerDoor, Ran
from hubspec.errors import DoorError
from lab.breaks.model import Scene
from lab.model import HUB, MASTER

WHERE = ("container by docker", "container by ssh", "master by docker", "master by ssh")
DEADLINE = 20


@pytest.fixture(scope="module")
def shells() -> Iterator[dict[str, HeldShell]]:
    """Give the held shells of the lab, by what they are."""
    with emr.scene() as on:
        line = SshLine(Target("localhost", config=str(on.lab.ssh_config)), DEADLINE)
        doors: dict[str, ContainerDoor] = {
            "docker": DockerDoor(HUB, deadline=DEADLINE),
            "ssh": SshDoor(line, HUB, deadline=DEADLINE),
        }
        made = {name: ClusterShells(lambda name=name: doors[name], lambda: False, MASTER, DEADLINE) for name in doors}
        yield {
            f"{what} by {name}": getattr(shells, what)()
            for name, shells in made.items()
            for what in ("container", "master")
        }
        for one in made.values():
            one.close()
        line.close()


@pytest.fixture(params=WHERE)
def shell(shells: dict[str, HeldShell], request: pytest.FixtureRequest) -> HeldShell:
    return shells[request.param]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for the end of an answer: on a busy machine the launcher may need more than half a second to tell it."""
    monkeypatch.setattr(held_session, "GRACE", 10)


def test_two_streams_and_the_exit_code(shell: HeldShell) -> None:
    assert shell.run("echo out; echo err >&2; exit 3") == Ran(3, b"out\n", b"err\n")
    assert shell.run("printf 'no end of line'") == Ran(0, b"no end of line", b"")
    assert shell.run("printf '\\n\\n'") == Ran(0, b"\n\n", b"")
    assert shell.run("kill -9 $$").code == 137
    assert shell.run("") == Ran(0, b"", b"")


def test_any_bytes_come_as_they_are(shell: HeldShell) -> None:
    assert shell.run(r"printf 'a\0b\377\376 \303\n'; printf '\0\377' >&2") == Ran(0, b"a\0b\xff\xfe \xc3\n", b"\0\xff")
    assert shell.run("printf %s 'é 日 '\"'\"'\n\n'") == Ran(0, "é 日 '\n\n".encode(), b"")
    ran = shell.run("head -c 10000000 /dev/zero | tr '\\0' x; head -c 200000 /dev/zero >&2; exit 1")
    assert (ran.code, ran.stdout, ran.stderr) == (1, b"x" * 10_000_000, b"\0" * 200_000)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(
    ("command", "code", "printed"),
    [
        ('cat; read x; echo "$? nothing to read"', 0, b"1 nothing to read\n"),
        ("exit 7", 7, b""),
        ("echo 'never ended", 2, b""),
        ("if true; then", 2, b""),
        ("}; exit 9 #", 2, b""),
        ("exec >&- 2>&-; exit 4", 4, b""),
        ("nosuchcommand", 127, b""),
        ("hubspec_run 1 true", 127, b""),
        ("ls /proc/self/fd | tr '\\n' ' '", 0, b"0 1 2 3 7 "),
    ],
)  # fmt: skip
def test_no_command_harms_the_session(shell: HeldShell, command: str, code: int, printed: bytes) -> None:
    opened = shell.opened
    ran = shell.run(command)

    assert (ran.code, ran.stdout) == (code, printed)
    assert shell.run("echo next").stdout == b"next\n"
    assert shell.opened in {opened, 1}, "the session is still the same"


def test_what_no_process_can_be_given_is_refused(shell: HeldShell) -> None:
    with pytest.raises(ValueError, match="NUL"):
        shell.run("echo a\0b")
    assert shell.run(f": {'x' * 200_000}").code in {2, 126}
    assert shell.run(f": {'x' * 100_000}; echo long").stdout == b"long\n"


def test_what_takes_too_long_is_ended_with_its_children(shell: HeldShell) -> None:
    opened, name = shell.opened, _name()
    # One that goes away from its parent, one that has another environment, one that hears no TERM.
    command = f"""echo begun
    setsid sh -c 'sleep {name}; :' & env -i sh -c 'sleep {name}; :' & sh -c 'trap "" TERM; sleep {name}; :'"""
    started = time.monotonic()
    with pytest.raises(DoorError, match=r"(?s)did not end within 1 s .*, and was ended with all that it started"):
        shell.run(command, 1)

    assert time.monotonic() - started < 25
    assert shell.run(_running(name)).stdout == b""
    assert shell.opened == opened + 1 + (not opened)


def test_what_is_left_behind_writes_into_no_later_answer(shell: HeldShell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.run(":")
    opened, started = shell.opened, time.monotonic()
    assert shell.run("(sleep 0.7; echo LATER; echo LATER >&2; sleep 20) & echo now") == Ran(0, b"now\n", b"")
    assert time.monotonic() - started < 15
    monkeypatch.setattr(held_session, "GRACE", 10)
    heard = [shell.run("sleep 0.3; echo next") for _ in range(3)]

    assert heard == [Ran(0, b"next\n", b"")] * 3
    assert shell.opened == opened + 1
    soon = shell.run("(sleep 0.1; echo soon) & echo now")
    assert soon == Ran(0, b"now\nsoon\n", b"")
    assert shell.run("sleep 5 >/dev/null 2>&1 7>&- & echo apart") == Ran(0, b"apart\n", b"")
    assert shell.opened == opened + 1


def test_a_session_that_is_dead_is_opened_anew_before_anything_is_sent(shell: HeldShell) -> None:
    shell.run(":")
    opened = shell.opened
    # The launcher is the parent's parent: the one between them is the group in its pipeline.
    shell.run("read -r line < /proc/$PPID/stat; set -- ${line##*) }; (sleep 0.2; kill -9 $2) >/dev/null 2>&1 7>&- & :")
    until = time.monotonic() + 10
    while shell._session and shell._session.quiet():
        assert time.monotonic() < until
        time.sleep(0.05)

    assert shell.run("echo again").stdout == b"again\n"
    assert shell.opened == opened + 1


def test_a_session_that_dies_under_a_command_is_an_error_and_no_second_try(shell: HeldShell) -> None:
    mark = f"/tmp/held-{uuid.uuid4().hex[:8]}"
    with pytest.raises(DoorError, match=r"broke off while it ran .*: how that ended is not known"):
        shell.run(
            f"echo once >> {mark}; read -r line < /proc/$PPID/stat; set -- ${{line##*) }}; kill -9 $2 $PPID;"
            " for p in /proc/[0-9]*/stat; do read -r line 2>/dev/null < $p || continue;"
            ' set -- "$2" ${line##*) }; case $3 in "$1") p=${p#/proc/}; kill -9 ${p%/stat};; esac; done; kill -9 $$'
        )
    assert shell.run(f"cat {mark}; rm {mark}").stdout == b"once\n"


def test_threads_get_their_own_answers(shell: HeldShell) -> None:
    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(lambda number: shell.run(f"echo {number}; echo {number} >&2; exit {number}"), range(40)))

    assert heard == [Ran(number, f"{number}\n".encode(), f"{number}\n".encode()) for number in range(40)]


def test_testinfra_speaks_over_it(shell: HeldShell) -> None:
    said: list[str] = []
    there = host(shell, "there", lambda _shell, command, _ran: said.append(command))

    assert there.user("root").exists
    assert not there.user("nosuchuser").exists
    assert there.file("/etc/passwd").mode == 0o644
    assert there.file("/etc/passwd").contains("^root:")
    assert there.system_info.type == "linux"
    assert there.process.filter(comm="sh")
    assert there.run("printf %s 'é\377'".encode("latin-1").decode("latin-1")).rc == 0
    assert there.run(r"printf 'a\377'").stdout == "a\\xff"
    assert "id root" in said


@pytest.mark.parametrize("name", ["docker", "ssh"])
def test_a_container_that_does_not_run_is_told_in_the_doors_own_words(name: str) -> None:
    with emr.scene() as on:
        line = SshLine(Target("localhost", config=str(on.lab.ssh_config)), DEADLINE)
        box = on.client.containers.create(
            on.client.containers.get(HUB).image, ["sleep", "60"], labels={"hubspec.test": "1"}
        )
        make: Callable[[str], ContainerDoor] = {"docker": DockerDoor, "ssh": lambda one: SshDoor(line, one)}[name]
        try:
            with pytest.raises(DoorError, match="was made and never started: sudo docker start"):
                in_container(make(box.name), DEADLINE).run(":")
            with pytest.raises(DoorError, match="there is no container no-such-container"):
                in_container(make("no-such-container"), DEADLINE).run(":")
        finally:
            box.remove(force=True)
            line.close()


def test_an_interrupt_ends_what_runs(shells: dict[str, HeldShell], monkeypatch: pytest.MonkeyPatch) -> None:
    shell, name = shells["container by docker"], _name()
    shell.run(":")
    session = shell._session
    assert session is not None

    def interrupted(seconds: float) -> list[tuple[int, bytes]]:
        if seconds <= 0:
            raise TimeoutError
        time.sleep(0.3)
        raise KeyboardInterrupt

    monkeypatch.setattr(session.wire, "receive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shell.run(f"sleep {name}; :")
    assert shell.run(_running(name)).stdout == b""


def _name() -> str:
    return f"30.{uuid.uuid4().int % 10**9:09}"


def _running(name: str) -> str:
    """Return a command that says which processes have a name in their arguments, and has not got it itself."""
    return f"grep -lsa '{name[:-1]}[{name[-1]}]' /proc/[0-9]*/cmdline"


def test_a_door_that_holds_nothing_runs_one_look_for_each_command() -> None:
    with emr.scene():
        door = DockerDoor(HUB, deadline=DEADLINE)
        shell = LookShell(door.name, lambda: door.command, door.run)
        assert shell.run(r"printf 'a\0b\377\n'; printf '\0\376' >&2; cat; exit 3") == Ran(3, b"a\0b\xff\n", b"\0\xfe")
        assert shell.run("echo 'never ended").code == 2
        assert shell.run("exit 5") == Ran(5, b"", b"")
        assert door.trips["container exec"] == 3
        assert host(shell, "there").user("root").exists


def test_threads_wait_for_a_slow_one(shells: dict[str, HeldShell]) -> None:
    shell = shells["container by docker"]
    heard: list[bytes] = []
    slow = threading.Thread(target=lambda: heard.append(shell.run("sleep 0.5; echo slow").stdout))
    slow.start()
    time.sleep(0.1)
    heard.append(shell.run("echo quick").stdout)
    slow.join()

    assert heard == [b"slow\n", b"quick\n"]


def test_which_shell_is_on_the_master_node(on: Scene) -> None:
    door = DockerDoor(HUB)
    here = ClusterShells(lambda: door, lambda: True, None, DEADLINE)
    elsewhere = ClusterShells(lambda: door, lambda: False, None, DEADLINE)
    assert on.lab.master == MASTER
    try:
        assert here.master().run("echo $$").code == 0
        with pytest.raises(DoorError, match="this machine is not the master node: give --door ssh"):
            elsewhere.master()
    finally:
        here.close()
