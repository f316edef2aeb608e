"""Every shell command that hubspec proposes, really run by sh: names stay single words, and nothing else runs.

What would change the machine is a stub that says what it was given; what only looks, looks at a made-up /etc.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hubspec.compare import compare
from hubspec.kinds import KINDS
from hubspec.model import Absent, Action
from tests.made import present

HOSTILE = [
    "$(id>pwned)", "`id>pwned`", ";id>pwned;", "&id>pwned&", "|id>pwned", ">pwned", "'", '"', "'$(id>pwned)'", "\\", "*",
    "{a,b}", "$HOME", "!x", "#x", "é\u202e", "<b>", "[^x]*", "(x|y)+", "a.b", "%s",
]  # fmt: skip
EVERYTHING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # kind -> what is declared and what is found, of a resource with a hostile name and of its hostile values
    "container": ({"restart_policy": "X", "image": "X"}, {"restart_policy": "no", "image": "other"}),
    "user": (
        {"uid": 1, "group": "X", "groups": ["X", "Xtwo"], "home": "/X", "shell": "X", "locked": True},
        {"uid": 2, "group": "g", "groups": [], "home": "/", "shell": "s", "locked": False},
    ),
    "file": ({"mode": "0600", "owner": "X", "group": "X", "type": "X"}, {"mode": "0644", "owner": "o", "group": "g", "type": "t"}),
}  # fmt: skip
SAID = {
    "container": ["docker", "--restart", "X", "xX"],
    "user": ["useradd", "usermod", "userdel", "groupadd", "1", "X", "X,Xtwo", "/X", "xX"],
    "file": ["chown", "chgrp", "chmod", "X", "/X"],
}
STUBS = [
    "useradd", "usermod", "userdel", "groupadd", "chpasswd", "chown", "chgrp", "chmod", "mv", "cp", "ln", "rm", "docker", "conda", "pip",
]  # fmt: skip


@pytest.fixture
def room(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    for name in STUBS:
        stub = tmp_path / "bin" / name
        where = '"$0"' if name == "pip" else ""  # of pip its own place tells the environment
        stub.write_text(f"#!/bin/sh\nprintf '%s\\0' {name} {where} \"$@\" >> '{tmp_path}/said'\n")
        with stub.open("a") as file:
            file.write("""case "$*" in *--dry-run*) printf '{\\n  "success": true\\n}\\n';; esac\n""")
        stub.chmod(0o755)
    for folder in ("etc", "cwd"):
        (tmp_path / folder).mkdir()
    (tmp_path / "etc" / "group").touch()
    (tmp_path / "conda").mkdir()
    (tmp_path / "conda" / "bin").symlink_to(tmp_path / "bin")
    return tmp_path


def words(action: Action, room: Path, *accounts: str) -> list[str]:
    """Return every word that was handed to something that changes the machine, where these accounts exist."""
    (room / "etc" / "passwd").write_text("".join(f"{name}:x:1500:1500::/home/x:/bin/sh\n" for name in accounts))
    (room / "said").write_bytes(b"")
    script = action.request.replace("/etc/", f"{room}/etc/").replace("/opt/conda", f"{room}/conda")
    env = {"PATH": f"{room}/bin:{os.environ['PATH']}", "HOME": "/nowhere", "LC_ALL": "C"}
    done = subprocess.run(
        ["sh"],
        input=f"(\n{script}\n) </dev/null",
        cwd=room / "cwd",
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "syntax" not in done.stderr.lower(), done.stderr
    assert "not found" not in done.stderr, done.stderr
    assert os.listdir(room / "cwd") == []  # noqa: PTH208 - names, not paths
    return (room / "said").read_text().split("\0")[:-1]


def fill(value: Any, hostile: str) -> Any:
    if isinstance(value, list):
        return [fill(one, hostile) for one in value]
    return value.replace("X", hostile) if isinstance(value, str) else value


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("kind", EVERYTHING)
def test_names_and_values_stay_words(kind: str, hostile: str, room: Path) -> None:
    noun, name = KINDS[kind], f"/{hostile}" if kind == "file" else f"x{hostile}"
    wanted, found = ({field: fill(value, hostile) for field, value in part.items()} for part in EVERYTHING[kind])
    resource = noun.resource(name=name, **wanted)
    drifts = [compare(kind, resource, seen) for seen in (Absent(), present(kind, name, **found))]
    actions = [action for drift in drifts if drift for action in noun.fix(drift)]

    said = [word for action in actions for word in words(action, room)]
    said += [word for action in noun.forget(name) for word in words(action, room, name)]
    assert set(SAID[kind]) <= {word.replace(hostile, "X") for word in said}
    assert set(said) & {"id", "pwned", "a", "b"} == set()


@pytest.mark.parametrize("name", ["x[^:]*", "x.y", "x", "x+", "x$", "(x|y)", "x\\", "^x", "x*", "{2}"])
def test_an_account_is_found_by_its_own_name_only(name: str, room: Path) -> None:
    remove = KINDS["user"].forget(name)[0]

    assert words(remove, room, name) == ["userdel", "--", name]
    assert words(remove, room, "other", "xy", "yx", "xxy", "xx", "y") == []


@pytest.mark.parametrize("hostile", HOSTILE)
def test_undeclared_packages_stay_words(hostile: str, room: Path) -> None:
    (room / "conda" / "envs" / hostile).mkdir(parents=True)
    (room / "conda" / "envs" / hostile / "bin").symlink_to(room / "bin")
    for name, last in (
        (hostile, hostile),
        (f"{hostile}/x", "x"),
        (f"pip:{hostile}", hostile),
        (f"{hostile}/pip:x", "x"),
    ):
        for action in KINDS["package"].forget(name):
            said = words(action, room)
            assert said[-1] == last
            assert any(hostile in word for word in said)
