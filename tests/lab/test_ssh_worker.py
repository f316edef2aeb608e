"""Work through the ssh door is the work of the docker door: batches, the container itself, the lock, and the token."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import emr
import pytest
import sshd
from sshd import PASSWORD, Sshd

from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.docker_worker import DockerWorker
from hubspec.cluster.ssh import SshLine
from hubspec.cluster.ssh_door import SshDoor
from hubspec.cluster.ssh_worker import SshWorker
from hubspec.errors import DoorError, LockedError
from lab.images import HUB_IMAGE

USERS = {"docker": None, "member": None, "limited": None, "asks": PASSWORD}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Give an SSH server with every sort of user, beside the lab."""
    with emr.scene() as on, sshd.running(on, tmp_path_factory.mktemp("ssh")) as made:
        yield made


@pytest.fixture(scope="module")
def box(server: Sshd) -> Iterator[Any]:
    """Start a container to work on."""
    name = f"hubspec-test-{uuid.uuid4().hex[:8]}"
    made = server.on.client.containers.run(
        HUB_IMAGE, ["sleep", "600"], name=name, detach=True, network_mode="none", labels={"hubspec.test": "1"}
    )
    yield made
    made.remove(force=True)


@pytest.fixture(params=USERS)
def way(request: pytest.FixtureRequest, server: Sshd, box: Any) -> Iterator[Any]:
    """Give a function that makes a worker: by the docker door, and by that of each sort of user."""
    if request.param == "docker":
        door = DockerDoor(box.name, deadline=20)
        yield lambda stopped=lambda: False: DockerWorker(door, stopped)
        return
    line = SshLine(server.target(request.param, USERS[request.param]), 20)
    ssh = SshDoor(line, box.name, deadline=20)
    yield lambda stopped=lambda: False: SshWorker(ssh, stopped)
    line.close()


def test_a_batch_is_heard_line_by_line_as_it_comes(way: Any) -> None:
    heard: list[tuple[str, float]] = []
    script = "id -u\necho; printf 'b\\377\\n'\nsleep 1\necho 'no end'; printf last"
    way().act(script, lambda line: heard.append((line, time.monotonic())), stop=":")

    assert [line for line, _ in heard] == ["0", "", "b\\xff", "no end", "last"]
    assert heard[3][1] - heard[0][1] > 0.7, "the first lines did not wait for the last ones"


def test_a_large_batch(way: Any) -> None:
    heard: list[str] = []
    way().act(f": {'x' * 3_000_000}\necho 'all of it'\n", heard.append, stop=":")

    assert heard == ["all of it"]


def test_its_status_is_told(way: Any) -> None:
    with pytest.raises(DoorError, match="ended it with status 3"):
        way().act("exit 3\n", lambda _line: None, stop=":")


def test_an_interrupted_batch_is_told_to_stop(way: Any) -> None:
    stopped = threading.Event()
    heard: list[str] = []
    mark = f"/run/stop-{uuid.uuid4().hex[:8]}"

    def hear(line: str) -> None:
        heard.append(line)
        stopped.set()

    way(stopped.is_set).act(
        f"echo begun; until [ -e {mark} ]; do sleep 0.1; done; rm {mark}; echo ended", hear, stop=f"touch {mark}"
    )

    assert heard == ["begun", "ended"]


def test_one_holds_the_lock_and_another_is_told_who(way: Any, box: Any) -> None:
    other = DockerWorker(DockerDoor(box.name), lambda: False)
    with way().lock("ana@here, run 1", 60):
        with pytest.raises(LockedError, match="ana@here, run 1"), other.lock("diego", 60):
            pass
        with pytest.raises(LockedError, match="ana@here, run 1"), way().lock("diego", 60):
            pass
    with other.lock("diego", 60):
        pass


def test_the_container_itself(way: Any, box: Any) -> None:
    way().manage(["docker", "update", "--restart", "on-failure:7", box.name])
    box.reload()
    assert box.attrs["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 7}
    box.stop(timeout=0)
    with pytest.raises(DoorError, match=f"the container {box.name} is exited"), way().lock("ana", 5):
        pass
    way().manage(["docker", "start", box.name])
    box.reload()
    assert box.status == "running"
    with pytest.raises(DoorError, match="o such container: no-such-box"):
        way().manage(["docker", "start", "no-such-box"])
    with pytest.raises(DoorError, match="nothing here knows how to do: docker rm x"):
        way().manage(["docker", "rm", "x"])


def test_a_connection_that_breaks_ends_the_lock_and_nothing_is_done_twice(server: Sshd, box: Any) -> None:
    line = SshLine(server.target("member"), 20)
    door = SshDoor(line, box.name, deadline=20)
    worker, heard = SshWorker(door, lambda: False), list[str]()
    mark = f"/run/cut-{uuid.uuid4().hex[:8]}"
    try:
        with pytest.raises(DoorError, match="broke off in the middle of the answer"), worker.lock("ana", 60):  # noqa: PT012 - it is cut off while it works
            threading.Timer(1, server.sh, ["pkill -f '^sshd: member' || true"]).start()
            worker.act(f"echo once >> {mark}; echo begun; sleep 5; echo ended", heard.append, stop=":")
        logins = line.logins
        until = time.monotonic() + 10
        while True:
            try:
                with DockerWorker(DockerDoor(box.name), lambda: False).lock("diego", 5):
                    break
            except LockedError:
                assert time.monotonic() < until, "the lock of a connection that is gone is free"
                time.sleep(0.2)
    finally:
        line.close()

    assert heard == ["begun"]
    assert logins == 1
    assert box.exec_run(["cat", mark]).output == b"once\n"
