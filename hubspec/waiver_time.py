"""When a waiver counts, in UTC: a day from its midnight to the next one, a time to the second."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hubspec.model import Waiver

SOON = timedelta(days=14)
"""A waiver that ends within this time is told of."""
_DAY = len("YYYY-MM-DD")


def begins(waiver: Waiver) -> datetime:
    """Return the moment from which it counts. Raises ValueError where it names no moment."""
    return _moment(waiver.since) if waiver.since else datetime.min.replace(tzinfo=UTC)


def ends(waiver: Waiver) -> datetime:
    """Return the moment at which it counts no more: after its last day. Raises ValueError where it names no moment."""
    return end_of(waiver.until)


def end_of(until: str) -> datetime:
    """Return the moment at which a last day, or a time, is over. Raises ValueError where it is no moment."""
    moment = _moment(until)
    try:
        return moment + timedelta(days=1) if len(until) == _DAY else moment
    except OverflowError:  # 9999-12-31
        return datetime.max.replace(tzinfo=UTC)


def counts(waiver: Waiver, now: datetime) -> bool:
    """Say whether it counts at this moment."""
    return begins(waiver) <= now < ends(waiver)


def odd(waiver: Waiver) -> Iterator[tuple[str, str]]:
    """Yield the field and a sentence for each thing about its times that cannot be meant."""
    for field, text in (("from", waiver.since), ("until", waiver.until)):
        try:
            _ = text and _moment(text)
        except ValueError as error:
            yield field, f"{text} is no {'day' if len(str(text)) == _DAY else 'time'} ({error})"
            return
    if begins(waiver) >= ends(waiver):
        yield "until", f"{waiver.until} is before {waiver.since}, from which it counts: it never would"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
