"""Text of others, such as a step's arguments and its log, with what looks like a secret taken out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

MASK = "***"
IN_URL = "holds a password or a token in a URL; where one is needed, a file or a variable of its own holds it"
"""What is said of a setting with such a value, whoever gave it."""
# A word is taken whole and once, so that no text makes this slow.
_WORD = r"(?=[\w.-]*(?:password|passwd|passphrase|secret|token|signature|(?:api|access|private)[._-]?key))[\w.-]++"
# What begins with $ is a variable, and shows no secret.
_VALUE = r"([\"']?)(?!\$)([^\s\"',;&]+)"
_ASSIGNED = re.compile(rf"(?i)(?<![\w.-])({_WORD}[\"']?\s*[=:]\s*){_VALUE}")
_SAID = re.compile(rf"(?i)(?<![\w.-])({_WORD}(?:[\"']\s*[=:]\s*|=)){_VALUE}")
_FLAG = re.compile(rf"(?i)(?<!\S)(--?{_WORD}\s+)(?!\$)(\S+)")
_HEADER = re.compile(r"(?i)(authorization:\s*\w+\s+)(?!\$)([^\s\"']+)")
_ADDRESS = re.compile(r"(//[^\s:/@]*:)(?!\$)([^\s/@]+)(@)")
_ALONE = re.compile(r"(?i)(https?://)(?!\$)([^\s:/@]+)(@)")
_HINT = re.compile(r"(?i)passw|passphrase|secret|token|signature|key|authorization|//")
_NAMED = re.compile(rf"(?i)^--?{_WORD}$")
_SECRET_NAME = re.compile(rf"(?i)^{_WORD}$")


def masked(text: str) -> str:
    """Return a text in which what is assigned to a word like password, token or secret is `***`."""
    if not _HINT.search(text):
        return text
    text = _HEADER.sub(rf"\1{MASK}", _addresses(text))
    return _FLAG.sub(rf"\1{MASK}", _ASSIGNED.sub(rf"\1\2{MASK}", text))


def secret_in_url(text: str) -> bool:
    """Say whether a text is a URL that holds a password, a token or a signature."""
    return "://" in text and masked(text) != text


def masked_sentence(text: str) -> str:
    """Return the same of a sentence of ours that quotes others: in 'there is no token: set one' nothing is assigned."""
    if not _HINT.search(text):
        return text
    return _SAID.sub(rf"\1\2{MASK}", _HEADER.sub(rf"\1{MASK}", _addresses(text)))


def masked_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the same fields with each text in them masked, as sentences that people wrote."""
    return {name: masked_sentence(value) if isinstance(value, str) else value for name, value in fields.items()}


def masked_value(value: Any, key: str = "") -> Any:
    """Return a value as JSON has it, each text in it masked; one whose key names a secret is `***`, unless it is empty."""
    if isinstance(value, str):
        return MASK if value and key and is_secret(key) else masked(value)
    if isinstance(value, dict):
        return {masked(one): masked_value(inner, one) for one, inner in value.items()}
    if isinstance(value, list):
        if all(isinstance(one, str) for one in value):
            return masked_arguments(value)
        return [masked_value(one, key) for one in value]
    return value


def _addresses(text: str) -> str:
    return _ALONE.sub(rf"\1{MASK}\3", _ADDRESS.sub(rf"\1{MASK}\3", text))


def masked_arguments(arguments: Iterable[str]) -> list[str]:
    """Return an argument list, each masked, and so is the one after an argument such as --password."""
    shown: list[str] = []
    before = ""
    for argument in arguments:
        shown.append(MASK if _NAMED.match(before) else masked(argument))
        before = argument
    return shown


def is_secret(name: str) -> bool:
    """Say whether a property of this name holds a secret, and not the name of a file that does."""
    return _SECRET_NAME.match(name) is not None and not name.endswith(("_file", "-file", ".file"))
