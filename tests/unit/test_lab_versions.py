"""The hub versions of the lab: each has its requirements, and a baseline that says the same."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from hubspec.baseline import load
from lab import house
from lab.model import LabError, hub_image
from lab.versions import DEFAULT, VERSIONS, at_least, known

ROOT = Path(__file__).parents[2]
HUBS = ROOT / "lab" / "images" / "hub" / "hubs"


def pins(version: str) -> dict[str, str]:
    text = (HUBS / version / "requirements.txt").read_text()
    return dict(re.findall(r"^([a-z]+)==(\S+)$", text, re.MULTILINE))


@pytest.mark.parametrize("version", VERSIONS)
def test_image_and_baseline_are_of_one_version(version: str) -> None:
    path = ROOT / "baselines" / ("lab.yaml" if version == DEFAULT else f"lab-{version}.yaml")
    declared = load(path).resources
    told = declared["cluster"]["cluster"].stated()
    installed = pins(version)

    assert installed["jupyterhub"] == version
    assert declared["container"]["jupyterhub"].stated()["image"] == hub_image(version)
    assert declared["package"]["pip:jupyterhub"].stated()["version"] == f"=={version}"
    series = declared["package"]["pip:notebook"].stated()["version"]
    assert installed["notebook"].startswith(series.removeprefix("==").removesuffix("*"))
    assert told["release_label"] == VERSIONS[version].release
    assert told["applications"]["JupyterHub"] == VERSIONS[version].applications["JupyterHub"]


def test_there_is_no_image_and_no_baseline_of_another_version() -> None:
    assert {folder.name for folder in HUBS.iterdir()} == set(VERSIONS)
    baselines = {path.stem for path in (ROOT / "baselines").glob("lab-*.yaml")}
    assert baselines == {f"lab-{version}" for version in VERSIONS if version != DEFAULT}


def test_versions_are_told_apart_by_number_and_listed_oldest_first() -> None:
    assert all(at_least(newer, older) and not at_least(older, newer) for older, newer in pairwise(VERSIONS))
    assert at_least("0.10.0", "0.9")
    assert at_least("0.9.0", "0.9")


@pytest.mark.parametrize("version", ["", "1.5", "1.5.00", "9.9.9", "../1.5.0"])
def test_an_unknown_version_is_refused_with_the_list(version: str) -> None:
    with pytest.raises(LabError, match=re.escape(", ".join(VERSIONS))):
        known(version)


def test_an_unknown_version_is_refused_before_an_engine_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.engine, "ensure_engine", pytest.fail)
    with pytest.raises(LabError, match=r"the lab has no hub 9\.9"):
        house.up(pytest.fail, hub="9.9")
