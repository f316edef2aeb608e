"""How far the clock of whoever answered is from this machine's: by the Date of an HTTP answer (RFC 9110, 6.6.1), to a second or two."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from hubspec.errors import ShutError

REFUSED = 240.0
"""Seconds apart from which on it may be the clock why AWS refuses; it allows 5 minutes (Signature Version 4), S3 15."""

CODES = {"RequestTimeTooSkewed", "RequestExpired", "SignatureDoesNotMatch", "AuthFailure"}
WORDS = ("Signature expired", "not yet current")
"""What AWS refuses a request with whose time is not its own (Signature Version 4, troubleshooting; EMR, EC2, S3, STS)."""


def apart(date: str | None, now: datetime | None = None) -> float | None:
    """Return by how many seconds that clock is before this one, negative for behind; None where no time is told."""
    try:
        there = parsedate_to_datetime(date or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return (there.replace(tzinfo=there.tzinfo or UTC) - (now or datetime.now(UTC))).total_seconds()


def refused(code: str, text: str, date: str | None) -> ShutError | None:
    """Return the error of a clock that AWS does not accept, with both times; None where the refusal has another reason.

    `code` and `text` are AWS's, `date` is that of its answer.
    """
    now = datetime.now(UTC)
    seconds = apart(date, now)
    if seconds is None or abs(seconds) < REFUSED or (code not in CODES and not any(one in text for one in WORDS)):
        return None
    there = parsedate_to_datetime(date or "").astimezone(UTC)
    which = "behind" if seconds > 0 else "ahead"
    what = (
        f"the clock of this machine is {round(abs(seconds) / 60)} minutes {which} (here it is {now:%Y-%m-%d %H:%M:%S} UTC, at AWS"
        f" {there:%Y-%m-%d %H:%M:%S} UTC), so AWS accepts no request"
    )
    return ShutError(what, "clock", "set the clock (sudo timedatectl set-ntp true)", f"{code}: {text}")
