"""Every shell command that hubspec proposes, handed to a real sh: names stay single words, and nothing else runs."""

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
    "{a,b}", "$HOME", "!x", "#x", "é\u202e", "<b>",
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
    "container": ["--restart", "X", "xX"],
    "user": ["useradd", "usermod", "userdel", "1", "X", "X,Xtwo", "/X", "xX"],
    "file": ["chown", "chgrp", "chmod", "0600", "X", "/X"],
}


def words(action: Action, cwd: Path) -> list[str]:
    script = f"say() {{ printf '%s\\0' \"$@\"; }}\nsay {action.request}\n"
    done = subprocess.run(["sh"], input=script, cwd=cwd, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert os.listdir(cwd) == []  # noqa: PTH208 - names, not paths
    return done.stdout.split("\0")[:-1]


def fill(value: Any, hostile: str) -> Any:
    if isinstance(value, list):
        return [fill(one, hostile) for one in value]
    return value.replace("X", hostile) if isinstance(value, str) else value


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("kind", EVERYTHING)
def test_names_and_values_stay_words(kind: str, hostile: str, tmp_path: Path) -> None:
    noun, name = KINDS[kind], f"/{hostile}" if kind == "file" else f"x{hostile}"
    wanted, found = ({field: fill(value, hostile) for field, value in part.items()} for part in EVERYTHING[kind])
    resource = noun.resource(name=name, **wanted)
    drifts = [compare(kind, resource, seen) for seen in (Absent(), present(kind, name, **found))]
    actions = [action for drift in drifts if drift for action in noun.fix(drift)] + noun.forget(name)

    said = [word for action in actions for word in words(action, tmp_path)]
    assert set(SAID[kind]) <= {word.replace(hostile, "X") for word in said}
    assert len([word for word in said if word.endswith(name)]) >= len(actions)
    assert set(said) & {"id", "pwned", "a", "b"} == set()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_undeclared_packages_stay_words(hostile: str, tmp_path: Path) -> None:
    for name, last in (
        (hostile, hostile),
        (f"{hostile}/x", "x"),
        (f"pip:{hostile}", hostile),
        (f"{hostile}/pip:x", "x"),
    ):
        for action in KINDS["package"].forget(name):
            said = words(action, tmp_path)
            assert said[-1] == last
            assert any(hostile in word for word in said)
