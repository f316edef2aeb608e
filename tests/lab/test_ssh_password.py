"""A password for sudo: given in the environment or asked for on the terminal, it goes to sudo and to nothing else."""

from __future__ import annotations

import json
import os
import pty
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import emr
import pytest
import sshd
from sshd import Sshd

from tests.conftest import ROOT, Audit


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Give an SSH server with a user whom sudo asks for a password."""
    with emr.scene() as on, sshd.running(on, tmp_path_factory.mktemp("ssh")) as made:
        yield made


def door(server: Sshd) -> list[str]:
    config = server.config(Port=server.port, HostKeyAlias=f"[127.0.0.1]:{server.port}")
    return ["--cluster", "lab", "--door", "ssh", "--ssh-user", "asks", "--ssh-key", server.key, "--ssh-config", config]


def test_a_password_reaches_no_artefact(server: Sshd, audit: Audit, tmp_path: Path) -> None:
    users = "checks/test_users.py"
    run = audit(*door(server), checks=users, env={"HUBSPEC_SUDO_PASSWORD": sshd.PASSWORD})
    wrong = audit(*door(server), checks=users, env={"HUBSPEC_SUDO_PASSWORD": "c4n4ry"}, into="wrong")

    assert run.code == 0, run.text
    assert wrong.code == 11
    assert "sudo on localhost does not take the password that was given for asks" in wrong.text
    artefacts = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "report.html" for path in artefacts)
    assert [path for path in artefacts if b"c4n4ry" in path.read_bytes()] == []
    assert "c4n4ry" not in run.text + wrong.text + json.dumps(run.records)


def test_it_is_asked_for_on_the_terminal_once_and_not_shown(server: Sshd, tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "pytest",
        "checks/test_users.py",
        "checks/test_packages.py",
        "-p",
        "no:cacheprovider",
    ]
    told, code = typed([*words, *door(server), "--ask-sudo-password", "--reports", str(tmp_path)], sshd.PASSWORD)

    assert code == 0, told
    assert told.count("password of asks for sudo on the master node of") == 1
    assert "c4n4ry" not in told
    assert [path for path in tmp_path.rglob("*") if path.is_file() and b"c4n4ry" in path.read_bytes()] == []


def test_without_a_terminal_the_other_ways_are_named(server: Sshd, audit: Audit) -> None:
    run = audit(*door(server), "--ask-sudo-password", checks="checks/test_users.py")

    assert run.code in {4, 11}
    assert "there is no terminal to ask on; set HUBSPEC_SUDO_PASSWORD, or give --sudo-password-file FILE" in run.text


def typed(words: list[str], password: str) -> tuple[str, int]:
    """Return what a command says on a terminal of its own where the password is typed when it asks, and its exit code."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execv(words[0], words)  # noqa: S606 - the suite itself, on a terminal
    told, until = b"", time.monotonic() + 120
    sent = False
    while time.monotonic() < until:
        try:
            told += os.read(terminal, 65536)
        except OSError:  # the terminal of a process that has ended
            break
        if not sent and b"for sudo on the master node" in told:
            os.write(terminal, f"{password}\n".encode())
            sent = True
    os.close(terminal)
    return told.decode(errors="replace"), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
