"""Every command says where its settings come from, by their names alone, as an audit does; what is about another command is no setting of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubspec.__main__ import main, parser
from hubspec.arguments import Arguments
from hubspec.cluster.options import SECRETS
from hubspec.provenance import _BESIDE, OF_DOORS, OPTIONS, of_clusters

FILE = """
results = "place"
report = ["csv"]
metrics = "figures.prom"
container = "hub"
fail-on = "new"
"""
COMMANDS = [
    # the command, the variables, what it says first
    (["history", "list"], {}, "hubspec: settings: results (hubspec.toml)"),
    (["history", "list", "--history", "h"], {}, "hubspec: settings: history (command line); results (hubspec.toml)"),
    (["history", "list"], {"HUBSPEC_HISTORY": "h"}, "hubspec: settings: history (HUBSPEC_HISTORY); results (hubspec.toml)"),
    (["upload", "r", "p"], {"HUBSPEC_RESULTS_DEADLINE": "9"}, "hubspec: settings: results (command line); results-deadline (HUBSPEC_RESULTS_DEADLINE)"),
    (["merge", "r", "-o", "m"], {"HUBSPEC_NOTIFY_URLS": "json://S3cret@127.0.0.1:1"},
     "settings: report, metrics, results (hubspec.toml); notify urls (HUBSPEC_NOTIFY_URLS)"),
    (["merge", "r", "-o", "m"], {"HUBSPEC_HUB_TOKEN": "S3cret"}, "settings: report, metrics, results (hubspec.toml)"),
    (["init", "--snapshot", "none.json"], {"HUBSPEC_HUB_TOKEN": "S3cret"}, "settings: snapshot (command line)"),
    (["init", "--cluster", "j-A", "--cluster", "lab"], {"HUBSPEC_HUB_TOKEN": "S3cret", "HUBSPEC_SUDO": "1"},
     "settings: cluster (command line); container (hubspec.toml); sudo (HUBSPEC_SUDO); hub token (HUBSPEC_HUB_TOKEN)"),
    (["doctor", "--cluster", "lab"], {"HUBSPEC_BASELINE": "none.yaml"},
     "settings: cluster (command line); container (hubspec.toml); baseline (HUBSPEC_BASELINE)"),
]  # fmt: skip


@pytest.mark.parametrize("asked", COMMANDS)
def test_what_is_said_first(
    asked: tuple[list[str], dict[str, str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command, env, first = asked
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hubspec.toml").write_text(FILE)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    main(command)
    text, said = capsys.readouterr()
    assert said.splitlines()[0] == first
    assert "S3cret" not in text + said


def test_clusters_of_the_same_tables_are_told_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hubspec.toml").write_text(
        'door = "ssh"\n[[clusters]]\nmatch = "j-A*"\ndoor = "ssm"\nbaseline = "b.yaml"'
    )
    options = Arguments(parser().parse_args(["doctor", "--baseline", "mine.yaml"]))
    each = [(name, options.configured.layers(name, "", {})) for name in ("j-A1", "j-B", "j-A2", "j-A3", "j-A4")]

    told = of_clusters(((name, options.of(its), its) for name, its in each), OF_DOORS)
    assert told == ["settings of j-A1, j-A2, j-A3 and 1 more: door (hubspec.toml, j-A*)"]
    assert not options.tables, "the options for one cluster are its own"


def test_each_secret_is_told_of() -> None:
    assert set(_BESIDE) == set(SECRETS)
    assert set(_BESIDE.values()) <= set(OPTIONS)
