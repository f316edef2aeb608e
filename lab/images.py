"""The lab's images, built from `lab/images/` and tagged by what they are built of: the master's, and the hub's of a version."""

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
from lab.model import ROOM, LabError, hub_image
from lab.versions import DEFAULT

if TYPE_CHECKING:
    from docker import DockerClient

CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
HUB_IMAGE = hub_image(DEFAULT)
PASSED_ON = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "NPM_CONFIG_REGISTRY")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def context_hash(name: str, hub: str) -> str:
    """Answer a short hash over an image's context, names and contents; of the hub's image with that version."""
    digest = hashlib.sha256()
    for path in _files(name, hub):
        digest.update(f"{path.relative_to(ROOM)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def ensure_images(client: DockerClient, base: str, hub: str, progress: Progress) -> dict[str, str]:
    """Answer the tags of the images `hub`, with that version, and `master`, built where they are missing, both at once.

    Raises: LabError with the last lines of a build that failed.
    """
    wanted = {name: f"hubspec-lab/{name}:{context_hash(name, hub)}-{_short(base)}" for name in ("hub", "master")}
    missing = [name for name, tag in wanted.items() if not client.images.list(name=tag)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda name: _build(client, name, wanted[name], {"BASE": base, "HUB": hub}, progress), missing))
    client.images.get(wanted["hub"]).tag(*hub_image(hub).split(":"))
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


def _files(name: str, hub: str) -> list[Path]:
    room = ROOM / "images" / name
    others = [folder for folder in (room / "hubs").glob("*") if folder.name != hub]
    return sorted(
        path
        for path in room.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not any(path.is_relative_to(o) for o in others)
    )


def _short(base: str) -> str:
    return base.replace("/", "-").replace(":", "-").removeprefix("hubspec-lab-base-")


def _context(name: str, hub: str) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path in _files(name, hub):
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


def _build(client: DockerClient, name: str, tag: str, wanted: dict[str, str], progress: Progress) -> None:
    what = f"image of hub {wanted['HUB']}" if name == "hub" else f"{name} image"
    progress(f"building the {what} (about a minute)")
    tail: list[str] = []
    stream = client.api.build(
        fileobj=_context(name, wanted["HUB"]),
        custom_context=True,
        tag=tag,
        buildargs={**(wanted if name == "hub" else {"BASE": wanted["BASE"]}), **build_args()},
        rm=True,
        forcerm=True,
        decode=True,
    )
    for line in stream:
        text = str(line.get("stream", line.get("error", ""))).strip()
        tail = [*tail[-14:], text] if text else tail
        if "error" in line:
            raise LabError(f"the {what} could not be built", wanted=tag, last="\n".join(tail))
        if text.startswith("Step ") and ("RUN" in text or "FROM" in text):
            progress(f"{name}: {text.splitlines()[0][:100]}")
