"""What an EMR cluster was launched with, from the answers of the EMR API (2009-03-31). Pure.

Source of fact: EMR API Reference, Configuration and Command; EMR Management Guide, 'Create a security configuration'.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from hubspec.masked import MASK, is_secret, masked


def configurations(entries: Iterable[Mapping[str, Any]], above: str = "") -> dict[str, dict[str, Any]]:
    """Return classification -> property -> value, without secrets; one inside another is named hadoop-env/export.

    Raises LookupError, TypeError or AttributeError on anything but a list of Configuration.
    """
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        name = f"{above}{entry['Classification']}"
        properties = (entry.get("Properties") or {}).items()
        found.setdefault(name, {}).update({key: without_secret(key, value) for key, value in properties})
        for inner, more in configurations(entry.get("Configurations") or (), f"{name}/").items():
            found.setdefault(inner, {}).update(more)
    return found


def without_secret(key: str, value: Any) -> Any:
    """Return a property's value; `***` instead of a secret, which its name or an assignment inside it tells."""
    if not isinstance(value, str):
        return value
    return MASK if is_secret(key) else masked(value)


def bootstrap_actions(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return name -> path of the script, in the order in which they ran; a second one of a name is NAME (2)."""
    found: dict[str, str] = {}
    for entry in entries:
        name, number = entry["Name"], 1
        while name in found:
            number += 1
            name = f"{entry['Name']} ({number})"
        found[name] = entry["ScriptPath"]
    return found


def encryption(text: str) -> dict[str, str]:
    """Return what the JSON of a security configuration encrypts, and how: s3, disk and transit, where it is switched on.

    Raises ValueError where it is not JSON; AttributeError where it is, and of another shape.
    """
    about = json.loads(text).get("EncryptionConfiguration") or {}
    found: dict[str, str] = {}
    # Only true is on: "false" in quotes would be on for Python.
    if about.get("EnableAtRestEncryption") is True:
        rest = about.get("AtRestEncryptionConfiguration") or {}
        for key, part, word in (
            ("s3", "S3EncryptionConfiguration", "EncryptionMode"),
            ("disk", "LocalDiskEncryptionConfiguration", "EncryptionKeyProviderType"),
        ):
            if rest.get(part):
                found[key] = rest[part].get(word) or "enabled"
    if about.get("EnableInTransitEncryption") is True:
        certificate = (about.get("InTransitEncryptionConfiguration") or {}).get("TLSCertificateConfiguration") or {}
        found["transit"] = certificate.get("CertificateProviderType") or "enabled"
    return found
