"""The program for the master node, run by real shells with a docker of a test's own; and its answer, whatever stands around it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from hubspec.cluster.ssh_faults import engine, login
from hubspec.cluster.ssh_script import Remote, Rights, carrying, looking

DOCKER = """#!/bin/sh
case "$1 $2" in
  "inspect --type") case $PWD in *gone) echo '[]'; echo "Error: No such object: $4" >&2; exit 1;; esac; echo '[{"a": 1}]' ;;
  "ps -a") echo "one image:1"; echo "args $*" >&2 ;;
  "exec -i") shift 5; "$@"; exit ;;
esac
"""
SUDO = """#!/bin/sh
[ "$1" = -n ] && { echo 'sudo: a password is required' >&2; exit 1; }
shift 4
IFS= read -r line
[ "$line" = "$(cat "$HOME/password")" ] || { echo 'sudo: 1 incorrect password attempt' >&2; exit 1; }
"$@"
"""
SHELLS = [name for name in ("sh", "bash", "dash", "busybox") if shutil.which(name)]


def ran(remote: Remote, then: bytes, folder: Path, shell: str = "sh") -> subprocess.CompletedProcess[bytes]:
    command = remote.command.replace("exec sh ", f"exec {shell} {'sh ' if shell == 'busybox' else ''}")
    for name, body in (("docker", DOCKER), ("sudo", SUDO)):
        path = folder / name
        path.write_text(body)
        path.chmod(0o755)
    env = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.run(
        ["sh", "-c", command], input=remote.text + then, capture_output=True, env=env, cwd=folder, timeout=30, check=False
    )  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_behind_the_program_reaches_the_container_whole(tmp_path: Path, shell: str) -> None:
    remote = looking("a b'c", Rights("never"), others=True, label="k=v w", limit=60)
    done = ran(remote, b": " + b"x" * 200_000 + b"\necho end\n", tmp_path, shell)

    assert remote.how(done.stdout) == "plain"
    assert remote.part(done.stdout, "inspect") == (b'[{"a": 1}]\n', 0)
    assert remote.part(done.stdout, "others") == (b"one image:1\n", 0)
    assert b"--filter label=k=v w --format {{.Names}} {{.Image}}" in done.stderr
    assert remote.part(done.stdout, "run") == (b"end\n", 0)


@pytest.mark.parametrize("shell", SHELLS)
def test_the_password_reaches_sudo_and_nothing_else(tmp_path: Path, shell: str) -> None:
    word = "a 'b' $(c) \\d"
    (tmp_path / "password").write_text(word)
    remote = carrying("box", Rights("always", SecretStr(word)), "cat")
    done = ran(remote, b"first\nsecond", tmp_path, shell)

    assert remote.how(done.stdout) == "password"
    assert remote.part(done.stdout, "run") == (b"first\nsecond", 0)
    assert word not in repr(remote)
    assert word.encode() not in done.stdout + done.stderr


def test_a_program_that_arrives_in_part_does_nothing(tmp_path: Path) -> None:
    remote = looking("box", Rights("never"), others=True, label=None, limit=60)
    for length in (0, 1, 40, len(remote.text) // 2, len(remote.text) - 12):
        cut = subprocess.run(
            ["sh", "-c", remote.command], input=remote.text[:length], capture_output=True, timeout=30, check=False, cwd=tmp_path
        )  # fmt: skip
        assert cut.stdout == b""


@given(before=st.binary(), body=st.binary(), after=st.binary(), status=st.integers(0, 255))
def test_a_part_is_found_whatever_stands_around_and_in_it(
    before: bytes, body: bytes, after: bytes, status: int
) -> None:
    remote = carrying("box", Rights(), "sh")
    mark = remote.nonce.encode()
    raw = before + b"\n" + mark + b" begin run .\n" + body + b"\n" + mark + b" end run %d .\n" % status + after

    assert remote.part(raw, "run") == (body, status)
    for length in range(0, len(raw) - len(after), 7):
        assert remote.part(raw[:length], "run") is None


@given(st.text())
def test_any_words_of_others_become_a_sentence(said: str) -> None:
    about = {"host": "h", "port": "22", "user": "u", "keys": "k"}
    assert str(login(said, 255, about))
    assert str(engine(said, "look into c", host="h", user="u"))


def test_an_absent_container_is_told_from_a_refusal(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    remote = looking("box", Rights("never"), others=True, label=None, limit=60)
    done = ran(remote, b"echo never", gone)

    assert remote.part(done.stdout, "inspect") == (b"[]\n", 1)
    assert remote.part(done.stdout, "others") == (b"one image:1\n", 0)
    assert not remote.begun(done.stdout, "run")
