"""Faults of a baseline, each told in its own sentence with file and line; `tests/cases/baseline/` has them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hubspec.baseline import Sections, load
from hubspec.errors import BaselineError
from hubspec.kinds import KINDS
from tests.made import CONTROLS

CASES = Path(__file__).parent.parent / "cases" / "baseline"
TABLE = {
    f"{path.stem}: {name}": case
    for path in sorted(CASES.glob("*.yaml"))
    for name, case in yaml.safe_load(path.read_text(encoding="utf-8")).items()
}


def write(case: dict[str, Any]) -> Path:
    base = {"accounts": "directory", "controls": CONTROLS}
    Path("base.yaml").write_text(yaml.safe_dump(base), encoding="utf-8")
    for name, text in case.get("with", {}).items():
        Path(name).write_text(text, encoding="utf-8")
    path = Path("b.yaml")
    if "raw" in case:
        path.write_bytes(bytes.fromhex(case["raw"]))
    elif "deep" in case:
        path.write_text("users: " + "[" * case["deep"], encoding="utf-8")
    elif "huge" in case:
        path.write_text(case["huge"].replace("0xF", "0x" + "F" * 5000), encoding="utf-8")
    elif "text" in case:
        path.write_text(case["text"], encoding="utf-8")
    return path


@pytest.mark.parametrize("case", TABLE.values(), ids=TABLE)
def test_fault(case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(BaselineError) as error:
        load(write(case))

    assert error.value.faults == case["faults"]
    assert all("\n" not in fault for fault in error.value.faults)


WORDS = [
    "extends", "users", "packages", "files", "hub_users", "cluster", "containers", "controls", "waivers", "undeclared",
    "accounts", "title", "control", "kind", "fields", "policy", "watch", "ensure", "absent", "uid", "groups", "mode",
    "matches", "version", "tags", "user", "USER-01", "base.yaml", "b.yaml", "name", "<<", "0644", "/etc/x", "until",
]  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=9) | st.sampled_from(WORDS)
)
NESTED = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | SCALARS, inner, max_size=4),
    max_leaves=25,
)
DOCUMENTS = st.dictionaries(st.sampled_from(list(Sections.model_fields)), NESTED, min_size=1, max_size=4)


def loads_or_says_why(path: Path) -> None:
    baseline, faults = None, ["loaded"]
    try:
        baseline = load(path)
    except BaselineError as error:
        faults = error.faults
    assert baseline is None or set(baseline.resources) == set(KINDS)
    assert faults
    assert all(fault and "\n" not in fault for fault in faults), faults


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_any_text_loads_or_is_told_why_not(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "text.yaml"
    path.write_text(text, encoding="utf-8")
    loads_or_says_why(path)


SIGNS = [*":-{}[],&*!|>%@`'?#~\"\n\t", "a", "1", "!!int", "!!set", "&a", "*a", "<<:", "- ", ": "]


@given(st.lists(st.sampled_from([*WORDS, *SIGNS])))
def test_any_row_of_yaml_signs_loads_or_is_told_why_not(
    tmp_path_factory: pytest.TempPathFactory, words: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "signs.yaml"
    path.write_text(" ".join(words), encoding="utf-8")
    loads_or_says_why(path)


@given(NESTED | DOCUMENTS)
def test_any_nested_yaml_loads_or_is_told_why_not(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "base.yaml").write_text(yaml.safe_dump({"controls": CONTROLS}), encoding="utf-8")
    path = folder / "nested.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    loads_or_says_why(path)
