"""Two clocks: how far they are apart by the Date of an answer, and when that is why AWS refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from hubspec.cluster.apart import apart, refused
from hubspec.cluster.aws import EmrDoor
from hubspec.errors import DoorError
from tests.unit.aws_server import Refusal, serving

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Mon, 23 Nov 2026 10:00:00 GMT", 0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 3600),
        ("Mon, 23 Nov 2026 08:00:00 -0100", -3600),
        ("Monday, 23-Nov-26 10:00:05 GMT", 5),
        ("yesterday", None),
        ("Mon, 99 Nov 99999 10:00:00 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_apart(date: str | None, seconds: float | None) -> None:
    assert apart(date, NOW) == seconds


@pytest.mark.parametrize(
    ("code", "text", "hours", "words"),
    [
        ("InvalidSignatureException", "Signature expired: 20261123T090000Z is now earlier than", 1, "60 minutes behind"),
        ("InvalidSignatureException", "Signature not yet current: 20261123T110000Z is still", -1, "60 minutes ahead"),
        ("SignatureDoesNotMatch", "Signature expired: x", 2, "120 minutes behind"),
        ("RequestTimeTooSkewed", "The difference between the request time and the current time", -2, "120 minutes ahead"),
        ("RequestExpired", "Request has expired.", 1, "60 minutes behind"),
        ("InvalidSignatureException", "Signature expired: x", 0, None),
        ("InvalidSignatureException", "The security token included in the request is invalid", 1, None),
        ("AccessDeniedException", "no", 1, None),
    ],
)  # fmt: skip
def test_whose_clock_it_is(code: str, text: str, hours: int, words: str | None) -> None:
    there = datetime.now(UTC) + timedelta(hours=hours)
    error = refused(code, text, format_datetime(there, usegmt=True))

    assert (error is None) == (words is None)
    if words:
        assert f"the clock of this machine is {words} (here it is " in str(error)
        assert f"at AWS {there:%Y-%m-%d %H:%M:%S} UTC" in str(error)
        assert text in str(error)


def test_an_hour_from_aws() -> None:
    late = Refusal(
        "InvalidSignatureException", "Signature expired: 20261123T090000Z is now earlier than 20261123T095500Z"
    )
    with serving({"DescribeCluster": [late]}, ahead=3600) as (variables, _):
        door = EmrDoor("j-1", settings=variables)
        with pytest.raises(
            DoorError, match=r"this machine is 60 minutes behind \(here it is .*, at AWS .*: set the clock"
        ):
            door.describe()

    assert door.session.apart == pytest.approx(3600, abs=5)
    assert "60 minutes behind" in str(door.errors["DescribeCluster"])
