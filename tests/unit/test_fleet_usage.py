"""What a fleet refuses before it looks at anything, each in a sentence; and whom nobody answers."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from hubspec import __main__ as hubspec
from hubspec.cluster import dask_engine
from tests.suite import snapshots


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshots.write(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "which clusters? Give --cluster all"),
        ("--cluster x", "--cluster x: there is no such cluster; known are lab, or an id of EMR"),
        ("--cluster all --snapshot snapshot.json", "--snapshot looks at no cluster: give it or --cluster, not both"),
        ("--cluster all --save-snapshot x", "--save-snapshot is nothing for a fleet: a file holds one cluster"),
        ("--cluster all --ask-sudo-password", "no audit of a fleet has a terminal: HUBSPEC_SUDO_PASSWORD"),
        ("--cluster all --remediate plan.json", "--remediate FILE: a plan is for one cluster"),
        ("--cluster all --engine dask", "--engine: wanted here, tcp://HOST:PORT or tls://HOST:PORT; found 'dask'"),
        ("--cluster all --engine tcp://u:geheim@h:1", "--engine: holds a password or a token in a URL"),
        ("--cluster all --shard 4/3", "--shard: wanted I/N with I from 1 to N, such as 3/8; found '4/3'"),
        ("--cluster all --workers 0", "--workers: wanted a whole number from 1, found 0"),
        ("--cluster all --tries 0", "--tries: wanted a whole number from 1, found 0"),
        ("--cluster all --pace -1", "--pace: wanted clusters a second, from 0; found -1"),
        ("--cluster all --pace nan", "--pace: wanted clusters a second, from 0; found nan"),
        ("--cluster all --audit-deadline 0", "--audit-deadline: wanted a number of seconds above 0, found '0'"),
        ("--cluster all --report htm", "--report: there is no format 'htm'; did you mean 'html'?"),
        ("--cluster all --results ftp://x/", "--results: wanted a folder or s3://BUCKET/PREFIX/"),
        ("--snapshot nowhere.json", "nowhere.json: cannot be read"),
        ("--snapshot snapshot.json --baseline nowhere.yaml", "nowhere.yaml"),
        ("--cluster all --workrs 3", "unrecognized arguments: --workrs"),
    ],
)
def test_wrong_use(words: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = hubspec.main(["fleet", *words.split()])
    except SystemExit as left:
        code = left.code  # type: ignore[assignment] # argparse ends so
    told = capsys.readouterr().err

    assert code == 4
    assert sentence in told
    assert "geheim" not in told
    assert not Path("reports").exists()


def test_a_snapshot_of_the_environment_is_not_audited_for_each_cluster(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUBSPEC_SNAPSHOT", "snapshot.json")

    assert hubspec.main(["fleet", "--cluster", "all"]) == 4
    assert "a fleet takes its snapshots from the command line alone" in capsys.readouterr().err


def test_where_no_scheduler_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(dask_engine, "ANSWER", 0.5)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        port = deaf.getsockname()[1]

        assert hubspec.main(["fleet", "--cluster", "all", "--engine", f"tcp://127.0.0.1:{port}"]) == 11

    assert f"--engine tcp://127.0.0.1:{port}: no scheduler of Dask answers there" in capsys.readouterr().err
