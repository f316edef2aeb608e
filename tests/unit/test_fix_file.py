"""What a fix of a file does, really done by sh on files with names made to break it; each request twice."""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hubspec.compare import compare
from hubspec.kind import Undeclared
from hubspec.kinds.file import KIND, File, UndeclaredFiles
from hubspec.model import Absent, Action, Observation, Present
from tests.unit.test_probe_file import HOSTILE

ME, MY_GROUP = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
OLD, NEW = b"old\n", b"new \x00\xff content, and no last line break"
ASIDE = re.compile(r"\.hubspec-\d{8}T\d{6}Z$")
NAMES = [name for name in HOSTILE if len(name) < 200]


def sh(script: str, cwd: Path, payload: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    given = b"" if payload is None else b"payload='" + payload + b"'\n"
    env = {"LC_ALL": "C", "PATH": os.environ["PATH"]}
    script_ = given + f"(\n{script}\n) </dev/null\n".encode()
    return subprocess.run(["sh"], input=script_, cwd=cwd, env=env, capture_output=True, timeout=60, check=False)


def carry_out(action: Action, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return sh(action.request, cwd, None if action.payload is None else action.payload.get_secret_value())


def look(file: File, cwd: Path) -> Observation:
    done = sh(KIND.probe([file], Undeclared(policy="ignore")), cwd)
    assert done.returncode == 0, done.stderr
    return KIND.parse(done.stdout.decode())[file.name]


def fixes(file: File, cwd: Path) -> list[Action]:
    seen = look(file, cwd)
    assert isinstance(seen, Absent) or hasattr(seen, "resource")
    drift = compare("file", file, seen)  # type: ignore[arg-type]
    return KIND.fix(drift) if drift else []


def listing(cwd: Path) -> dict[str, Any]:
    def told(path: Path) -> Any:
        about = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
        return about.st_mode, about.st_uid, about.st_mtime_ns, about.st_ino, content

    return {path.name: told(path) for path in cwd.iterdir()}


def put_right(file: File, cwd: Path) -> list[str]:
    """Carry out every action, then every one again, which changes nothing; return what kinds of action they were."""
    actions = fixes(file, cwd)
    for action in actions:
        done = carry_out(action, cwd)
        assert (done.returncode, done.stderr) == (0, b""), action.sentence
    assert fixes(file, cwd) == []
    before = listing(cwd)
    for action in actions:
        again = carry_out(action, cwd)
        assert (again.returncode, again.stderr) == (0, b""), action.sentence
    assert listing(cwd) == before, "the second run changed something"
    return [action.safety for action in actions]


def declared(path: Path | str, content: bytes = NEW, **fields: Any) -> File:
    return File(name=str(path), sha256=hashlib.sha256(content).hexdigest(), **fields).holding(content)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_put_in_its_place(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    assert put_right(declared(path, mode="0640", owner=ME, group=MY_GROUP), tmp_path) == ["safe"]

    assert path.read_bytes() == NEW
    assert [one.name for one in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_another_content_is_replaced_and_kept(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(OLD)
    path.chmod(0o604)
    assert put_right(declared(path), tmp_path) == ["unsafe"]

    assert path.read_bytes() == NEW
    assert path.stat().st_mode & 0o7777 == 0o604, "its mode is kept"
    (kept,) = [one for one in tmp_path.iterdir() if one != path]
    assert ASIDE.sub("", kept.name) == name
    assert (kept.read_bytes(), kept.stat().st_mode & 0o7777) == (OLD, 0o604)


@pytest.mark.parametrize("name", NAMES)
def test_what_must_not_be_there_is_moved_aside(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(OLD)
    assert put_right(File(name=f"{tmp_path}/{name}", ensure="absent"), tmp_path) == ["unsafe"]

    (kept,) = tmp_path.iterdir()
    assert ASIDE.sub("", kept.name) == name
    assert kept.read_bytes() == OLD


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("kind", "found", "wanted"), [
    ("file", 0o777, "0600"), ("file", 0o4755, "0755"), ("folder", 0o2755, "0755"), ("folder", 0o755, "01777"),
])  # fmt: skip
def test_rights(kind: str, found: int, wanted: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.mkdir() if kind == "folder" else path.touch()
    path.chmod(found)
    assert put_right(File(name=str(path), mode=wanted, owner=ME, group=MY_GROUP), tmp_path) == ["safe"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("name", NAMES)
def test_owner_and_group_of_a_link_are_its_own(name: str, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "outside" / "target").touch()
    link = inside / name
    link.symlink_to("../outside/target")
    assert put_right(File(name=str(link), owner="daemon", group="daemon"), inside) == ["safe", "safe"]

    assert (tmp_path / "outside" / "target").stat().st_uid == 0
    assert link.lstat().st_uid == pwd.getpwnam("daemon").pw_uid


def test_an_empty_file(tmp_path: Path) -> None:
    assert put_right(declared(tmp_path / "empty", b""), tmp_path) == ["safe"]


def test_a_folder_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b c"
    assert put_right(File(name=str(folder), type="directory", mode="0750", owner=ME, group=MY_GROUP), tmp_path) == [
        "safe"
    ]


@pytest.mark.parametrize("what", ["link", "dangling link", "folder", "fifo"])
@pytest.mark.parametrize("safety", ["safe", "unsafe"])
def test_only_a_regular_file_is_replaced(what: str, safety: str, tmp_path: Path) -> None:
    path, target = tmp_path / "file", tmp_path / "target"
    file = declared(path)
    absent, present = KIND.fix(compare("file", file, Absent())), KIND.fix(compare("file", file, _other(file)))  # type: ignore[arg-type]
    (action,) = absent if safety == "safe" else present
    assert action.safety == safety
    if what == "fifo":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    else:
        path.symlink_to(target)
        if what == "link":
            target.write_bytes(OLD)
    before = listing(tmp_path)
    done = carry_out(action, tmp_path)

    assert done.returncode == 1
    assert b"is a symbolic link or no regular file: put the content there by hand" in done.stderr
    assert listing(tmp_path) == before


def _other(file: File) -> Observation:
    return Present(File.model_construct({"name"}, name=file.name, sha256="0" * 64))


def test_a_safe_one_replaces_nothing(tmp_path: Path) -> None:
    file = declared(tmp_path / "file")
    (action,) = fixes(file, tmp_path)
    (tmp_path / "file").write_bytes(OLD)
    before = listing(tmp_path)
    done = carry_out(action, tmp_path)

    assert done.returncode == 1
    assert b"File exists" in done.stderr
    assert listing(tmp_path) == before


@pytest.mark.parametrize("payload", [None, b"", b"bm90IHRoaXM="])
def test_a_content_that_does_not_arrive_leaves_all_as_it_was(payload: bytes | None, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(OLD)
    (action,) = fixes(declared(tmp_path / "file"), tmp_path)
    before = listing(tmp_path)
    done = sh(action.request, tmp_path, payload)

    assert done.returncode == 1
    assert b"did not arrive whole: nothing was done" in done.stderr
    assert listing(tmp_path) == before


def test_a_mode_is_never_set_through_a_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.touch(0o600)
    (tmp_path / "link").symlink_to(target)
    (action,) = fixes(File(name=f"{tmp_path}/link", mode="0644"), tmp_path)

    assert sh(action.request, tmp_path).returncode == 1
    assert target.stat().st_mode & 0o777 == 0o600


def test_the_content_is_in_no_dump_of_it(tmp_path: Path) -> None:
    file = declared(tmp_path / "file", b"canary")
    (action,) = fixes(file, tmp_path)
    shown = f"{action!r} {action} {action.model_dump()} {action.model_dump_json()} {file!r} {file.model_dump_json()}"

    assert "canary" not in shown
    assert "Y2FuYXJ5" not in shown


def test_what_was_moved_aside_is_not_undeclared(tmp_path: Path) -> None:
    for name in ("a.hubspec-20260304T050607Z", "b.hubspec-2026", "c"):
        (tmp_path / name).touch()
    policy = UndeclaredFiles(policy="remove", watch=[str(tmp_path)])
    seen = KIND.parse(sh(KIND.probe([], policy), tmp_path).stdout.decode())

    assert set(KIND.undeclared({}, seen, policy)) == {f"{tmp_path}/b.hubspec-2026", f"{tmp_path}/c"}


def test_a_name_that_does_not_show_is_for_a_person() -> None:
    assert [action.safety for action in KIND.forget("'/etc/a'$'\\n''b'")] == ["manual"]
