"""Makes baselines, snapshots and answers for the tests, so that a test states only what it is about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from hubspec.baseline import Baseline, load
from hubspec.compare import compare
from hubspec.kind import Kind, Undeclared
from hubspec.kinds import KINDS
from hubspec.model import Absent, Action, Present, Unreadable
from hubspec.record import plain
from hubspec.snapshot import Reading, Snapshot

WHEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
CONTROLS = {
    f"{kind.upper().replace('_', '-')}-{number}": {
        "kind": kind, "title": "t", "why": "w", "severity": "low", "undeclared": undeclared,
    }
    for kind in KINDS
    for number, undeclared in (("01", False), ("09", True))
}  # fmt: skip
"""KIND-01 is about every declared resource of a kind, KIND-09 about the undeclared."""


def declare(folder: Path, **sections: Any) -> Baseline:
    """Return the baseline of these sections, loaded from a file; every kind has its controls."""
    path = folder / "baseline.yaml"
    document = {"accounts": "directory", **sections, "controls": CONTROLS | sections.get("controls", {})}
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return load(path)


def saw(cluster: str = "lab", /, **seen: Any) -> Snapshot:
    """Return a snapshot of these kinds: observations, Unreadable or NotApplicable."""
    readings = {kind: Reading("docker", "docker exec", WHEN, 0.25, one) for kind, one in seen.items()}
    return Snapshot(cluster, readings, {"docker exec": 1})


def present(kind: str, name: str, unread: dict[str, str] | None = None, **fields: Any) -> Present:
    """Return what was seen of a resource, as a parser makes it."""
    return Present(KINDS[kind].resource.model_construct({"name", *fields}, name=name, **fields), unread)


def answered(kind: Kind, answer: str) -> Any:
    """Return a door's answer as the kind's parser takes it; `{"unreadable": REASON}` stands for a call that was refused."""

    def refused(value: dict[str, Any]) -> Any:
        return Unreadable(value["unreadable"]) if set(value) == {"unreadable"} else value

    return answer if kind.door == "container" else json.loads(answer, object_hook=refused)


def told(kind: Kind, declared: Mapping[str, Any], answer: str, policy: Undeclared) -> dict[str, Any]:
    """Return what hubspec makes of a door's answer, in the words of a case file."""
    seen = kind.parse(answered(kind, answer))
    found = {name: kind.look_up(resource, seen) for name, resource in declared.items()}
    drifts = {
        name: {
            label: drift
            for label, one in labels.items()
            if isinstance(one, Present | Absent) and (drift := compare(kind.name, declared[name], one))
        }
        for name, labels in found.items()
    }
    return {
        "observed": {name: _shape(one) for name, one in seen.items()},
        "not_asked": [name for name, labels in found.items() if not labels],
        "differences": {
            name: {
                f"{one.field} of {label}" if label else one.field: [plain(one.wanted), plain(one.found)]
                for label, drift in mine.items()
                for one in drift.differences
            }
            for name, mine in drifts.items()
            if mine
        },
        "actions": {
            name: _steps([action for drift in mine.values() for action in kind.fix(drift)])
            for name, mine in drifts.items()
            if mine
        },
        "undeclared": {name: _steps(kind.forget(name)) for name in kind.undeclared(declared, seen, policy)},
    }


def _shape(seen: Any) -> Any:
    if isinstance(seen, Present):
        return plain(seen.resource.stated()) | dict.fromkeys(seen.unread or {}, "unread")
    return "absent" if isinstance(seen, Absent) else asdict(seen)


def _steps(actions: list[Action]) -> list[dict[str, str]]:
    """Return the requests by their safety; one of several lines says in its first what it does."""
    return [{action.safety: action.request.partition("\n")[0]} for action in actions]
