"""Layers of a baseline: mappings join, all else replaces, and every value knows where it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubspec.baseline import load
from hubspec.layers import dotted, read
from tests.made import declare

FILES = {
    "far.yaml": "title: far\nusers:\n  diego:\n    uid: 1\n    groups: [a, b]\n  ana: {}\n",
    "side.yaml": "users:\n  ana:\n    uid: 9\n",
    "near.yaml": "extends: [far.yaml, side.yaml]\ntitle: near\nusers:\n  diego:\n    groups: [c]\n",
}
MERGED = """\
users:
  a: &a
    <<: {shell: /bin/x, uid: 7}
    shell: /bin/sh
  b: *a
  c: {<<: *a, shell: /bin/bash}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_nearer_layers_win() -> None:
    layer = read(Path("near.yaml"))
    assert layer.data == {"title": "near", "users": {"diego": {"uid": 1, "groups": ["c"]}, "ana": {"uid": 9}}}
    assert layer.faults == []


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("where", "place"),
    [
        ((), "near.yaml:1"),
        (("title",), "near.yaml:2"),
        (("users",), "near.yaml:3"),
        (("users", "diego"), "near.yaml:4"),
        (("users", "diego", "uid"), "far.yaml:4"),
        (("users", "diego", "groups", 0), "near.yaml:5"),
        (("users", "ana", "uid"), "side.yaml:3"),
        (("users", "ana", "never", "written"), "side.yaml:2"),
    ],
)
def test_place(where: tuple[str | int, ...], place: str) -> None:
    assert str(read(Path("near.yaml")).place(where)) == place


def test_yaml_merges_and_aliases_are_read_once_each(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(MERGED, encoding="utf-8")
    layer = read(path)
    a = {"shell": "/bin/sh", "uid": 7}
    assert layer.faults == []
    assert layer.data == {"users": {"a": a, "b": a, "c": {"shell": "/bin/bash", "uid": 7}}}


@pytest.mark.parametrize(
    ("where", "text"),
    [((), ""), (("users", "diego"), "users.diego"), (("waivers", 2, "owner"), "waivers[3].owner"), ((0,), "[1]")],
)
def test_dotted(where: tuple[str | int, ...], text: str) -> None:
    assert dotted(where) == text


def test_names_are_told_in_their_one_spelling_with_their_place(tmp_path: Path) -> None:
    baseline = declare(tmp_path, hub_users={"Diego": {}}, packages={"pip:Foo_Bar": "==1", "base/PyYAML": {}})
    assert list(baseline.resources["hub_user"]) == ["diego"]
    assert list(baseline.resources["package"]) == ["pip:foo-bar", "pyyaml"]
    lines = baseline.file.read_text().splitlines()
    assert lines[baseline.place("hub_user", "diego").line - 1] == "  Diego: {}"
    assert lines[baseline.place("package", "pyyaml").line - 1] == "  base/PyYAML: {}"


def test_a_package_may_be_just_its_version(tmp_path: Path) -> None:
    short = declare(tmp_path, packages={"six": ">=1.16"}).resources["package"]
    assert short == declare(tmp_path, packages={"six": {"version": ">=1.16"}}).resources["package"]


@pytest.mark.parametrize("name", ["emr", "lab"])
def test_the_shipped_baselines_load(name: str) -> None:
    baseline = load(Path(__file__).parents[2] / "baselines" / f"{name}.yaml")
    assert baseline.resources["container"]["jupyterhub"].stated()["privileged"] is False
    assert all(control.tags for control in baseline.sections.controls.values()), "each control names its requirement"
