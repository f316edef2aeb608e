"""A held shell on this machine: whatever is said to it or by it, its answers stay apart."""

from __future__ import annotations

import random
import shlex
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubspec.cluster.held import HeldShell, Place
from hubspec.cluster.held_script import Words
from hubspec.cluster.held_session import NotInTimeError, Session
from hubspec.cluster.shells import _beside_here, _here
from hubspec.cluster.wires import Wire
from hubspec.door import Ran
from hubspec.errors import DoorError


@pytest.fixture(scope="module")
def shell() -> Iterator[HeldShell]:
    made = HeldShell(Place("docker", "sh", _here, _beside_here), 10)
    yield made
    made.close()


@settings(deadline=None, max_examples=60)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), code=st.integers(0, 255))
def test_any_text_goes_there_and_comes_back(shell: HeldShell, text: str, code: int) -> None:
    ran = shell.run(f"printf %s {shlex.quote(text)}; printf %s {shlex.quote(text[::-1])} >&2; exit {code}")
    assert ran == Ran(code, text.encode(), text[::-1].encode())


def test_a_command_that_takes_too_long_is_ended_here_too(shell: HeldShell) -> None:
    with pytest.raises(DoorError, match=r"sleep 30; : did not end within 0\.2 s .*was ended with all"):
        shell.run("sleep 30; :", 0.2)
    assert shell.run("echo next").stdout == b"next\n"


class Told:
    """A wire that says what it was given to say, in pieces of any size."""

    def __init__(self, said: dict[int, bytes], cuts: random.Random) -> None:
        self.said, self._cuts = dict(said), cuts

    def send(self, data: bytes) -> None:
        pass

    def receive(self, seconds: float) -> list[tuple[int, bytes]]:  # noqa: ARG002 - it never waits
        left = [number for number, data in self.said.items() if data]
        if not left:
            raise TimeoutError
        number = self._cuts.choice(left)
        size = self._cuts.randint(1, 40)
        piece, self.said[number] = self.said[number][:size], self.said[number][size:]
        return [(number, piece)]

    def close(self) -> None:
        pass


@settings(deadline=None)
@given(
    out=st.binary(),
    err=st.binary(),
    late=st.binary(max_size=5),
    code=st.integers(0, 255),
    cuts=st.randoms(use_true_random=False),
)
def test_marks_are_found_however_the_streams_are_cut(
    out: bytes, err: bytes, late: bytes, code: int, cuts: random.Random
) -> None:
    words = Words()
    ready = words.mark("end", 0) + b".\n"
    wire: Wire = Told({1: b"NOISE" + ready, 2: b"\n" + ready}, cuts)
    session = Session(wire, 1, words)
    end = words.mark("end", 1) + b".\n"
    ran = words.mark("ran", 1) + f"{code} .\n".encode()
    wire.said = {1: out + ran + late + end, 2: err + end}  # type: ignore[attr-defined]

    assert session.run("anything", 1) == Ran(code, out + late, err)
    assert not session.held_open


def test_noise_instead_of_a_launcher_is_told() -> None:
    with pytest.raises(NotInTimeError, match="This account is not available"):
        Session(Told({1: b"This account is not available.\n", 2: b""}, random.Random(1)), 0.1)  # noqa: S311


def test_a_shell_that_ends_at_once_is_told() -> None:
    def ended() -> Wire:
        wire = _here()
        wire.send(b"echo go away >&2; exit 1\n")
        return wire

    with pytest.raises(DoorError, match=r"sh ended at once.*go away"):
        HeldShell(Place("docker", "sh", ended, lambda _script: None), 5).run(":")


def test_the_launcher_is_plain_sh() -> None:
    for shell in ("sh", "bash"):
        done = subprocess.run(
            [shell], input=Words().begin + b"hubspec_run 1 'exit 3'\n", capture_output=True, check=True, timeout=10
        )
        assert b" ran 1 3 .\n" in done.stdout
