"""How a requirement stands, from the outcomes of the records that speak about it."""

from __future__ import annotations

import pytest

from hubspec.framework import Standing, counted, coverage
from hubspec.model import Framework, Outcome, Requirement
from tests.records import record

MAP = Framework(
    id="ours",
    title="Our policy",
    requirements={
        "A-10": Requirement(title="Ten", controls=["PKG-01"]),
        "A-2": Requirement(title="Two", why="because", controls=["PKG-01", "USR-01"]),
        "A-3": Requirement(title="Nobody looks"),
    },
)


@pytest.mark.parametrize(
    ("outcomes", "standing"),
    [
        ("compliant", Standing.COVERED),
        ("fixed", Standing.COVERED),
        ("compliant drifted", Standing.FAILED),
        ("unreadable drifted waived", Standing.FAILED),
        ("unreadable compliant waived", Standing.UNREADABLE),
        ("waived compliant", Standing.WAIVED),
        ("not-applicable compliant", Standing.COVERED),
        ("not-applicable", Standing.NOT_COVERED),
        ("", Standing.NOT_COVERED),
    ],
)
def test_standing(outcomes: str, standing: Standing) -> None:
    made = [record(outcome=Outcome(name.replace("-", " ")), tags={"ours": ["A-2"]}) for name in outcomes.split()]
    two = next(point for point in coverage(made, [MAP]) if point.requirement == "A-2")
    assert two.standing is standing
    assert two.outcomes.total() == len(made)
    assert (two.title, two.why, two.mapped) == ("Two", "because", ("PKG-01", "USR-01"))
    assert two.controls == ({"PKG-01"} if made else set())


def test_order_and_requirements_that_only_a_tag_names() -> None:
    made = [record(tags={"zeta": ["1"], "ours": ["A-2", "B-1"]}, control="OWN-1")]
    points = [
        (point.framework, point.requirement, point.title, point.standing.value) for point in coverage(made, [MAP])
    ]
    assert points == [
        ("ours", "A-2", "Two", "covered"),
        ("ours", "A-3", "Nobody looks", "not covered"),
        ("ours", "A-10", "Ten", "not covered"),
        ("ours", "B-1", "", "covered"),
        ("zeta", "1", "", "covered"),
    ]


def test_ids_sort_as_people_count() -> None:
    ids = ["AC-12", "AC-2(3)", "AC-2", "AC-2(10)", "5.10", "5.9"]
    assert sorted(ids[:4], key=counted) == ["AC-2", "AC-2(3)", "AC-2(10)", "AC-12"]
    assert sorted(ids[4:6], key=counted) == ["5.9", "5.10"]
