"""The shipped JSON schemas: those that the code makes, valid, and as strict as the loader where it matters to an editor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from hubspec.baseline import schema
from hubspec.model import Record
from hubspec.report import jsonl
from tests.made import CONTROLS
from tests.records import many, one_of_each

ROOT = Path(__file__).parents[2]
SCHEMAS = {"baseline": schema(), "record": Record.model_json_schema()}
USER = {"controls": CONTROLS, "users": {"diego": {}}}


def shipped(name: str) -> Any:
    return json.loads((ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_shipped_schema_is_the_one_that_the_code_makes(name: str) -> None:
    hint = f"run: python -m hubspec schema {name} > docs/schemas/{name}.schema.json"
    assert shipped(name) == SCHEMAS[name], hint


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_a_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(shipped(name))
    assert Draft202012Validator(shipped(name)).is_valid("no mapping") is False


@pytest.mark.parametrize("path", sorted((ROOT / "baselines").glob("*.yaml")), ids=lambda path: path.name)
def test_a_shipped_baseline_is_valid(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [
        error.message for error in Draft202012Validator(shipped("baseline")).iter_errors(yaml.safe_load(text))
    ] == []
    first = text.splitlines()[0]
    assert first == "# yaml-language-server: $schema=../docs/schemas/baseline.schema.json"


def test_every_record_is_valid() -> None:
    validator = Draft202012Validator(shipped("record"))
    lines = jsonl.render([*one_of_each(), *many(50)]).splitlines()
    assert [error.message for line in lines for error in validator.iter_errors(json.loads(line))] == []


@pytest.mark.parametrize(
    ("document", "valid"),
    [
        (USER, True),
        ({"packages": {"six": ">=1.16"}}, True),
        ({"packages": {"six": {"version": ">=1.16"}}}, True),
        ({"packages": {"six": 1.16}}, False),
        ({"users": {"diego": {"shel": "/bin/sh"}}}, False),
        ({"users": {"diego": {"uid": "1001"}}}, False),
        ({"users": {"diego": {"shell": {"matches": "x"}}}}, True),
        ({"users": {"diego": {"shell": {"match": "x"}}}}, False),
        ({"files": {"/a": {"mode": "0644"}}}, True),
        ({"files": {"/a": {"mode": 420}}}, False),
        ({"files": {"/a": {"mode": "644"}}}, False),
        ({"user": {}}, False),
        ({"undeclared": {"usr": {"policy": "report"}}}, False),
        ({"undeclared": {"user": {"policy": "delete"}}}, False),
        ({"waivers": {"w": {"control": "A-1"}}}, False),
        ({"cluster": None}, True),
    ],
    ids=range(16),
)
def test_an_editor_would_say_so(document: Any, *, valid: bool) -> None:
    assert Draft202012Validator(shipped("baseline")).is_valid(document) is valid
