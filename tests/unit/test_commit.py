"""The commit that a baseline stands in, from real repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hubspec.commit import commits


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    for name in ("clean.yaml", "changed.yaml", ":(top)odd ü.yaml"):
        (folder / name).write_text("a: 1\n")
    (folder / ".gitignore").write_text("ignored.yaml\n")
    git(folder, "--literal-pathspecs", "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    (folder / "changed.yaml").write_text("a: 2\n")
    (folder / "new.yaml").write_text("a: 1\n")
    (folder / "ignored.yaml").write_text("a: 1\n")
    return folder


def test_each_file_has_its_commit_and_says_whether_it_is_as_there(repository: Path, tmp_path: Path) -> None:
    names = {
        "clean.yaml": False,
        "changed.yaml": True,
        "new.yaml": True,
        "ignored.yaml": True,
        ":(top)odd ü.yaml": False,
    }
    outside = tmp_path / "outside.yaml"
    outside.write_text("a: 1\n")
    found = commits([*(repository / name for name in names), outside])

    head = git(repository, "rev-parse", "HEAD")
    assert found.pop(outside) is None
    assert {path.name: commit and (commit.id, commit.dirty) for path, commit in found.items()} == {
        name: (head, dirty) for name, dirty in names.items()
    }


def test_a_repository_is_only_read_and_runs_no_program(repository: Path, tmp_path: Path) -> None:
    git(repository, "config", "core.fsmonitor", f"touch {tmp_path}/ran; false")
    before = (repository / ".git" / "index").read_bytes()
    (repository / "clean.yaml").touch()

    assert commits([repository / "clean.yaml"])[repository / "clean.yaml"] is not None
    assert not (tmp_path / "ran").exists()
    assert (repository / ".git" / "index").read_bytes() == before


def test_a_hook_of_another_repository_does_not_lead_elsewhere(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    found = commits([repository / "clean.yaml"])[repository / "clean.yaml"]
    monkeypatch.delenv("GIT_DIR")

    assert found is not None
    assert found.id == git(repository, "rev-parse", "HEAD")


def test_without_a_commit_or_without_git_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.yaml").write_text("a: 1\n")
    assert commits([tmp_path / "a.yaml"]) == {tmp_path / "a.yaml": None}

    monkeypatch.setenv("PATH", str(tmp_path))
    assert commits([tmp_path / "a.yaml"]) == {tmp_path / "a.yaml": None}


def test_folders_are_dirty_by_what_is_not_ignored(repository: Path) -> None:
    folder = repository / "sub"
    folder.mkdir()
    (folder / "ignored.yaml").write_text("a: 1\n")
    found = commits([folder])[folder]
    assert found is not None
    assert not found.dirty
    (folder / "b.yaml").write_text("a: 1\n")
    found = commits([folder])[folder]
    assert found is not None
    assert found.dirty
