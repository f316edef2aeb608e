"""Text of others, such as a step's arguments and its log, with what looks like a secret taken out."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "***"
_WORD = r"[\w.-]*(?:password|passwd|passphrase|secret|token|(?:api|access|private)[._-]?key)[\w.-]*"
_ASSIGNED = re.compile(rf"(?i)\b({_WORD}[\"']?\s*[=:]\s*[\"']?)([^\s\"',;&]+)")
_FLAG = re.compile(rf"(?i)(?<!\S)(--?{_WORD}\s+)(\S+)")
_HEADER = re.compile(r"(?i)(authorization:\s*\w+\s+)([^\s\"']+)")
_ADDRESS = re.compile(r"(://[^\s:/@]+:)([^\s/@]+)(@)")
_NAMED = re.compile(rf"(?i)^--?{_WORD}$")
_SECRET_NAME = re.compile(rf"(?i)^{_WORD}$")


def masked(text: str) -> str:
    """Return a text in which what is assigned to a word like password, token or secret is `***`."""
    text = _HEADER.sub(rf"\1{MASK}", text)
    text = _ADDRESS.sub(rf"\1{MASK}\3", text)
    return _FLAG.sub(rf"\1{MASK}", _ASSIGNED.sub(rf"\1{MASK}", text))


def masked_arguments(arguments: Iterable[str]) -> list[str]:
    """Return an argument list, each masked, and so is the one after an argument such as --password."""
    shown: list[str] = []
    before = ""
    for argument in arguments:
        shown.append(MASK if _NAMED.match(before) else masked(argument))
        before = argument
    return shown


def is_secret(name: str) -> bool:
    """Say whether a property of this name holds a secret."""
    return _SECRET_NAME.match(name) is not None
