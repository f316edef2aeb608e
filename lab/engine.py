"""The Docker engine: the one in the environment, or one installed and started where that is allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab.model import LabError

if TYPE_CHECKING:
    from docker import DockerClient

Progress = Callable[[str], None]

START_LIMIT = 60.0
INSTALL_LIMIT = 600.0
BY_HAND = "start a Docker engine yourself (or set DOCKER_HOST to one), then repeat the command"


def connect() -> DockerClient | None:
    """Answer a client of the engine in the environment, or None where none answers.

    Raises: LabError where an engine is there but this user may not use it, or where it is on another machine.
    Source of fact: the Docker SDK's `from_env` (DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH).
    """
    import docker
    from docker.errors import DockerException

    host = os.environ.get("DOCKER_HOST", "")
    if host and not host.startswith("unix://"):
        raise LabError(
            "the lab needs an engine on this machine: it publishes on 127.0.0.1 and mounts the engine's socket",
            found=f"DOCKER_HOST={host}",
            then="unset DOCKER_HOST, or set it to unix:///…",
        )
    if not Path(socket_path()).is_socket():
        return None
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        if "Permission" in str(error):
            raise LabError(
                "a Docker engine is there, but this user may not use it",
                last=str(error),
                then="add the user to the group docker and log in again, or run as root",
            ) from error
        return None
    return client


@contextmanager
def told() -> Iterator[None]:
    """Turn a refusal of the engine inside the block into a LabError with the engine's words."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except (DockerException, RequestException) as error:
        words = str(getattr(error, "explanation", None) or error)
        raise LabError(
            "the Docker engine refused or did not answer", last=words, then="python -m lab status"
        ) from error


def socket_path() -> str:
    """Answer the engine's socket on this machine, which the master node mounts."""
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


def ensure_engine(progress: Progress) -> DockerClient:
    """Answer a client of an engine that runs; install and start one where none does.

    It says what it is about to do before it does it. The engine is left running.
    Raises: LabError where HUBSPEC_INSTALL_ENGINE=0, the system is not Debian or Ubuntu, or rights are missing.
    """
    client = connect()
    if client is not None:
        return client
    if os.environ.get("DOCKER_HOST"):
        raise LabError("the engine that DOCKER_HOST names does not answer", found=socket_path(), then=BY_HAND)
    sudo = may_install("start a Docker engine")
    if shutil.which("dockerd") is None:
        progress(
            "no Docker engine here: installing Debian's docker.io with apt-get (HUBSPEC_INSTALL_ENGINE=0 forbids it)"
        )
        apt_install(["docker.io", "iptables"], sudo)
    _start(sudo, progress)
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        client = connect()
        if client is not None:
            return client
        time.sleep(0.3)
    log = engine_log()
    raise LabError(
        f"dockerd was started, but does not answer after {START_LIMIT:.0f} s",
        last=log.read_text(errors="replace")[-2000:] if log.exists() else "journalctl -u docker",
        then=BY_HAND,
    )


def may_install(purpose: str) -> list[str]:
    """Answer the prefix that makes a command root's: nothing, or `sudo -n`.

    Raises: LabError where a person forbade it, the system is another one, or there are no rights.
    """
    if os.environ.get("HUBSPEC_INSTALL_ENGINE") == "0":
        raise LabError(f"would have to {purpose}, and HUBSPEC_INSTALL_ENGINE=0 forbids it", then=BY_HAND)
    release = Path("/etc/os-release")
    text = release.read_text() if release.exists() else ""
    if not any(f"ID={name}" in text.splitlines() for name in ("debian", "ubuntu")):
        raise LabError(f"cannot {purpose}: the lab knows how on Debian and Ubuntu only", then=BY_HAND)
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    raise LabError(f"cannot {purpose}: neither root nor passwordless sudo", then=BY_HAND)


def apt_install(packages: list[str], sudo: list[str]) -> None:
    """Install Debian packages. Raises: LabError with apt's last words."""
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    install = [*sudo, *environment, "apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    update = [*sudo, *environment, "apt-get", "update", "-q"]
    for command in (install, update, install):
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_LIMIT, check=False, stdin=subprocess.DEVNULL
        )
        if command is install and done.returncode == 0:
            return
    raise LabError(
        f"apt-get could not install {' '.join(packages)}", last=(done.stdout + done.stderr)[-1500:], then=BY_HAND
    )


def engine_log() -> Path:
    """Answer where a dockerd that the lab started writes its log."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home, "hubspec", "dockerd.log")


def _start(sudo: list[str], progress: Progress) -> None:
    if Path("/run/systemd/system").is_dir():
        progress("starting the Docker engine: systemctl start docker")
        subprocess.run([*sudo, "systemctl", "start", "docker"], check=False, timeout=START_LIMIT)
        return
    log = engine_log()
    log.parent.mkdir(parents=True, exist_ok=True)
    progress(f"starting the Docker engine: dockerd, detached, its log in {log}")
    with log.open("ab") as out:
        # The group lets the user who runs the lab use the socket; a session of its own outlives this process.
        subprocess.Popen(
            [*sudo, "dockerd", "--group", str(os.getgid())],
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
