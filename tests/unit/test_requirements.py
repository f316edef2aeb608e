"""Framework files: the shipped ones name what there is, and a wrong one is told with its line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hubspec.__main__ import main
from hubspec.baseline import load
from hubspec.errors import BaselineError
from tests.conftest import ROOT

SHIPPED = sorted((ROOT / "frameworks").glob("*.yaml"))
FORM = {
    # NIST SP 800-53 r5, 2.2: a family of two letters, a number, an enhancement in brackets. The families are its 20.
    "nist-800-53": r"(AC|AT|AU|CA|CM|CP|IA|IR|MA|MP|PE|PL|PM|PS|PT|RA|SA|SC|SI|SR)-[1-9]\d?(\([1-9]\d?\))?",
    "cis-docker": r"[1-7]\.[1-9]\d?(\.[1-9]\d?)?",
    "soc2": r"(CC[1-9]|A1|C1|PI1|P[1-8])\.[1-9]",
}
EMR = load(ROOT / "baselines" / "emr.yaml")


@pytest.mark.parametrize("framework", EMR.frameworks, ids=lambda one: one.id)
def test_a_shipped_map_names_controls_that_there_are_and_ids_of_the_right_form(framework: object) -> None:
    for id_, about in framework.requirements.items():  # type: ignore[attr-defined]
        assert re.fullmatch(FORM[framework.id], id_), id_  # type: ignore[attr-defined]
        assert set(about.controls) <= set(EMR.sections.controls), id_
        assert len(set(about.controls)) == len(about.controls), id_
        assert bool(about.why) == bool(about.controls), f"{id_}: in what way, where a control speaks about it"
    assert framework.version  # type: ignore[attr-defined]
    assert framework.source.startswith("https://")  # type: ignore[attr-defined]


def test_every_shipped_map_is_used_and_gives_each_control_its_requirements() -> None:
    assert [one.id for one in EMR.frameworks] == ["nist-800-53", "cis-docker", "soc2"]
    assert len(SHIPPED) == len(EMR.frameworks)
    assert EMR.sections.controls["CTR-03"].tags == {
        "nist-800-53": ["AC-6", "CM-7"], "cis-docker": ["5.5"], "soc2": ["CC6.3"],
    }  # fmt: skip
    assert [id_ for id_, control in EMR.sections.controls.items() if not control.tags.get("nist-800-53")] == []


def made(folder: Path, framework: str, **more: str) -> Path:
    (folder / "ours.yaml").write_text(framework)
    path = folder / "baseline.yaml"
    listed = more.get("listed", "[ours.yaml]")
    path.write_text(
        f"frameworks: {listed}\n"
        "controls:\n"
        "  OWN-1: {kind: user, title: t, severity: low, why: w, tags: {ours: [A-9], else: [x]}}\n"
        "users: {ana: {}}\n"
    )
    return path


OURS = "id: ours\ntitle: Ours\nrequirements:\n  A-1: {title: One, controls: [OWN-1, GONE-1]}\n  A-2: {title: Two}\n"


def test_tags_of_a_control_and_of_the_maps_are_joined(tmp_path: Path) -> None:
    baseline = load(made(tmp_path, OURS))
    assert baseline.sections.controls["OWN-1"].tags == {"ours": ["A-9", "A-1"], "else": ["x"]}


def test_a_layer_above_keeps_the_frameworks_of_the_layer_below(tmp_path: Path) -> None:
    made(tmp_path, OURS)
    (tmp_path / "sub").mkdir()
    above = tmp_path / "sub" / "above.yaml"
    above.write_text("extends: ../baseline.yaml\ntitle: above\n")
    assert [one.id for one in load(above).frameworks] == ["ours"]
    above.write_text("extends: ../baseline.yaml\nframeworks: []\n")
    assert load(above).frameworks == ()


@pytest.mark.parametrize(
    ("framework", "listed", "told"),
    [
        ("id: ours\n", "[ours.yaml]", "ours.yaml:1: : 'title' is missing"),
        (OURS + "requirement: {}\n", "[ours.yaml]", "ours.yaml:6: requirement: unknown key 'requirement'; did you mean 'requirements'?"),
        (OURS.replace("A-2: {title: Two}", "5.10: {title: Ten}"), "[ours.yaml]", "a key must be text, found '5.10'; write it in quotes"),
        (OURS, "[ours.yaml, ours.yaml]", "frameworks[2]: the framework ours is there already"),
        (OURS, "[gone.yaml]", "frameworks[1]: "),
        ("", "[ours.yaml]", "ours.yaml:1: is empty"),
    ],
)  # fmt: skip
def test_a_wrong_framework_is_a_fault_of_the_baseline(tmp_path: Path, framework: str, listed: str, told: str) -> None:
    with pytest.raises(BaselineError, match=re.escape(told)):
        load(made(tmp_path, framework, listed=listed))


def test_the_command_prints_what_is_mapped_and_what_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frameworks", str(made(tmp_path, OURS))]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ours: Ours",
        "  1 of 2 requirements are spoken about by controls",
        "  A-1  One: OWN-1 (not in this baseline: GONE-1)",
        "  A-2  Two: not covered",
        "controls without a requirement: none",
    ]
    assert main(["frameworks", str(tmp_path / "no.yaml")]) == 4


def test_who_reads_no_further_is_no_fault() -> None:
    end, start = os.pipe()
    os.close(end)
    command = [sys.executable, "-m", "hubspec", "frameworks", "baselines/emr.yaml"]
    with os.fdopen(start, "wb") as pipe:
        done = subprocess.run(command, cwd=ROOT, stdout=pipe, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (141, b"")
