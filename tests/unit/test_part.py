from __future__ import annotations

import base64

import pytest

from hubspec.baseline import load
from hubspec.check import smoke_check
from hubspec.errors import AnsweredError, DoorError
from hubspec.model import Detail, Difference, Outcome
from hubspec.part import BrokenError, Part
from hubspec.record import record
from hubspec.report.html import render
from tests.conftest import ROOT
from tests.records import run

ENDS = [
    (None, Outcome.COMPLIANT, "it went well"),
    (BrokenError("it is broken", Difference("server", "ready", "gone")), Outcome.DRIFTED, "it is broken"),
    (AnsweredError("GET x answered 503: busy", 503), Outcome.DRIFTED, "GET x answered 503: busy"),
    (
        KeyError("token"),
        Outcome.DRIFTED,
        "what came back is no answer of a notebook server or a hub (KeyError: 'token')",
    ),
    (DoorError("nobody answers"), Outcome.UNREADABLE, "nobody answers"),
]


@pytest.mark.parametrize(("error", "outcome", "reason"), ENDS)
def test_how_a_part_ends(error: Exception | None, outcome: Outcome, reason: str) -> None:
    def do(part: Part) -> str:
        part.note("did something with token=hunter2")
        if error:
            raise error
        return "it went well"

    part = Part("start", "somewhere").run(do, lambda _since: "the last line")
    check = smoke_check(load(ROOT / "baselines" / "emr.yaml"), "server", "start")
    assert check is not None
    verdict = part.verdict(check, "lab")

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert "hunter2" not in verdict.details[0].text
    assert [one.text for one in verdict.details[1:]] == ([] if part.fine else ["the last line"])
    assert bool(verdict.differences) == (outcome is Outcome.DRIFTED)


def test_any_other_fault_is_no_verdict() -> None:
    def do(_part: Part) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Part("start", "").run(do, str)


def test_a_part_that_was_not_tried_is_no_pass() -> None:
    assert Part("start", "").outcome is Outcome.UNREADABLE


def test_a_picture_stands_in_the_record_and_in_the_page() -> None:
    part = Part("login", "a browser").run(lambda _part: "fine", str)
    part.shown = Detail("what the browser showed", 'A "page" <b>', image=b"\xff\xd8\xff picture")
    check = smoke_check(load(ROOT / "baselines" / "emr.yaml"), "server", "login")
    assert check is not None
    made = record(part.verdict(check, "lab"), run="r", test="t")
    page = render([made], run())

    uri = f"data:image/jpeg;base64,{base64.b64encode(part.shown.image).decode()}"
    assert made.details[-1] == {"title": "what the browser showed", "text": 'A "page" <b>', "image": uri}
    assert f'src="{uri}"' in page
    assert 'alt="A &#34;page&#34; &lt;b&gt;"' in page


def test_every_smoke_test_of_a_server_has_a_control_of_its_own() -> None:
    baseline = load(ROOT / "baselines" / "emr.yaml")
    names = ("start", "api", "contents", "kernels", "stop", "login")
    found = [check.control_id for name in names if (check := smoke_check(baseline, "server", name))]

    assert len(set(found)) == len(names)
