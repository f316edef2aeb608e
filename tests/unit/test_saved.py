"""Which tables of the file of settings are for a cluster that was saved: known by what its snapshot holds, and else refused and not guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hubspec.__main__ import parser
from hubspec.arguments import Arguments
from hubspec.cluster.options import PART
from hubspec.errors import HubspecError
from hubspec.kinds import cluster
from hubspec.model import Present, Unreadable
from hubspec.saved import found
from hubspec.snapshot import Reading, Snapshot, read_file, save

UNSEEN = Unreadable("AWS refuses DescribeCluster")


def snapshot(called: str = "", tags: dict[str, str] | Unreadable | None = None, name: str = "j-A") -> Snapshot:
    """Return one that holds a name, and tags or why there are none."""
    seen = {cluster.NAME: Present(cluster.Cluster(name=cluster.NAME, tags=tags))} if isinstance(tags, dict) else UNSEEN
    readings = {"cluster": Reading("snapshot", "", datetime.now(UTC), 0.1, seen)} if tags is not None else {}
    return Snapshot(name, readings, {}, called)


BASELINE = 'baseline = "b.yaml"'
KNOWN = [
    # tables (whom each is for, what it says), the snapshot, the numbers of those that are for it
    ([("j-A", BASELINE)], snapshot(), [1]),
    ([("j-*", BASELINE), ("j-B", BASELINE)], snapshot(), [1]),
    ([("lab", BASELINE)], snapshot(name="lab"), [1]),
    ([("name:x", BASELINE)], snapshot(name="lab"), []),
    ([("name:x", BASELINE)], snapshot(name="ssh://me@h"), []),
    ([("name:staging-*", BASELINE)], snapshot("staging-1"), [1]),
    ([("name:staging-*", BASELINE)], snapshot("production"), []),
    ([("tag:team=m?", BASELINE)], snapshot(tags={"team": "ml"}), [1]),
    ([("tag:team=ml", BASELINE)], snapshot(tags={}), []),
    ([("name:x", 'door = "ssm"')], snapshot(), []),
    ([("name:x", BASELINE), ("j-A", BASELINE)], snapshot(), [2]),
    ([(["name:x", "j-A"], BASELINE)], snapshot(), [1]),
]
UNKNOWN = [
    # the same, and what is lacking
    ([("name:x", BASELINE)], snapshot(), "no name of it: give --baseline"),
    ([("tag:team=ml", BASELINE)], snapshot("staging-1"), "no tag of it: give --baseline"),
    ([("tag:team=ml", BASELINE)], snapshot(tags=UNSEEN), "no tag of it: give --baseline"),
    ([(["tag:team=ml", "name:x"], f'{BASELINE}\nwaivers = "w.yaml"')], snapshot(), "no name and no tag of it: give --baseline and --waivers"),
    ([("j-A", BASELINE), ("name:x", BASELINE)], snapshot(), "no name of it: give --baseline"),
    ([("name:x", 'waivers = "w.yaml"'), ("j-A", BASELINE)], snapshot(), "no name of it: give --waivers"),
]  # fmt: skip


def asked(folder: Path, tables: list[tuple[str | list[str], str]], *words: str) -> Arguments:
    """Return the options of a command with these tables."""
    text = "".join(f"[[clusters]]\nmatch = {match!r}\n{says}\n" for match, says in tables)
    (folder / "nightly.toml").write_text(text)
    config = ["--hubspec-config", str(folder / "nightly.toml")]
    return Arguments(parser().parse_args(["fleet", *config, *words]))


@pytest.mark.parametrize(("tables", "saved", "numbers"), KNOWN)
def test_what_is_known(
    tmp_path: Path, tables: list[tuple[str | list[str], str]], saved: Snapshot, numbers: list[int]
) -> None:
    options = asked(tmp_path, tables)
    one = found(options, options.configured, saved)
    layers = options.configured.layers(one.id, one.called, dict(one.tags))
    assert layers == tuple(options.configured.tables[number - 1].layer for number in numbers)


@pytest.mark.parametrize(("tables", "saved", "words"), UNKNOWN)
def test_what_is_not(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tables: list[tuple[str | list[str], str]],
    saved: Snapshot,
    words: str,
) -> None:
    options = asked(tmp_path, tables)
    with pytest.raises(HubspecError, match=words):
        found(options, options.configured, saved)

    given = asked(tmp_path, tables, "--baseline", "mine.yaml", "--waivers", "mine.yaml")
    assert found(given, given.configured, saved).id == "j-A"
    monkeypatch.setenv(PART, "run-1")
    assert found(options, options.configured, saved).id == "j-A", "the fleet asked before it began"


def test_a_name_is_saved_where_it_was_looked_up(tmp_path: Path) -> None:
    for called in ("", "staging-1"):
        save(snapshot(called), tmp_path / "s.json")
        assert read_file(tmp_path / "s.json").called == called
        assert ("called" in (tmp_path / "s.json").read_text()) == bool(called)
