"""The settings that a configuration file makes: values as JSON has them, what is not known of them, and no secret. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hubspec.masked import MASK, is_secret, masked, masked_value

LARGEST = 1_000_000
"""Characters of a file; a larger one is no configuration."""
UNSORTED = frozenset({
    "admin_groups", "admin_users", "allowed_groups", "allowed_users", "blocked_users", "group_whitelist", "blacklist", "whitelist",
})  # fmt: skip
"""Settings whose list has no order: traits of type Set (JupyterHub 0.8 to 6, `auth.py`)."""
_KEYS = "CryptKeeper.keys"
_GENERAL = frozenset({"key", "value"})
"""Last words that say nothing without the one before."""
_LARGEST_NUMBER = 2**63


@dataclass
class Settings:
    """Name -> value of what is set, name -> why of what is set to something that is not known, name -> line.

    `more`: why there may be others; empty where there are none.
    """

    values: dict[str, Any] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    more: list[str] = field(default_factory=list)


def read_json(text: str) -> Settings:
    """Return the settings of a JSON file: a value inside others is named by its keys, joined by dots.

    Raises ValueError where it is not JSON, or no object.
    """
    try:
        data = json.loads(text)
        if not isinstance(data, dict):
            raise ValueError("it is JSON, and no object")
        found = Settings()
        for name, value in _flat(data, ""):
            found.values[name] = shown(name, value)
    except json.JSONDecodeError as error:
        message = f"line {error.lineno} is not JSON"
        raise ValueError(message) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return found


def _flat(data: Mapping[str, Any], above: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in data.items():
        name = f"{above}{key}"
        found += _flat(value, f"{name}.") if isinstance(value, Mapping) and value else [(name, value)]
    return found


def shown(name: str, value: Any) -> Any:
    """Return a value as JSON has it, `***` in place of a secret; a set is a sorted list. Raises ValueError where it has none."""
    if is_secret_setting(name):
        return MASK if value else ""  # bytes too, which JSON does not have
    return without_secrets(name, in_order(name, _plain(value)))


def in_order(name: str, value: Any) -> Any:
    """Return the list of a setting in which order means nothing sorted, and any other value as it is."""
    if isinstance(value, list) and name.rpartition(".")[2] in UNSORTED and all(isinstance(one, str) for one in value):
        return sorted(set(value))
    return value


def is_secret_setting(name: str) -> bool:
    """Say whether a setting of this name holds a secret itself, and not the name of a file that does."""
    above, _, last = name.rpartition(".")
    if last in _GENERAL:  # fs.s3a.secret.key
        last = f"{above.rpartition('.')[2]}.{last}"
    return name == _KEYS or (is_secret(last) and not last.endswith("_file"))


def without_secrets(name: str, value: Any) -> Any:
    """Return the value with what is, or is assigned to, a secret taken out; what is empty holds none."""
    if is_secret_setting(name) and value:
        return MASK
    if isinstance(value, dict):
        return {masked(key): without_secrets(key, one) for key, one in value.items()}
    if isinstance(value, list):
        return (
            masked_value(value)
            if all(isinstance(one, str) for one in value)
            else [without_secrets("", one) for one in value]
        )
    return masked(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float) and abs(value) < _LARGEST_NUMBER:
        return value
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(one) for one in value), key=lambda one: (type(one).__name__, str(one)))
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    raise ValueError("JSON has no such value")
