"""One noun, one file, and the same word in every room."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from hubspec.baseline import Policies, Sections, load, schema
from hubspec.kind import Kind
from hubspec.kinds import KINDS
from hubspec.model import Resource

ROOT = Path(__file__).parents[2]
CHECKS = {
    ast.literal_eval(node.value): path
    for path in sorted((ROOT / "checks").glob("test_*.py"))
    for node in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "KIND"
}

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@every_kind
def test_it_has_a_module_and_a_case_folder_of_its_name(kind: Kind) -> None:
    assert (ROOT / "hubspec" / "kinds" / f"{kind.name}.py").is_file()
    assert len(list((ROOT / "tests" / "cases" / kind.name).glob("*.yaml"))) >= 5


@every_kind
def test_it_has_a_file_of_checks_for_the_declared_and_the_undeclared(kind: Kind) -> None:
    path = CHECKS[kind.name]
    assert path.stem.removeprefix("test_") in {kind.name, f"{kind.name}s"}
    functions = {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
    assert functions == {"test_declared", *(["test_nothing_undeclared"] if kind.listed else [])}


@every_kind
def test_it_has_a_section_in_a_baseline_and_its_schema(kind: Kind) -> None:
    assert kind.section in Sections.model_fields
    assert kind.section in schema()["properties"]
    assert (kind.name in Policies.model_fields) == kind.listed


@every_kind
def test_the_shipped_baselines_have_its_controls(kind: Kind) -> None:
    for name in ("emr", "lab"):
        baseline = load(ROOT / "baselines" / f"{name}.yaml")
        mine = [control for control in baseline.sections.controls.values() if control.kind == kind.name]
        assert [control.undeclared for control in mine].count(True) == kind.listed
        assert len([control for control in mine if not (control.undeclared or control.smoke or control.fields)]) == 1
        if kind.listed:
            assert getattr(baseline.sections.undeclared, kind.name), "its policy for the undeclared is written out"
    assert baseline.resources[kind.name], "the lab declares some of each"


@every_kind
def test_each_field_says_what_it_is_and_what_demands_it_can_hold(kind: Kind) -> None:
    for name in kind.resource.fields_compared():
        field = kind.resource.model_fields[name]
        assert field.description, name
        assert field.default is None, "what is not stated is not compared"
    assert set(kind.resource.fields_compared()) >= kind.resource.UNORDERED | kind.resource.OPEN


def test_no_folder_is_about_a_kind_that_there_is_not() -> None:
    folders = {path.name for path in (ROOT / "tests" / "cases").iterdir() if any(path.glob("*.yaml"))}
    assert folders - set(KINDS) == {"baseline"}
    assert set(CHECKS) == set(KINDS)
    assert {path.stem for path in (ROOT / "hubspec" / "kinds").glob("*.py")} == {*KINDS, "__init__"}
    assert set(Policies.model_fields) == {kind.name for kind in KINDS.values() if kind.listed}


def test_a_kind_that_lists_everything_calls_the_rest_absent() -> None:
    assert {kind.name for kind in KINDS.values() if not kind.complete} == {"file", "config"}
    assert {kind.name for kind in KINDS.values() if kind.single} == {"cluster", "hub", "proxy"}
    assert all(issubclass(kind.resource, Resource) for kind in KINDS.values())


def test_no_two_test_files_have_one_name() -> None:
    """Because pytest imports them by that name alone, and `pytest tests` then ends before its first test."""
    names = [path.name for path in sorted((ROOT / "tests").rglob("test_*.py"))]
    assert [name for name in dict.fromkeys(names) if names.count(name) > 1] == []
