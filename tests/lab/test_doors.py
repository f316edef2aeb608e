"""One contract, four doors: whatever a test here says of a look, it is so by docker, ssh, step and ssm."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.sealed_door import SealedDoor
from hubspec.cluster.shells import ClusterShells
from hubspec.cluster.ssh import SshLine, Target
from hubspec.cluster.ssh_door import SshDoor
from hubspec.cluster.ssm_door import SsmCarrier
from hubspec.cluster.step_door import StepCarrier
from hubspec.cluster.steps import StepDoor
from hubspec.cluster.vocabulary import host
from hubspec.door import Ran
from hubspec.errors import DoorError, StoppedError
from lab.breaks import aws
from lab.breaks.model import Scene
from lab.images import HUB_IMAGE
from lab.model import HUB, LABEL, MASTER

Door = DockerDoor | SshDoor | SealedDoor
HOSTILE = r"""printf 'a\0b\377\376 \303\n'
head -c 7500000 /dev/urandom | base64 -w 0 | tee /run/hubspec-long | head -c 10000000; echo; sha256sum < /run/hubspec-long; rm /run/hubspec-long
echo "end; not a new line"; printf 'err\0\377' >&2; exit 3"""
CANARY = """'"$(touch /run/pwned)`touch /run/pwned`\\;{{ssm:x}} é %s \u2028"""


@pytest.fixture(scope="module")
def doors(on: Scene) -> Iterator[dict[str, Callable[..., Door]]]:
    """Give what makes each door to a container; the logs of steps come at once."""
    here, known = on.lab, EmrDoor(on.lab.cluster_id, settings=on.lab.aws_env)
    steps = StepDoor(known)
    line = SshLine(Target("localhost", "hadoop", str(here.ssh_port), config=str(here.ssh_config)), 20)
    aws.control({"change": {"log_delay": 0}}, on)
    yield {
        "docker": lambda name, **how: DockerDoor(name, label=LABEL, **how),
        "ssh": lambda name, **how: SshDoor(line, name, label=LABEL, **how),
        "step": lambda name, **how: SealedDoor(StepCarrier(steps, print, limit=60), name, label=LABEL, **how),
        "ssm": lambda name, **how: SealedDoor(SsmCarrier(known, steps, print), name, label=LABEL, **how),
    }
    aws.control({"restore": ["log_delay"]}, on)
    line.close()
    left = aws.client(on, "s3").list_objects_v2(Bucket="hubspec-lab-logs", Prefix="hubspec/")
    assert left.get("Contents", []) == [], "whatever a door put into S3 is removed"


@pytest.fixture(params=["docker", "ssh", "step", "ssm"])
def door(request: pytest.FixtureRequest, doors: dict[str, Callable[..., Door]]) -> Callable[..., Door]:
    """Give what makes one of the doors to a container."""
    return lambda name=HUB, deadline=20.0: doors[request.param](name, deadline=deadline)


@pytest.fixture(scope="module")
def stopped(on: Scene) -> Iterator[Any]:
    """Make a container that ended."""
    name = f"hubspec-test-{uuid.uuid4().hex[:8]}"
    box = on.client.containers.run(
        HUB_IMAGE, ["sh", "-c", "echo last words; exit 4"], name=name, detach=True, labels={"hubspec.test": "1"}
    )
    box.wait()
    yield box
    box.remove(force=True)


