"""Contents that a baseline names by `source`: where they are looked for, what they say, and every fault with its place."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from hubspec import sources
from hubspec.baseline import load
from hubspec.errors import BaselineError
from hubspec.kinds.file import File
from tests.made import CONTROLS

CONTENT = b"c.JupyterHub.port = 9443\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PLACE = "/etc/jupyter/conf/hub.py"


def write(path: Path, **sections: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(sections, sort_keys=False))
    return path


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder with a baseline of controls, and a source in a folder below."""
    write(tmp_path / "below" / "controls.yaml", controls=CONTROLS)
    (tmp_path / "below" / "hub.py").write_bytes(CONTENT)
    (tmp_path / "below" / "folder").mkdir()
    return tmp_path


def declared(house: Path, **fields: Any) -> File:
    path = write(house / "top.yaml", extends="below/controls.yaml", files={PLACE: fields})
    found = load(path).resources["file"][PLACE]
    assert isinstance(found, File)
    return found


def test_a_source_says_the_hash_and_holds_the_content(house: Path) -> None:
    file = declared(house, source="below/hub.py", mode="0644")

    assert file.content() == CONTENT
    assert file.stated() == {"mode": "0644", "sha256": DIGEST}


def test_it_is_looked_for_beside_the_baseline_that_names_it(house: Path) -> None:
    write(house / "below" / "base.yaml", controls=CONTROLS, files={PLACE: {"source": "hub.py"}})
    path = write(house / "other" / "top.yaml", extends="../below/base.yaml", files={PLACE: {"mode": "0600"}})
    found = load(path).resources["file"][PLACE]

    assert found.stated() == {"mode": "0600", "sha256": DIGEST}


def test_the_same_hash_beside_it_is_fine(house: Path) -> None:
    assert declared(house, source="below/hub.py", sha256=DIGEST).content() == CONTENT


def test_without_a_source_there_is_no_content(house: Path) -> None:
    assert declared(house, sha256=DIGEST).content() is None


FAULTS = [
    ({"source": "gone.py"}, "{house}/gone.py cannot be read: there is no such file"),
    ({"source": "below/folder"}, "{house}/below/folder cannot be read: is a folder"),
    ({"source": "below/hub.py", "sha256": "0" * 64}, f"the SHA-256 of {{house}}/below/hub.py is {DIGEST}, and sha256 says another"),
    ({"source": "x\0y"}, "cannot be read"),
    ({"source": "x" * 300}, "cannot be read"),
    ({"source": ""}, "wanted some text"),
    ({"source": 5}, "wanted text"),
    ({"source": "below/hub.py", "ensure": "absent"}, "only a regular file that must be there has a content"),
    ({"source": "below/hub.py", "type": "directory"}, "only a regular file that must be there has a content"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "said"), FAULTS, ids=range(len(FAULTS)))
def test_faults_have_their_place(fields: dict[str, Any], said: str, house: Path) -> None:
    with pytest.raises(BaselineError) as error:
        declared(house, **fields)
    (fault,) = error.value.faults
    assert fault.startswith(f"{house}/top.yaml:")
    assert f"files.{PLACE}" in fault
    assert said.format(house=house) in fault


def test_what_is_too_large_is_refused(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST", len(CONTENT) - 1)
    with pytest.raises(BaselineError, match="it is larger than"):
        declared(house, source="below/hub.py")


def test_it_is_in_no_dump_of_the_baseline(house: Path) -> None:
    file = declared(house, source="below/hub.py")
    assert "9443" not in f"{file!r}{file}{file.model_dump_json()}{file.stated()}"
