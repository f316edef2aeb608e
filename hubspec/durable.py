"""What of a thing that was seen is worth demanding from now on, and in which words a baseline says it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from pydantic import ValidationError

from hubspec.compare import compare
from hubspec.kinds import KINDS
from hubspec.masked import MASK, is_secret, masked
from hubspec.model import Present, Resource
from hubspec.record import plain, shown

_CLUSTER = [field for field in KINDS["cluster"].resource.fields_compared() if field != "state"]
FIELDS = {
    "container": ["image", "image_id", "running", "restart_policy", "os", "privileged", "mounts", "ports"],
    "user": ["uid", "group", "groups", "home", "shell", "locked", "default_password"],
    "package": ["version", "pinned"],
    "kernel": ["display_name", "language", "command", "module", "runs"],
    "file": ["type", "mode", "owner", "group", "sha256"],
    "hub": [
        *("version", "authenticator", "spawner", "certificate_names", "certificate_issuer", "certificate_self_signed"),
    ],
    "config": ["settings"],
    "hub_user": ["admin", "groups"],
    "hub_group": ["users"],
    "service": ["admin", "url", "command", "running"],
    "proxy": ["running", "version", "api_needs_token", "unmarked"],
    "cluster": _CLUSTER,
}
"""Kind -> the fields that last. Not a step's: of those only the end and the program do, and its age never does."""
RIGHT: dict[tuple[str, str], Any] = {
    ("container", "privileged"): False,
    ("user", "default_password"): False,
    ("kernel", "runs"): True,
    ("proxy", "running"): True,
    ("proxy", "api_needs_token"): True,
    ("proxy", "unmarked"): {},
    ("cluster", "world_ports"): [],
}
"""What is demanded whatever was found: a way in that stands open is never taken over as how it ought to be."""
HELD = {("hub", "authenticator")}
"""What is only taken over where the extended baseline allows it: a class that lets everybody in is no choice."""
EXPLAINED = {
    ("container", "image_id"): "image_id: another launch may bring another build of the image; then take it out",
}
MOVING = ("*.sqlite*", "*.db", "*.log", "*.pid", "*.lock")
"""Files whose content changes while the hub works."""
KEYS = ("*.key", "*.pem")
SHORT = 100
ANYTHING = {"matches": "(?s).*"}
"""Stands for a text that holds a secret: it must be there, whatever it says."""


def lasting(kind: str, seen: Present, below: Resource | None, container: str) -> list[str]:
    """Return the fields of one thing that a baseline over `below` would state. `container` is the name of the hub's own.

    Of a kind that is not in `FIELDS` these are the ones in which it is not as `below` demands.
    """
    name = seen.resource.name
    if kind not in FIELDS:
        drift = compare(kind, below, seen) if below is not None else None
        found = {one.field.partition(".")[0] for one in drift.differences} if drift else set[str]()
        return [field for field in KINDS[kind].resource.fields_compared() if field in found]
    if kind == "container" and name != container:
        return ["image"]  # of the others nothing else is looked at
    fields = [field for field in FIELDS[kind] if (kind, field) not in HELD or _allowed(field, seen, below)]
    if kind == "package" and getattr(seen.resource, "pinned", None) is None:
        return ["version"]
    if kind == "file" and not _content_lasts(name, getattr(seen.resource, "type", None)):
        return [field for field in fields if field != "sha256"]
    return fields


def _allowed(field: str, seen: Present, below: Resource | None) -> bool:
    known = below is not None and field in below.stated() and field in seen.resource.stated()
    return not known or below is None or below.accepts(field, getattr(seen.resource, field))


def _content_lasts(path: str, type_: str | None) -> bool:
    name = path.rpartition("/")[2]
    secret = is_secret(name) or any(fnmatchcase(name, pattern) for pattern in KEYS)
    return type_ == "regular file" and not secret and not any(fnmatchcase(name, pattern) for pattern in MOVING)


def stated(kind: str, field: str, value: Any, base: Resource | None) -> Any:
    """Return how a baseline over `base` states a value that was seen; what only the base names must not be there."""
    if field == "tags" and kind == "cluster" and value is not None:
        value = {key: one for key, one in value.items() if not key.startswith("aws:")}  # AWS sets those itself
    if field == "encryption" and value is not None:
        value = dict.fromkeys(("s3", "disk", "transit")) | value
    below = getattr(base, field, None)
    if isinstance(below, Mapping) and isinstance(value, Mapping):
        value = dict(value) | dict.fromkeys(key for key in below if key not in value)
    if kind == "config" and isinstance(value, dict):
        return {name: {"set": True} if MASK in str(one) else one for name, one in value.items()}
    # What EMR was launched with is compared with its secrets taken out, on both sides.
    return value if field == "configurations" else _secretless(value)


def _secretless(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _secretless(one, name) for name, one in value.items()}
    holds = isinstance(value, str) and ((key and is_secret(key)) or masked(value) != value)
    return ANYTHING if holds else value


def version(name: str, found: str) -> str:
    """Return what fits exactly this version: conda takes the version itself, pip wants ==."""
    return f"=={found}" if name.rpartition("/")[2].startswith("pip:") else found


def told(value: Any) -> str:
    """Return a value for a comment: short, and without what looks like a secret."""
    text = masked(shown(plain(value)))
    return text if len(text) <= SHORT else f"{text[:SHORT]}..."


def step_name(key: str) -> str:
    """Return the name of a step from that of its observation, NAME (ID)."""
    return key.rpartition(" (")[0]


def without_secret(text: str) -> bool:
    """Say whether nothing in a text looks like a secret."""
    return masked(text) == text


def literal(name: str) -> str:
    """Return the shell pattern that only this name matches."""
    return re.sub(r"([*?[])", r"[\1]", name)


def valid(kind: str, name: str, fields: dict[str, Any], seen: Present) -> tuple[dict[str, Any] | None, list[str]]:
    """Return those of the fields that a baseline can state and that are then as seen, and the names of the others.

    None in place of the fields where a baseline cannot even name the thing.
    """
    model, left, refused = KINDS[kind].resource, dict(fields), list[str]()
    if not sayable(name) or model.canonical(name) != name:
        return None, []
    while True:
        try:
            resource = model.model_validate({"name": name, **left})
        except ValidationError as error:
            wrong = {str(fault["loc"][0]) if fault["loc"] else "" for fault in error.errors()}
            if "name" in wrong or not left:
                return None, []
            wrong = wrong & left.keys() or set(left)
        else:
            wrong = set(_unlike(kind, resource, seen)) & left.keys()
            if not wrong:
                return left, refused
        refused += sorted(wrong)
        left = {field: value for field, value in left.items() if field not in wrong}


def _unlike(kind: str, resource: Resource, seen: Present) -> Iterator[str]:
    drift = compare(kind, resource, seen)
    for difference in drift.differences if drift else ():
        field = difference.field.partition(".")[0]
        if (kind, field) not in RIGHT:
            yield field


def sayable(text: str) -> bool:
    """Say whether a text can stand in a YAML file at all: half a character, which JSON can hold, cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
