"""A pin is written into the file as conda reads it, once, and no other line is touched; run by sh and awk, twice."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.pins import FILE, read, write
from tests.unit.test_fix_package import action

OTHERS = "# what the hub needs\njupyterhub 1.5.*\n\nkeras-tuner ==1.0\n  numpy=1.7  # agreed\n"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    (tmp_path / "conda-meta").mkdir()
    return tmp_path


def run(command: str) -> tuple[int, str]:
    done = subprocess.run(["sh"], input=command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "keras 2.12.*\n"),
        ("", "keras 2.12.*\n"),
        ("six", "six\nkeras 2.12.*\n"),
        (OTHERS, OTHERS + "keras 2.12.*\n"),
        ("keras\n" + OTHERS, "keras 2.12.*\n" + OTHERS),
        ("a 1\n Keras=2.11\nb 2\nconda-forge::keras 1.0\nkeras[version='1']\n", "a 1\nkeras 2.12.*\nb 2\n"),
        ("keras 2.12.*\n", "keras 2.12.*\n"),
    ],
)
def test_the_line_of_a_package_is_written_once(prefix: Path, before: str | None, after: str) -> None:
    file = prefix / FILE
    if before is not None:
        file.write_text(before)
        file.chmod(0o640)
    for _ in range(2):
        assert run(write(str(prefix), "keras", "2.12.*")) == (0, "")
        assert file.read_text() == after
    assert before is None or file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["pinned"]


def test_it_is_taken_away(prefix: Path) -> None:
    file = prefix / FILE
    for before, after in ((None, None), (OTHERS, OTHERS), (f"keras 1\n{OTHERS}keras=2", OTHERS)):
        if before is not None:
            file.write_text(before)
        assert run(write(str(prefix), "keras", None)) == (0, "")
        assert (file.read_text() if file.exists() else None) == after


def test_where_there_is_no_environment_it_fails_and_leaves_nothing(tmp_path: Path) -> None:
    code, said = run(write(str(tmp_path), "keras", "1"))

    assert code != 0
    assert "pinned" in said
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_as_it_was(prefix: Path) -> None:
    (prefix / FILE).write_text(OTHERS)
    (prefix / f"{FILE}.hubspec").mkdir()
    (prefix / f"{FILE}.hubspec" / "pinned").mkdir()

    assert run(write(str(prefix), "keras", "1"))[0] != 0
    assert (prefix / FILE).read_text() == OTHERS


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20), max_size=6))
def test_any_file_keeps_its_other_lines(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    prefix = tmp_path_factory.mktemp("p")
    (prefix / "conda-meta").mkdir()
    (prefix / FILE).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    before = read(lines)
    assert run(write(str(prefix), "keras", "2.12.*")) == (0, "")
    now = (prefix / FILE).read_text(encoding="utf-8").removesuffix("\n").split("\n")

    assert read(now) == before | {"keras": "2.12.*"}
    assert [line for line in lines if "keras" not in line.lower()] == [x for x in now if "keras" not in x.lower()]


def test_only_a_pin_that_differs_is_put_right() -> None:
    one = action("keras", found="2.12.0", version="2.12.*", pinned=True)

    assert (one.safety, one.sentence) == ("safe", "pin keras at 2.12.* in the environment base")
    assert action("jupyterhub", found="1.5.0", pinned="1.5.*").safety == "safe", "it changes nothing of the hub"
