"""A pin of conda: the line of conda-meta/pinned that holds a package at its version, whatever else is installed.

Source of fact: conda's manual, 'Preventing packages from updating (pinning)'; conda `core/solve.py`, get_pinned_specs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from shlex import quote
from typing import Any

FILE = "conda-meta/pinned"
"""Where an environment has its pins, below its prefix."""
_EXACT = re.compile(r"[A-Za-z0-9_.+!-]+")
_LINE = re.compile(r"\s*(?P<channel>[^\s#\[]*::)?(?P<name>[A-Za-z0-9_.-]+)(?P<rest>.*)")
# The same reading of a line as `lines` has. What stands for the name already is replaced in its place, once.
_EDIT = (
    '{l = $0; sub(/^[ \\t]+/, "", l); sub(/^[^ \\t#[]*::/, "", l); n = tolower(l); sub(/[^a-z0-9_.-].*/, "", n)} '
    'n != ENVIRON["name"] {print; next} ENVIRON["pin"] != "" && !done {print ENVIRON["pin"]; done = 1} '
    'END {if (ENVIRON["pin"] != "" && !done) print ENVIRON["pin"]}'
)


def exact(version: str) -> str:
    """Return a version of conda in the form that every solver of it takes: a version alone means just that one."""
    return f"=={version}" if _EXACT.fullmatch(version) else version


def wanted(stated: Mapping[str, Any]) -> str | None:
    """Return the version, and the build if any, that a declared package is to be held at; None where at none."""
    pinned = stated.get("pinned")
    if pinned is True:
        return " ".join([exact(stated.get("version") or "*"), *([stated["build"]] if stated.get("build") else [])])
    return pinned or None


def read(lines: Iterable[str]) -> dict[str, str]:
    """Return package -> what it is held at, from the lines of the file; several pins of one package stand side by side."""
    found: dict[str, list[str]] = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match:  # a comment does not
            text = line.strip() if match["channel"] else match["rest"].strip()
            found.setdefault(match["name"].lower(), []).append(text)
    return {name: " and ".join(texts) for name, texts in found.items()}


def write(prefix: str, package: str, pin: str | None) -> str:
    """Return the command that puts the pin of a package into the file, or takes it out; other lines stay as they are."""
    file = f"{prefix}/{FILE}"
    line = f"{package} {pin}" if pin else ""
    edit = f"cp -p {file} {file}.hubspec && name={quote(package)} pin={quote(line)} awk {quote(_EDIT)} {file} >{file}.hubspec"
    edit += f" && mv -f {file}.hubspec {file}"
    return f"touch {file} && {edit}" if pin else f"if [ -e {file} ]; then {edit}; fi"
