"""The scene of a failure: what, where, wanted, found, and the next step."""

from __future__ import annotations

import pytest

from hubspec.model import Outcome
from hubspec.report.text import scene
from tests.records import HOSTILE, drifted, one_of_each, record

SCENE = """\
numpy is 1.24.0, and 1.26.4 is declared.
  cluster   research
  control   PKG-01 (high): Every declared package is installed at its declared version
  declared  baselines/research.yaml:12
  version
    wanted  1.26.4
    found   1.24.0
  seen by   conda list --json --prefix /opt/conda (door docker, 2026-03-04 05:06:07 UTC)
  next      Install numpy 1.26.4 with conda. (safe)
            sudo docker exec -it jupyterhub conda install --yes --prefix /opt/conda 'numpy==1.26.4'"""


def test_scene_of_a_drift() -> None:
    assert scene(drifted()) == SCENE


def test_scene_of_what_could_not_be_seen_concludes_nothing() -> None:
    text = scene(record(outcome=Outcome.UNREADABLE, before=None, message="no door"))
    assert text.startswith("no door\n")
    assert text.endswith(
        "\n  nothing is concluded and no fix is planned: what could not be looked at is not called absent"
    )


@pytest.mark.parametrize("made", one_of_each(), ids=lambda made: made.outcome.value)
def test_every_outcome_has_a_scene(made: object) -> None:
    assert made.message in scene(made)  # type: ignore[attr-defined,arg-type]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_observed_moves_the_cursor_or_makes_a_line(text: str) -> None:
    action = {"sentence": text, "door": "hub", "request": text, "command": text, "safety": "safe", "result": None}
    made = drifted(
        message=text, cluster=text, title=text, declared_at=text, evidence=text, door=text, actions=[action],
        differences=[{"field": text, "wanted": text, "found": [text]}],
    )  # fmt: skip
    lines = scene(made).split("\n")
    assert len(lines) == len(scene(drifted()).split("\n"))
    assert all(line.isprintable() for line in lines)


def test_a_next_step_is_shown_as_it_can_be_pasted() -> None:
    action = {"sentence": "s", "door": "container", "request": "x", "command": "sudo x", "safety": "safe"}
    assert scene(drifted(actions=[action])).endswith("\n  next      s (safe)\n            sudo x")
