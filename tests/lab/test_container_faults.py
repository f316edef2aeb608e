"""The container's door shut in every way: each with its own sentence and exit code, on real containers."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest

import lab
from lab.images import HUB_IMAGE
from tests.conftest import Audit, Run

USERS = "checks/test_users.py"
Look = Callable[..., Run]


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    """Give the engine, with the hub's image on it."""
    lab.up(print)
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture
def box(engine: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Start a container of its own from the hub's image, by the options of the test, and remove it."""
    options = {"command": ["sleep", "600"], "network_mode": "none"} | getattr(request, "param", {})
    container = engine.containers.create(HUB_IMAGE, name=f"hubspec-test-{uuid.uuid4().hex[:8]}", **options)
    try:
        container.start()
        yield container
    finally:
        container.remove(force=True)


@pytest.fixture(params=["docker", "ssh"])
def look(request: pytest.FixtureRequest, audit: Audit) -> Look:
    """Audit a container through each of the doors."""

    def run(name: str, *args: str, checks: str = USERS) -> Run:
        where = ("--cluster", "lab", "--door", request.param, "--container", name)
        return audit(*where, "--deadline", "4", *args, checks=checks)

    return run


def test_no_such_container(look: Look) -> None:
    run = look("no-such-container")

    assert run.code == 11
    assert "the container is not there, so nothing in it could be looked at" in run.text


def test_another_container_than_the_declared_one(look: Look) -> None:
    run = look("no-such-container", checks="checks/test_container.py")

    assert run.code == 11
    assert "only the hub's own container is inspected; audit this one with --container" in run.text


def test_engine_down(audit: Audit) -> None:
    run = audit(
        *("--cluster", "j-A", "--baseline", "baselines/lab.yaml"),
        checks=USERS,
        env={"DOCKER_HOST": "unix:///nonexistent/docker.sock"},
    )

    assert run.code == 11
    assert "no Docker engine answers at unix:///nonexistent/docker.sock: start it" in run.text


def test_stopped(look: Look, box: Any) -> None:
    box.stop(timeout=0)
    run = look(box.name)

    assert run.code == 11
    assert f"the container {box.name} is exited with status 137" in run.text


def test_paused(look: Look, box: Any) -> None:
    box.pause()
    run = look(box.name)
    box.unpause()

    assert run.code == 11
    assert "is paused since" in run.text
    assert f"sudo docker unpause {box.name}" in run.text


@pytest.mark.parametrize(
    "box", [{"command": ["false"], "restart_policy": {"Name": "on-failure", "MaximumRetryCount": 0}}], indirect=True
)
def test_restarting(look: Look, box: Any) -> None:
    # The engine waits twice as long each time, from 0.1 s on: the seventh wait outlasts the start of an audit.
    deadline = time.monotonic() + 60
    while box.status != "restarting" or box.attrs["RestartCount"] < 7:
        assert time.monotonic() < deadline, box.attrs["State"]
        time.sleep(0.1)
        box.reload()
    run = look(box.name)

    assert run.code == 11
    assert "is restarting" in run.text
    assert f"sudo docker logs --tail 50 {box.name}" in run.text


def test_exec_refused(look: Look, box: Any) -> None:
    box.exec_run(["rm", "/bin/sh", "/usr/bin/sh"])
    run = look(box.name)

    assert run.code == 11
    assert f"docker exec into {box.name} was refused" in run.text


def test_a_command_that_hangs_meets_the_deadline(look: Look, box: Any) -> None:
    box.exec_run(["sh", "-c", "printf '#!/bin/sh\\nsleep 60\\n' > /usr/local/sbin/awk; chmod 755 /usr/local/sbin/awk"])
    run = look(box.name)

    assert run.code == 11
    assert f"the container {box.name} did not answer within 4 s" in run.text


def test_one_probe_that_fails_spoils_its_own_kind_only(look: Look, box: Any) -> None:
    box.exec_run(["mv", "/opt/conda/conda-meta", "/opt/conda/conda-meta.gone"])
    run = look(box.name, checks="checks")

    assert "the container could not list its packages (status 1): no conda environment at /opt/conda" in run.text
    assert set(run.outcomes("package")) == {"unreadable"}
    assert "unreadable" not in run.outcomes("file")


def test_an_account_with_a_hostile_name_is_shown_and_runs_nothing(look: Look, box: Any) -> None:
    line = "$(touch /tmp/owned)`touch /tmp/owned`;\x1b[31m<b>:x:1666:1666::/home/x:/bin/sh"
    box.exec_run(["sh", "-c", 'printf "%s\\n" "$1" >> /etc/passwd', "sh", line])
    run = look(box.name)

    assert run.code == 1
    assert "$(touch /tmp/owned)" in run.text
    assert "\x1b" not in run.text
    assert box.exec_run(["ls", "/tmp/owned"]).exit_code != 0
