"""A list of the hub put together from its pages, so that nothing in it is lost or there twice. Pure but for `ask`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hubspec.errors import AnsweredError, DoorError

READINGS = 3
"""How often a list that is cut down while it is read is read."""
_SHAPES: dict[type, str] = {list: "list", dict: "mapping"}
_OK = 200
Entries = list[Any] | dict[str, Any]


def whole(ask: Callable[[int], Any], what: str, shape: type[Any]) -> Entries:
    """Return all entries: the answer itself (JupyterHub before 2.0), or those of its pages, each asked for by its offset.

    Pages are counted from the front, in the order in which entries were made: one that is made meanwhile comes last,
    and one that is deleted moves those behind it to the front, past the next offset. The total that each page tells
    shows it; then the list is read again. Raises DoorError where it is neither, AnsweredError where it never stands still.
    """
    for _ in range(READINGS):
        entries, stood = _once(ask, what, shape)
        if stood:
            return entries
    message = (
        f"{what} is being cut down while it is read, {READINGS} times in a row: entries may be missing; ask again later"
    )
    raise AnsweredError(message, _OK)


def _once(ask: Callable[[int], Any], what: str, shape: type[Any]) -> tuple[Entries, bool]:
    """Return the entries of one reading, and whether nothing can be missing."""
    named: dict[str, Any] = {}
    offset, most, total = 0, 0, None
    while True:
        page = ask(offset)
        if isinstance(page, shape) and "_pagination" not in page:
            return page, True
        if not isinstance(page, dict) or not isinstance(page.get("items"), shape):
            raise DoorError(f"{what} answered neither a {_SHAPES[shape]} nor a page of one")
        items = page["items"]
        # By name: what moves back, because something was put before it, is told twice.
        named |= items if isinstance(items, dict) else {_name(entry): entry for entry in items}
        about = page.get("_pagination") or {}
        total = about.get("total")
        if isinstance(total, int):
            if total < most:
                return named, False
            most = total
        following = about.get("next")
        if not following or not items:
            break
        if (
            not isinstance(following, dict)
            or not isinstance(following.get("offset"), int)
            or following["offset"] <= offset
        ):
            raise DoorError(f"{what} answered a page whose next one does not come after it")
        offset = following["offset"]
    stood = not isinstance(total, int) or len(named) == total
    return (named if shape is dict else list(named.values())), stood


def _name(entry: Any) -> str:
    return str(entry.get("name") if isinstance(entry, dict) else entry)
