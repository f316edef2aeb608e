"""A compliant snapshot of a small baseline, to be made wrong by a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BASELINE = """
controls:
  USR-01: {kind: user, title: Accounts are as declared, severity: high, why: People log in by them., tags: {nist-800-53: [AC-2]}}
  USR-02: {kind: user, fields: [locked], title: Open or locked, severity: low, why: Who left must be locked.}
  USR-09: {kind: user, undeclared: true, title: Nobody else, severity: critical, why: Any account can log in.}
undeclared:
  user: {policy: report}
users:
  diego: {uid: 1001, shell: /bin/bash, locked: false}
  ana: {uid: 1003}
"""


def user(uid: int, **fields: Any) -> dict[str, Any]:
    """Return a present account of a snapshot."""
    known = {"group": "users", "groups": [], "home": "/home/x", "shell": "/bin/bash", "locked": False}
    return {"present": {"uid": uid, **known, "default_password": None, **fields}}


def write(folder: Path, **changes: Any) -> list[str]:
    """Write baseline and snapshot; `changes` replaces or removes (None) users. Return the options that audit them."""
    users = {"diego": user(1001), "ana": user(1003)} | changes
    reading = {
        "door": "docker",
        "evidence": "docker exec -i jupyterhub sh",
        "started": "2026-01-02T03:04:05+00:00",
        "took": 0.25,
        "seen": {name: seen for name, seen in users.items() if seen},
    }
    document = {"hubspec_snapshot": 1, "cluster": "j-SNAP", "trips": {"docker exec": 1}, "kinds": {"user": reading}}
    (folder / "baseline.yaml").write_text(BASELINE)
    (folder / "snapshot.json").write_text(json.dumps(document))
    return ["--snapshot", str(folder / "snapshot.json"), "--baseline", str(folder / "baseline.yaml")]
