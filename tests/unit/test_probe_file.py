"""The file probe, really run by sh on files with names made to break it."""

from __future__ import annotations

import hashlib
import os
import pwd
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hubspec.compare import compare
from hubspec.kinds.file import KIND, File, UndeclaredFiles
from hubspec.model import Absent, Observation, Present

HOSTILE = [
    "$(touch pwned)", "`touch pwned`", ";touch pwned", "& touch pwned &", "| touch pwned", "> pwned", "'", '"', "''\"\"",
    "'$(touch pwned)'", "back\\slash", "\\n", "%s %n", "*", "?", "[a-z]", "~", "-rf", "--help", "#", "!", "a b  c ",
    " lead", "a:b:c:d:e:f", "$HOME ${PATH}", "é\u202egnp", "<img src=x onerror=alert(1)>", "\u2028", "=", "{a,b}", "x" * 255,
]  # fmt: skip
MISSING = ["gone", "$(touch pwned) gone", "'gone"]
ME = pwd.getpwuid(os.getuid()).pw_name


def run(script: str, cwd: Path) -> str:
    done = subprocess.run(
        ["sh"], input=script.encode(), cwd=cwd, env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.decode("utf-8", "backslashreplace")


@pytest.fixture
def room(tmp_path: Path) -> Path:
    for name in HOSTILE:
        (tmp_path / name).write_text(f"begin\ncontent of {name[:20]}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o640)
    return tmp_path


def read(room: Path, *declared: File, watch: tuple[str, ...] = ()) -> dict[str, Observation]:
    before = sorted(room.iterdir())
    seen = KIND.parse(run(KIND.probe(declared, UndeclaredFiles(policy="report", watch=list(watch))), room))
    assert sorted(room.iterdir()) == before, "the probe changed something"
    return seen


def fields(seen: Observation) -> dict[str, Any]:
    assert isinstance(seen, Present)
    return {name: value for name, value in seen.resource.stated().items() if name not in (seen.unread or {})}


def declared(path: str, name: str) -> File:
    digest = hashlib.sha256(f"begin\ncontent of {name[:20]}\n".encode()).hexdigest()
    return File(
        name=path, type="regular file", mode="0640", owner=ME, sha256=digest,
        contains=["^begin$", "^content"], lacks=["$(touch pwned)", "-e", "^'$"],
    )  # fmt: skip


def test_hostile_names_are_read_as_they_are(room: Path) -> None:
    files = [declared(f"{room}/{name}", name) for name in HOSTILE]
    missing = [File(name=f"{room}/{name}") for name in MISSING]
    seen = read(room, *files, *missing)

    assert set(seen) == {file.name for file in (*files, *missing)}
    assert [file.name for file in missing if seen[file.name] != Absent()] == []
    for file in files:
        one = seen[file.name]
        assert isinstance(one, Present)
        assert one.unread is None
        assert compare("file", file, one) is None


def test_a_wrong_file_differs_in_every_field(room: Path) -> None:
    wrong = File(
        name=f"{room}/*", type="directory", mode="0600", owner="nobody-here", sha256="0" * 64, contains=["^end$"], lacks=["begin"]
    )  # fmt: skip
    drift = compare("file", wrong, read(room, wrong)[wrong.name])  # type: ignore[arg-type]
    assert drift is not None
    assert [one.field for one in drift.differences] == ["type", "mode", "owner", "sha256", "contains", "lacks"]


def test_kinds_and_modes_of_files(tmp_path: Path) -> None:
    (tmp_path / "empty").touch(mode=0o600)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder").chmod(0o1777)
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "zero").touch()
    (tmp_path / "zero").chmod(0)
    expected = {
        "empty": {"type": "regular file", "mode": "0600"},
        "folder": {"type": "directory", "mode": "01777"},
        "dangling": {"type": "symbolic link", "mode": "0777"},
        "zero": {"type": "regular file", "mode": "0000"},
    }
    seen = read(tmp_path, *(File(name=f"{tmp_path}/{name}", type="x", mode="0000") for name in expected))
    found = {name: fields(seen[f"{tmp_path}/{name}"]) for name in expected}
    assert {name: {key: one[key] for key in ("type", "mode")} for name, one in found.items()} == expected


def test_what_cannot_be_searched_is_unread(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    file = File(name=f"{tmp_path}/folder", sha256="0" * 64, contains=["x"], lacks=["y"])
    one = read(tmp_path, file)[file.name]
    assert isinstance(one, Present)
    assert set(one.unread or {}) == {"sha256", "contains", "lacks"}


def test_ten_million_bytes_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 10_000_000 + b"needle\0")
    file = File(name=f"{tmp_path}/long", contains=["needle"], lacks=["other"])
    assert compare("file", file, read(tmp_path, file)[file.name]) is None  # type: ignore[arg-type]


def test_a_watched_folder_shows_every_name_and_no_name_passes_for_another(room: Path) -> None:
    key = f"{room}/server.key"
    Path(key).touch(mode=0o644)
    (room / "server.key\n").touch(mode=0o600)
    (room / "x\nw:600:root:root:regular file:y").touch()
    (room / "tab\t\x1b[31m").touch()
    (room / "folder").mkdir()
    file = File(name=key, mode="0600")
    seen = read(room, file, watch=(str(room), f"{room}/$(touch pwned)", f"{room}/-delete"))

    assert fields(seen[key])["mode"] == "0644"
    names = set(seen) - {f"{room}/{name}" for name in HOSTILE} - {key}
    assert len(names) == 3, names
    assert all("\n" not in name and "\x1b" not in name and name.startswith("'/") for name in names)
    assert {f"{room}/{name}" for name in HOSTILE} <= set(seen)
    assert names <= set(KIND.undeclared({key: file}, seen, UndeclaredFiles(policy="report")))


@pytest.mark.parametrize("declared_none", [(), (File(name="/a", ensure="absent"),)])
def test_nothing_to_read_is_no_fault(declared_none: tuple[File, ...], tmp_path: Path) -> None:
    assert read(tmp_path, *declared_none) == {file.name: Absent() for file in declared_none}
