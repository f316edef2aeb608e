"""The script that seals an answer, run by real shells and openssl; and what is made of what it printed, whole or not."""

from __future__ import annotations

import base64
import gzip
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubspec.cluster.seal import AFTER, Seal
from hubspec.errors import DoorError

SHELLS = [name for name in ("sh", "bash", "dash", "busybox") if shutil.which(name)]
HOSTILE = b"a\0b\377\r\n'\"$(id)`id` \303 {{ssm:x}} %s" + bytes(range(256)) * 4000
SEAL = Seal()


def ran(script: str, shell: str = "sh", path: str | None = None) -> str:
    program = shutil.which(shell)
    assert program
    command = [program, "sh"] if shell == "busybox" else [program]
    env = {"PATH": path or os.environ["PATH"]}
    done = subprocess.run(
        [*command, "-s"], input=script, capture_output=True, text=True, env=env, timeout=60, check=False
    )
    assert done.returncode == 0, "an audit leaves no failed step"
    return f"Downloading s3://x\n{done.stdout}\nmore of others\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_both_streams_and_the_status_come_back_as_they_were(shell: str) -> None:
    printed = ran(SEAL.script("exec sh -c 'cat; cat - /no/such >&2; exit 7'", HOSTILE, 20), shell)
    said = SEAL.opened(printed)

    assert said is not None
    assert (said.code, said.out) == (7, HOSTILE)
    assert b"/no/such" in said.err


def test_what_was_printed_tells_nothing() -> None:
    printed = ran(SEAL.script("exec sh -c 'echo c4n4$((3 * 3))ry; echo c4n4$((3 * 3))ry >&2'", b"", 20))
    said = SEAL.opened(printed)

    assert said is not None
    assert said.out == said.err == b"c4n49ry\n"
    body = base64.b64decode(printed.partition("begin .\n")[2].partition(f"\n{SEAL.nonce}")[0])
    assert len(body) > 300
    assert "c4n49ry" not in printed
    assert not any(one in body for one in (b"c4n49ry", gzip.compress(b"x")[:3]))
    with pytest.raises(DoorError, match="was not sealed for us"):
        other(printed)


def other(printed: str) -> None:
    """Open it with another key, in a seal that looks for the same word."""
    stranger = Seal()
    stranger.nonce = SEAL.nonce
    stranger.opened(printed)


def test_what_runs_for_too_long_is_killed_and_its_words_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubspec.cluster.seal.AFTER", 0)
    began = time.monotonic()
    said = SEAL.opened(ran(SEAL.script("exec sh -c 'echo begun; sleep 30'", b"", 1)))

    assert said is not None
    assert (said.code, said.out) == (137, b"begun\n")
    assert said.took >= 1
    assert time.monotonic() - began < 10
    assert AFTER


def test_a_node_without_openssl_is_told_and_nothing_is_run(tmp_path: Path) -> None:
    for tool in ("base64", "gzip", "timeout", "mktemp", "cat", "date", "rm"):
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    mark = tmp_path / "ran"
    printed = ran(SEAL.script(f"exec touch {mark}", b"", 20), path=str(tmp_path))

    with pytest.raises(DoorError, match=r"the master node has no openssl, so its answer cannot be sealed"):
        SEAL.opened(printed)
    assert not mark.exists()


def test_an_openssl_that_fails_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "openssl").write_text("#!/bin/sh\ncat >/dev/null\nexit 1\n")
    (tmp_path / "openssl").chmod(0o755)
    printed = ran(SEAL.script("exec echo here", b"", 20), path=f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(DoorError, match="not sealed for us, or came to harm"):
        SEAL.opened(printed)


def test_nothing_is_left_in_the_folders_for_temporary_files() -> None:
    before = {path for folder in ("/dev/shm", "/tmp") for path in Path(folder).glob("hubspec.*")}
    ran(SEAL.script("exec echo here", b"", 20))
    assert {path for folder in ("/dev/shm", "/tmp") for path in Path(folder).glob("hubspec.*")} <= before


def test_an_answer_in_part_is_none_yet_wherever_it_is_cut() -> None:
    printed = ran(SEAL.script("exec echo here", b"", 20))
    end = printed.index(f"{SEAL.nonce} end .")

    for length in (0, 10, *range(printed.index(f"{SEAL.nonce} begin"), end, 97)):
        assert SEAL.opened(printed[:length]) is None
    assert SEAL.begun(printed[:end])
    assert not SEAL.begun("nothing")


@settings(max_examples=60)
@given(st.text())
def test_any_other_words_between_the_marks_are_an_error_of_ours(words: str) -> None:
    with pytest.raises(DoorError):
        SEAL.opened(f"\n{SEAL.nonce} begin .\n{words}\n{SEAL.nonce} end .\n")
