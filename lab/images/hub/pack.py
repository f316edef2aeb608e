"""Repack real wheels as real conda packages and index them as a channel: `pack.py WHEELS CHANNEL`.

The packages are for one platform and one Python, with site-packages paths written out, so an environment needs
no python record. Names, versions, licences and files are the wheels' own; the one dependency stated here is in DEPENDS.
"""

from __future__ import annotations

import asyncio
import email.parser
import hashlib
import io
import json
import os
import platform
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from rattler import index

DEPENDS = {"keras": ["six"]}
BUILD = f"py{sys.version_info.major}{sys.version_info.minor}_0"
SUBDIR = "linux-aarch64" if platform.machine() == "aarch64" else "linux-64"
SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


def files_of(wheel: zipfile.ZipFile) -> dict[str, bytes]:
    """Say which files the package puts into an environment, by path below its prefix.

    Raises: SystemExit where the wheel brings compiled files or a data folder, which this repacking does not do.
    Source of fact: PEP 427 (wheel layout), PEP 376 (INSTALLER).
    """
    files: dict[str, bytes] = {}
    for name in wheel.namelist():
        if name.endswith(("/", "/RECORD")):
            continue
        if name.endswith(".so") or ".data/" in name:
            sys.exit(f"{wheel.filename}: {name} cannot be repacked: only pure-python wheels are")
        files[f"{SITE}/{name}"] = wheel.read(name)
        if name.endswith(".dist-info/METADATA"):
            files[f"{SITE}/{name.removesuffix('METADATA')}INSTALLER"] = b"conda\n"
    return files


def described(files: dict[str, bytes]) -> dict[str, Any]:
    """Answer the package's index.json, read from its METADATA. Source: conda's package specification."""
    text = next(body for path, body in files.items() if path.endswith(".dist-info/METADATA"))
    meta = email.parser.BytesParser().parsebytes(text, headersonly=True)
    name = meta["Name"].lower()
    return {
        "name": name,
        "version": meta["Version"],
        "build": BUILD,
        "build_number": 0,
        "depends": DEPENDS.get(name, []),
        "license": meta["License"] or "see METADATA",
        "subdir": SUBDIR,
        "arch": SUBDIR.split("-")[1].replace("64", "x86_64") if SUBDIR == "linux-64" else "aarch64",
        "platform": "linux",
    }


def packed(wheel_file: Path, channel: Path) -> Path:
    """Write one wheel as a conda package into the channel; answer where it is."""
    with zipfile.ZipFile(wheel_file) as wheel:
        files = files_of(wheel)
    facts = described(files)
    paths = [
        {
            "_path": path,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(body).hexdigest(),
            "size_in_bytes": len(body),
        }
        for path, body in sorted(files.items())
    ]
    info = {
        "info/index.json": json.dumps(facts, indent=2),
        "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}, indent=2),
        "info/files": "\n".join(sorted(files)) + "\n",
        "info/about.json": json.dumps({"summary": f"{wheel_file.name}, repacked by the hubspec lab"}),
    }
    target = channel / SUBDIR / f"{facts['name']}-{facts['version']}-{BUILD}.tar.bz2"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(target, "w:bz2") as tar:
        for path, body in {**{k: v.encode() for k, v in info.items()}, **files}.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(body), 0o644
            tar.addfile(entry, io.BytesIO(body))
    return target


def main(wheels: str, channel: str) -> None:
    """Repack every wheel of a folder and write the channel's repodata."""
    for wheel in sorted(Path(wheels).glob("*.whl")):
        print(packed(wheel, Path(channel)))
    (Path(channel) / "noarch").mkdir(exist_ok=True)
    asyncio.run(index.index_fs(Path(channel)))
    sys.stdout.flush()
    # Rattler's threads may outlive the call, and crash an interpreter that tidies up below them.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:3])
