"""A report that travels arrives as it was; and no parcel puts anything beside its folder."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from hubspec.cluster.parcel import pack, remove, scratch, unpack


def test_a_folder_arrives_as_it_was(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    (here / "allure-results").mkdir(parents=True)
    (here / "records.jsonl").write_bytes(b'{"a": 1}\n')
    (here / "allure-results" / "ä.json").write_bytes(b"\x00\xff" * 9)

    unpack(pack(here), there)

    told = {str(path.relative_to(there)): path.read_bytes() for path in there.rglob("*") if path.is_file()}
    assert told == {"records.jsonl": b'{"a": 1}\n', "allure-results/ä.json": b"\x00\xff" * 9}


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "..", "./../out"])
def test_no_name_leads_out(tmp_path: Path, name: str) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as parcel:
        parcel.writestr(name, "x")
    folder = tmp_path / "deep" / "folder"

    unpack(data.getvalue(), folder)

    assert [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_relative_to(folder)] == []


def test_what_is_no_parcel(tmp_path: Path) -> None:
    with pytest.raises(zipfile.BadZipFile):
        unpack(b"no zip", tmp_path)


def test_a_scratch_folder_is_gone_afterwards() -> None:
    with scratch() as folder:
        (folder / "below").mkdir()
        assert folder.is_dir()
    assert not folder.exists()
    remove(folder)
