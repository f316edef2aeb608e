"""The case files of every kind: what is declared, what the door answers, and what hubspec makes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from hubspec.kinds import KINDS
from hubspec.snapshot import read_file, save
from tests.made import answered, declare, saw, told

CASES = Path(__file__).parent.parent / "cases"
EMPTY = {"observed": {}, "not_asked": [], "differences": {}, "actions": {}, "undeclared": {}}
FILES = [path for kind in KINDS for path in sorted((CASES / kind).glob("*.yaml"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_case(path: Path, tmp_path: Path) -> None:
    kind = KINDS[path.parent.name]
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    declared, answer, policy = case.pop("declared"), case.pop("answer"), case.pop("policy", {})
    other = "containers" if kind.section == "hub_users" else "hub_users"  # a baseline must declare something
    undeclared = {kind.name: {"policy": "report", **policy}} if kind.listed else {}
    baseline = declare(tmp_path, **{kind.section: declared, other: {"somebody": {}}}, undeclared=undeclared)

    if "refused" in case:
        with pytest.raises(ValueError, match=re.escape(case["refused"])) as error:
            told(kind, {}, answer, baseline.policy(kind.name))
        assert str(error.value) == case["refused"]
        return
    assert told(kind, baseline.resources[kind.name], answer, baseline.policy(kind.name)) == EMPTY | case

    seen = kind.parse(answered(kind, answer))
    save(saw(**{kind.name: seen}), tmp_path / "snapshot.json")
    assert read_file(tmp_path / "snapshot.json").readings[kind.name].seen == seen


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_drift_a_missing_one_and_an_undeclared_one(kind: str) -> None:
    cases = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in FILES if path.parent.name == kind]

    assert any(case.get("observed") and not case.get("differences") for case in cases), "none is as declared"
    assert any("ensure" not in fields for case in cases for fields in case.get("differences", {}).values()), "no drift"
    assert any(case.get("undeclared") for case in cases) == KINDS[kind].listed, "nothing undeclared"
    assert all(
        {"declared", "answer"} <= set(case) <= {"declared", "answer", "policy", "refused", *EMPTY} for case in cases
    )
