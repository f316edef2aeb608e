"""The base image: Ubuntu where a registry answers, as EMR's container has it; else the host's own Debian, bootstrapped."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lab.engine import Progress, apt_install, may_install
from lab.model import LabError

if TYPE_CHECKING:
    from docker import DockerClient

UBUNTU = "ubuntu:22.04"
PULL_LIMIT = 30
BOOTSTRAP_LIMIT = 600.0


def ensure_base(client: DockerClient, progress: Progress) -> tuple[str, str]:
    """Answer the base image's tag and, in words, what it is.

    Raises: LabError where it can neither be pulled nor bootstrapped.
    """
    own_tag, own_words = own_base()
    for tag, words in ((UBUNTU, f"{UBUNTU}, pulled"), (own_tag, own_words)):
        if client.images.list(name=tag):
            return tag, words
    refusal = _pull(client, progress)
    if refusal is None:
        return UBUNTU, f"{UBUNTU}, pulled"
    progress(f"no registry gives {UBUNTU} ({refusal[:80]}): bootstrapping {own_words.split(',')[0]} instead")
    _bootstrap(client, own_tag, progress)
    return own_tag, own_words


def own_base() -> tuple[str, str]:
    """Answer tag and description of a base made of the host's own distribution."""
    facts = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    name, code = facts.get("ID", "linux"), facts.get("VERSION_CODENAME", "unknown")
    return f"hubspec-lab/base:{name}-{code}", f"{name} {code}, bootstrapped"


def _pull(client: DockerClient, progress: Progress) -> str | None:
    import docker
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    progress(f"pulling {UBUNTU}")
    # A client of its own: the time limit of a read is the client's, and a build may be silent for longer.
    api = docker.from_env(timeout=PULL_LIMIT).api
    try:
        repository, tag = UBUNTU.split(":")
        for line in api.pull(repository, tag=tag, stream=True, decode=True):
            if "error" in line:
                return str(line["error"])
    except (DockerException, RequestException) as error:
        return str(error)
    return None if client.images.list(name=UBUNTU) else "the pull ended without an image"


def _bootstrap(client: DockerClient, tag: str, progress: Progress) -> None:
    sudo = may_install("bootstrap a base image")
    code = tag.rsplit("-", 1)[1]
    if shutil.which("mmdebstrap") is None and shutil.which("debootstrap") is None:
        progress("installing mmdebstrap with apt-get, to make the base image")
        try:
            apt_install(["mmdebstrap"], sudo)
        except LabError:
            apt_install(["debootstrap"], sudo)
    with tempfile.TemporaryDirectory(prefix="hubspec-lab-") as folder:
        tar = Path(folder, "base.tar")
        progress(f"bootstrapping {code} (about 20 s)")
        for command in _commands(code, Path(folder), tar):
            done = subprocess.run(
                [*sudo, *command], capture_output=True, text=True, timeout=BOOTSTRAP_LIMIT, check=False
            )
            if done.returncode:
                raise LabError(f"{command[0]} could not make {code}", last=(done.stdout + done.stderr)[-1500:])
        repository, version = tag.split(":")
        client.api.import_image_from_file(str(tar), repository=repository, tag=version)
    if not client.images.list(name=tag):
        raise LabError("the engine did not take the bootstrapped base image", wanted=tag)


def _commands(code: str, folder: Path, tar: Path) -> list[list[str]]:
    if shutil.which("mmdebstrap"):
        return [["mmdebstrap", "--variant=minbase", code, str(tar)]]
    root = str(folder / "root")
    return [["debootstrap", "--variant=minbase", code, root], ["tar", "-C", root, "-cf", str(tar), "."]]
