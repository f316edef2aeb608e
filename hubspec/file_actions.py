"""What sets the rights and the content of files in the container. It never follows a symbolic link, and keeps what was there."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from shlex import quote
from typing import Any, Protocol, runtime_checkable

from pydantic import SecretBytes

from hubspec.model import Absent, Action, Drift, Pattern, Resource
from hubspec.shell import Safety, do, refuse

ASIDE = re.compile(r".+\.hubspec-\d{8}T\d{6}Z")
"""The name of what was moved aside: the file's own, and when, in UTC."""
_CONTENT = {"sha256", "contains", "lacks", "type"}
_NAMED = {"owner": ("chown -h", "%U"), "group": ("chgrp -h", "%G")}
_ASIDE = '.hubspec-"$(date -u +%Y%m%dT%H%M%SZ)"'


@runtime_checkable
class _Sourced(Protocol):
    """A file whose content is known here."""

    def content(self) -> bytes | None:
        """Return the declared content, None where the baseline names no source of it."""


def fix(drift: Drift) -> list[Action]:
    """Return what sets owner, group and mode, and the content where the baseline has it; else that is for a person."""
    path, wanted = drift.name, {difference.field: difference.wanted for difference in drift.differences}
    if drift.expected.ensure == "absent":
        return forget(path)
    source = _source(drift.expected)
    if isinstance(drift.observed, Absent):
        return [_create(drift.expected, source)]
    actions = list(_rights(path, wanted))
    if _CONTENT & set(wanted):
        if source is not None and "sha256" in wanted:
            sentence = f"replace the content of {path} by the declared one; the old one is kept beside it"
            actions.append(_put(drift.expected, source, sentence, "unsafe"))
        else:
            sentence = f"compare {path} with the copy that is kept, and put that back"
            actions.append(do(sentence, f"cat {quote(path)}", "manual"))
    return actions


def forget(name: str) -> list[Action]:
    """Return what moves a file out of the way that must not be there."""
    path = quote(name)
    if not name.startswith("/"):  # the probe writes a name that does not show in quotes: it is not the name itself
        return [do(f"look at {name}, then remove it", f"rm -i {path}", "manual")]
    there = f"[ -e {path} ] || [ -L {path} ]"
    sentence = f"move {name} aside, to a name beside it that ends with .hubspec and the time"
    return [do(sentence, f"if {there}; then mv -T -- {path} {path}{_ASIDE}; fi", "unsafe")]


def _source(expected: Resource) -> bytes | None:
    return expected.content() if isinstance(expected, _Sourced) else None


def _rights(path: str, wanted: dict[str, Any]) -> Iterator[Action]:
    """Yield what sets owner, group and mode, in this order: a change of owner takes mode bits away."""
    for field, (command, told) in _NAMED.items():
        value = wanted.get(field)
        if isinstance(value, str):
            check = f'[ "$(stat -c {told} -- {quote(path)})" = {quote(value)} ]'
            yield do(f"set the {field} of {path}", f"{command} -- {quote(value)} {quote(path)} && {check}", "safe")
        elif isinstance(value, Pattern):
            sentence = f"choose the {field} of {path}: it must match {value.matches}"
            yield do(sentence, f"{command} VALUE {quote(path)}", "manual")
    if isinstance(mode := wanted.get("mode"), str):
        link = refuse(f"{path} is a symbolic link, which has no mode of its own")
        # Of five digits the first clears the set-user-ID, set-group-ID and sticky bits of a directory too (GNU chmod).
        command = f"if [ -L {quote(path)} ]; then {link}; fi; chmod -- {int(mode, 8):05o} {quote(path)}"
        yield do(f"set the mode of {path}", command, "safe")


def _create(expected: Resource, source: bytes | None) -> Action:
    stated, path = expected.stated(), quote(expected.name)
    if source is not None:
        return _put(expected, source, f"put {expected.name} in its place", "safe")
    if stated.get("type") == "directory":
        return do(f"make the directory {expected.name}", f"mkdir -p -- {path} && {_given(stated, path)}", "safe")
    sentence = f"put {expected.name} back from where it is kept"
    return Action(sentence=sentence, door="engine", request=f"docker cp FILE jupyterhub:{path}", safety="manual")


def _given(stated: dict[str, Any], path: str) -> str:
    """Return the commands that give a new file the declared rights: 0644 (a directory 0755) and root's where there are none."""
    owner, group = (stated[field] if isinstance(stated.get(field), str) else "root" for field in ("owner", "group"))
    mode = int(stated.get("mode") or ("0755" if stated.get("type") == "directory" else "0644"), 8)
    return f"chown -- {quote(owner)} {path} && chgrp -- {quote(group)} {path} && chmod -- {mode:05o} {path}"


def _put(expected: Resource, source: bytes, sentence: str, safety: Safety) -> Action:
    """Return what writes the content beside its place, checks it, and moves it there in one step.

    A safe one never replaces anything. Any other keeps what was there, by a link, so with its owner and mode.
    """
    sha256, file, new = expected.stated()["sha256"], '"$file"', '"$new"'
    other = refuse(f"{expected.name} is a symbolic link or no regular file: put the content there by hand")
    broken = refuse(f"the content of {expected.name} did not arrive whole: nothing was done")
    move = f"{_given(expected.stated(), new)} && ln -T -- {new} {file}"
    if safety != "safe":
        keep = (
            f"chown --reference={file} -- {new} && chmod --reference={file} -- {new} && ln -T -- {file} {file}{_ASIDE}"
        )
        move = f"if [ -f {file} ]; then {keep} && mv -fT -- {new} {file}; else {move}; fi"
    command = (
        f"file={quote(expected.name)}; same='{sha256}  -'; "
        f"if [ -L {file} ] || {{ [ -e {file} ] && [ ! -f {file} ]; }}; then {other}; fi; "
        f'if [ -f {file} ] && [ "$(sha256sum < {file})" = "$same" ]; then exit 0; fi; '
        f"new=$(mktemp -- {file}.XXXXXX) || exit 1; trap 'rm -f -- {new}' EXIT; "
        f'printf %s "${{payload?}}" | base64 -d > {new}; if [ "$(sha256sum < {new})" != "$same" ]; then {broken}; fi; {move}'
    )
    payload = SecretBytes(b64encode(source))
    return Action(sentence=sentence, door="container", request=command, safety=safety, payload=payload)
