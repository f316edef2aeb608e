"""The lab's two images, built from `lab/images/` and tagged by what they are built of."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lab.engine import Progress
from lab.model import ROOM, LabError

if TYPE_CHECKING:
    from docker import DockerClient

CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
# The tag a baseline can name: it does not change with the build context, as the hash does.
HUB_IMAGE = "hubspec-lab/hub:1.5.0"
PASSED_ON = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "NPM_CONFIG_REGISTRY")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def context_hash(name: str) -> str:
    """Answer a short hash over an image's context, names and contents."""
    digest = hashlib.sha256()
    for path in _files(name):
        digest.update(f"{path.relative_to(ROOM)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def ensure_images(client: DockerClient, base: str, progress: Progress) -> dict[str, str]:
    """Answer the tags of the images `hub` and `master`, built where they are missing, both at once.

    Raises: LabError with the last lines of a build that failed.
    """
    wanted = {name: f"hubspec-lab/{name}:{context_hash(name)}-{_short(base)}" for name in ("hub", "master")}
    missing = [name for name, tag in wanted.items() if not client.images.list(name=tag)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda name: _build(client, name, wanted[name], base, progress), missing))
    client.images.get(wanted["hub"]).tag(*HUB_IMAGE.split(":"))
    return wanted


def build_args() -> dict[str, str]:
    """Answer the index and proxy settings of this machine that a build needs, only those that are set.

    Raises: LabError where an index address carries a password, which the image's history would keep.
    """
    args = {name: os.environ[name] for name in (*PASSED_ON, *PROXIES) if os.environ.get(name)}
    for name in PASSED_ON:
        if urlsplit(args.get(name, "")).password:
            raise LabError(
                f"{name} carries a password, and an image keeps its build arguments",
                then=f"set {name} without one for the lab's build",
            )
    return args


def _files(name: str) -> list[Path]:
    found = (ROOM / "images" / name).rglob("*")
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


def _short(base: str) -> str:
    return base.replace("/", "-").replace(":", "-").removeprefix("hubspec-lab-base-")


def _context(name: str) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path in _files(name):
            body = path.read_bytes()
            entry = tarfile.TarInfo(str(path.relative_to(ROOM / "images" / name)))
            entry.size, entry.mode = len(body), 0o644
            tar.addfile(entry, io.BytesIO(body))
        bundle = CA_BUNDLE.read_bytes() if CA_BUNDLE.exists() else b""
        entry = tarfile.TarInfo("ca-bundle.crt")
        entry.size, entry.mode = len(bundle), 0o644
        tar.addfile(entry, io.BytesIO(bundle))
    packed.seek(0)
    return packed


def _build(client: DockerClient, name: str, tag: str, base: str, progress: Progress) -> None:
    progress(f"building the {name} image (about a minute)")
    tail: list[str] = []
    stream = client.api.build(
        fileobj=_context(name),
        custom_context=True,
        tag=tag,
        buildargs={"BASE": base, **build_args()},
        rm=True,
        forcerm=True,
        decode=True,
    )
    for line in stream:
        text = str(line.get("stream", line.get("error", ""))).strip()
        tail = [*tail[-14:], text] if text else tail
        if "error" in line:
            raise LabError(f"the {name} image could not be built", wanted=tag, last="\n".join(tail))
        if text.startswith("Step ") and ("RUN" in text or "FROM" in text):
            progress(f"{name}: {text.splitlines()[0][:100]}")