def test_a_look_shows_the_container_the_others_and_both_streams(on: Scene, door: Callable[..., Door]) -> None:
    ours = door()
    seen = ours.look(HOSTILE, others=True)

    expected = on.client.api.inspect_container(HUB)
    assert seen.inspect is not None
    for one in (seen.inspect, expected):
        one.pop("ExecIDs")  # of what runs at this moment
        one["Mounts"].sort(key=str)  # the engine has no order for them
    assert seen.inspect == expected
    assert seen.others == {MASTER: on.client.containers.get(MASTER).attrs["Config"]["Image"]}
    first, long, digest, last, end = seen.stdout.split("\n")
    assert (first, last, end) == ("a\0b\\xff\\xfe \\xc3", "end; not a new line", "")
    assert len(long) == 10_000_000
    assert digest.endswith(" -")
    assert seen.stderr == "err\0\\xff"
    assert sum(count for sort, count in ours.trips.items() if sort != "ssh login") == (
        3 if ours.name == "docker" else 1
    )
    assert ours.command.endswith(f"docker exec -i {HUB} sh")


def test_a_script_comes_as_it_is_and_the_others_only_where_asked_for(door: Callable[..., Door]) -> None:
    script = f"cat <<'end-of-canary'\n{CANARY}\nend-of-canary\n[ -e /run/pwned ] && echo pwned; : {'x' * 200_000}\nid -u; cat"
    seen = door().look(script, others=False)

    assert seen.others == {}
    assert seen.stdout == f"{CANARY}\n0\n", "as root, and nothing is on its standard input behind it"
    assert seen.stderr == ""


def test_a_container_that_is_not_there(door: Callable[..., Door]) -> None:
    ours = door("no-such-container")
    look = ours.look("echo here", others=True)

    assert look.inspect is None
    assert {HUB, MASTER} <= set(look.others)
    assert (look.stdout, look.stderr) == ("", "")
    with pytest.raises(DoorError, match="there is no container no-such-container on "):
        ours.run("echo here")


def test_a_container_that_ended_and_its_log(door: Callable[..., Door], stopped: Any) -> None:
    ours = door(stopped.name)

    with pytest.raises(StoppedError, match=f"the container {stopped.name} is exited with status 4 since .* start it: "):
        ours.look("echo here", others=True)
    assert ours.log(datetime.now(UTC) - timedelta(days=1), 5) == "last words\n"


def test_the_end_of_a_log(on: Scene, door: Callable[..., Door]) -> None:
    since = datetime.now(UTC) - timedelta(days=1)
    told = on.client.api.logs(HUB, since=int(since.timestamp()), tail=3).decode("utf-8", "backslashreplace")

    assert len(told.splitlines()) == 3
    assert sorted(door().log(since, 3).splitlines()) == sorted(told.splitlines())
    with pytest.raises(DoorError, match=r"the log of no-such-container cannot be had: .*o such container"):
        door("no-such-container").log(since, 3)


def test_a_script_that_takes_too_long_is_ended_there_too(on: Scene, door: Callable[..., Door]) -> None:
    mark = f"60{uuid.uuid4().int % 10**9}"
    with pytest.raises(DoorError, match=f"the container {HUB} did not answer within 2 s; see: sudo docker top {HUB}"):
        door(deadline=2).look(f"echo begun; sleep {mark} & sleep {mark}", others=False)

    until = time.monotonic() + 5
    while any(f"sleep {mark}" in " ".join(process) for process in on.client.containers.get(HUB).top()["Processes"]):
        assert time.monotonic() < until, "what it started is gone"
        time.sleep(0.2)


@pytest.mark.parametrize("name", ["step", "ssm"])
def test_a_command_on_the_master_node_through_a_door_that_holds_nothing(
    doors: dict[str, Callable[..., Door]], name: str
) -> None:
    door = doors[name](HUB, deadline=20.0)
    shells = ClusterShells(lambda: door, lambda: False, None, 20)
    shell = shells.master()

    assert shell.run(r"id -un; printf 'a\0\377' >&2; exit 3") == Ran(3, b"hadoop\n", b"a\0\xff")
    assert host(shell, name).file("/etc/hostname").exists
    with pytest.raises(DoorError, match="did not end a command within 1 s, and it was killed"):
        ClusterShells(lambda: doors[name](HUB, deadline=1.0), lambda: False, None, 1).master().run("sleep 30")
    shells.close()
