"""What is the fleet's own can be said on the command line, in the environment and in the file, and what cannot be meant is refused before anything is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubspec.__main__ import main, parser
from hubspec.configured import FLEET
from hubspec.fleet.meant import Frame, Wish, meant
from hubspec.provenance import OPTIONS, settings
from tests.parts import leave, one_of
from tests.suite import snapshots


def test_where_each_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUBSPEC_TRIES", "5")
    (tmp_path / "hubspec.toml").write_text(
        'cluster = "all"\nworkers = 8\ntries = 2\naudit-deadline = 60\nengine = "here"'
    )
    options = Wish(parser().parse_args(["fleet", "--workers", "3"]))

    assert [options.number(option, 1) for option in ("--workers", "--tries")] == [3, 5]
    assert options.audit_deadline == 60
    assert settings(options, (*OPTIONS, *FLEET)) == [
        "settings: cluster, engine, audit-deadline (hubspec.toml); workers (command line); tries (HUBSPEC_TRIES)"
    ]


FORMATS = [
    # on the command line, in the environment, in the file; what the audit of a cluster is told, and what the merged report has
    ([], "", "", ["--report=html,junit"], {"report.html", "junit.xml"}),
    (["--report", "html,allure"], "", "", ["--report=html,allure"], {"report.html", "allure-results"}),
    ([], "csv", "", [], {"records.csv"}),
    ([], "", 'report = ["allure"]', [], {"allure-results"}),
]


@pytest.mark.parametrize(("words", "variable", "file", "told", "files"), FORMATS)
def test_allures_results_are_written_where_they_are_asked_for(  # noqa: PLR0913, PLR0917 - a row of the table
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    variable: str,
    file: str,
    told: list[str],
    files: set[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    snapshots.write(tmp_path)
    monkeypatch.setenv("HUBSPEC_REPORT", variable)
    (tmp_path / "hubspec.toml").write_text(file)
    common = ["--snapshot", "snapshot.json", "--baseline", "baseline.yaml", *words]
    options = Wish(parser().parse_args(["fleet", *common]))
    (job,) = meant(options, Frame("run", tmp_path / "parts", None, remote=False), print).jobs

    for given in (job.options, job.otherwise):
        assert [word for word in given if word.startswith("--report=")] == told
    part = leave(tmp_path / "a", one_of("j-A"))
    assert main(["merge", str(part), "-o", "merged", *words]) == 0
    kept = {"records.jsonl", "chain.jsonl", "manifest.json", "run.json", "clusters"}
    assert {path.name for path in (tmp_path / "merged").iterdir()} - kept == files


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--workers", "0", "--workers: wanted a whole number from 1, found 0"),
        ("--workers", "many", "--workers: wanted a whole number from 1, found many"),
        ("--tries", "-1", "--tries: wanted a whole number from 1, found -1"),
        ("--tries", "9" * 5000, "--tries: wanted a whole number from 1"),
        ("--pace", "fast", "--pace: wanted clusters a second, from 0; found fast"),
        ("--pace", "nan", "--pace: wanted clusters a second, from 0; found nan"),
        ("--pace", "-1", "--pace: wanted clusters a second"),
        ("--shard", "9/8", "--shard: wanted I/N with I from 1 to N"),
        ("--engine", "udp://x", "--engine: "),
    ],
)
def test_what_cannot_be_meant(option: str, value: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", "--cluster", "j-A", f"{option}={value}"]) == 4
    assert sentence in capsys.readouterr().err
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUBSPEC_" + option[2:].upper(), value)
        assert main(["fleet", "--cluster", "j-A"]) == 4
    assert sentence in capsys.readouterr().err
