"""Text in which nothing hides: for a terminal it cannot move the cursor, in a page it cannot turn what stands beside it."""

from __future__ import annotations

BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {chr(code) for code in range(0xFE00, 0xFE10)}
"""Characters that count as printable and show as nothing."""


def printable(text: object) -> str:
    """Return a text in which each character that would not show, or would move others, is an escape."""
    raw = str(text)
    return "".join(escaped(c) if hidden(c) else c for c in raw) if hidden(raw) else raw


def printable_lines(text: str) -> str:
    """Return a text of several lines, each printable."""
    return "\n".join(map(printable, text.split("\n"))) if hidden(text) else text


def hidden(text: str) -> bool:
    """Say whether any character of the text would not show, or would move others."""
    # BLANK holds nothing of ASCII, and most text of a report is that: 100,000 times in a report of 3,500 checks.
    return not text.isprintable() or not (text.isascii() or BLANK.isdisjoint(text))


def escaped(character: str) -> str:
    """Return one character as Python would escape it."""
    return character.encode("unicode_escape").decode("ascii")
