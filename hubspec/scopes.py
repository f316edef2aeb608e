"""The least scopes that a token of the hub needs for an audit with a baseline (JupyterHub 2.0 and later). Pure."""

from __future__ import annotations

from hubspec.baseline import Baseline
from hubspec.kinds import KINDS


def needed(baseline: Baseline) -> dict[str, list[str]]:
    """Return scope -> the sections of the baseline that need it, in the order of the kinds.

    A section needs what its declared fields are told by; one that declares nothing, and ignores what is undeclared, is
    not read. Source of the fact: JupyterHub's `apihandlers`, where each end point names its scopes and each model the
    scopes of its keys (2.0 to 6.1).
    """
    scopes: dict[str, list[str]] = {}
    for kind in KINDS.values():
        declared = baseline.resources[kind.name].values()
        if not declared and baseline.policy(kind.name).policy == "ignore":
            continue
        stated = {field for one in declared if one.ensure == "present" for field in one.stated()}
        for scope in kind.scopes(stated):
            scopes.setdefault(scope, []).append(kind.section)
    return scopes
