"""What a marker states, what an own check is called, and what is told of one that does not hold."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hubspec import own
from hubspec.baseline import load
from hubspec.door import Ran
from hubspec.layers import Place
from hubspec.model import Outcome
from hubspec.own_verdict import Heard, Trial
from hubspec.record import record
from tests.conftest import ROOT

WORDS = {"title": "T", "severity": "low", "why": "W"}
BASELINE = load(ROOT / "baselines" / "lab.yaml")


@pytest.mark.parametrize(
    ("args", "words", "fault"),
    [
        ((), WORDS, "wanted the id of the control"),
        ((7,), WORDS, "found 7"),
        (("ORG-01", "low"), WORDS, "found 'ORG-01', 'low'"),
        (("org 1",), WORDS, "'org 1' is no id of a control"),
        (("ORG",), WORDS, "'ORG' is no id of a control"),
        (("ORG-01",), WORDS | {"severty": "low"}, "there is no 'severty'; did you mean 'severity'?"),
        (("ORG-01",), {"title": "T"}, "has no severity and no why"),
        (("ORG-01",), {"tags": {}}, "has no title and no severity and no why"),
        (("ORG-01",), WORDS | {"severity": "urgent"}, "severity: wanted low, medium, high or critical; found 'urgent'"),
        (("ORG-01",), WORDS | {"severity": ["low"]}, "severity: wanted low"),
        (("ORG-01",), WORDS | {"why": " "}, "why: wanted some text; found ' '"),
        (("ORG-01",), WORDS | {"fix": 3}, "fix: wanted some text; found 3"),
        (("ORG-01",), WORDS | {"tags": {"cis": "5.1"}}, "tags: wanted framework -> its requirements"),
        (("ORG-01",), WORDS | {"tags": ["cis"]}, "tags: wanted framework -> its requirements"),
    ],
)
def test_a_marker_that_cannot_be_meant(args: tuple[Any, ...], words: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        own.stated(args, words)
    assert fault in str(caught.value)


def test_every_fault_of_a_marker_is_told() -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        own.stated((), {"title": "", "severity": "x", "colour": "red"})
    assert len(str(caught.value).split("\n")) == 5


@pytest.mark.parametrize(
    ("function", "parameters", "alone", "name"),
    [
        ("test_port", "", True, "port"),
        ("test_port", "8081", True, "8081"),
        ("test_port", "", False, "port"),
        ("test_port", "8081", False, "port[8081]"),
        ("test_", "", True, "test_"),
    ],
)
def test_what_a_check_is_called(function: str, parameters: str, *, alone: bool, name: str) -> None:
    assert own.named(function, parameters, alone=alone) == name


def trial(heard: int = 1, **more: Any) -> Trial:
    said = own.stated(("ORG-01",), WORDS | {"tags": {"cis": ["5.1"]}})
    ran = Ran(3, b"secret=hunter2\n" + b"line\n" * 50, b"\xff")
    commands = [Heard("docker", "sh", f"mysql --password hunter2 {number}", ran) for number in range(heard)]
    check = own.check(said, BASELINE, "a", Place(Path("test_a.py"), 3))
    return Trial(check, BASELINE, "lab", datetime(2026, 1, 1, tzinfo=UTC), 0.5, commands, **more)


def test_one_that_holds_not_tells_what_it_was_seen_by_and_no_secret() -> None:
    verdict = trial(30, fix="chmod 600 /x").holds_not("the token=hunter2 is there\nassert 1 == 2\n +  where")
    made = record(verdict, run="r", test="test_a.py::test_a")

    assert made.outcome is Outcome.DRIFTED
    assert made.differences == [{"field": "assertion", "wanted": "T", "found": "the token=*** is there"}]
    assert made.evidence.endswith("mysql --password *** 19; and 10 more")
    assert made.actions[0]["command"] == "sudo docker exec -it jupyterhub chmod 600 /x"
    assert [detail["title"] for detail in made.details] == [
        f"mysql --password *** {n}: exit code 3" for n in (27, 28, 29)
    ]
    assert made.details[0]["text"].split("\n")[-1] == "\\xff"
    assert len(made.details[0]["text"].split("\n")) == 20
    assert "hunter2" not in made.model_dump_json()
    assert (made.check, made.kind, made.tags, str(made.declared_at)) == ("own", "own", {"cis": ["5.1"]}, "test_a.py:3")


def test_a_fix_on_the_master_node_is_for_there() -> None:
    verdict = trial(fix="systemctl start x", on_master=True).holds_not("no")
    assert record(verdict, run="r", test="t").actions[0]["command"] == "sudo systemctl start x"


def test_an_exit_code_that_testinfra_did_not_expect_is_told_by_its_command() -> None:
    assert (
        trial()
        .unexpected("Unexpected exit code 3")
        .reason.startswith("`mysql --password *** 0` ended with exit code 3: \\xff")
    )
    assert trial(0).unexpected("odd").reason == "odd"
    assert trial().unexpected("odd").outcome is Outcome.UNREADABLE


def test_a_message_of_any_length_fits_a_report() -> None:
    assert len(trial().holds_not("x" * 10**6).reason) < 5000
