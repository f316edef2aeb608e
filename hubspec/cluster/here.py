"""`--cluster local`: which cluster this machine is the master node of, by what EMR writes on each of its nodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hubspec.errors import UnknownClusterError

INFO = Path("/mnt/var/lib/info")
"""Where EMR's instance controller writes: job-flow.json and extraInstanceData.json (Management Guide, 'Run commands and
scripts conditionally'; bootstrap actions of others read `region` and `instanceRole` there)."""


def here() -> tuple[str, str | None]:
    """Return the id of the cluster, and its region where the node says it.

    Raises UnknownClusterError where this machine is no node of EMR, or no master node.
    """
    flow, about = _read("job-flow.json"), _read("extraInstanceData.json")
    cluster = flow.get("jobFlowId") or about.get("jobFlowId")
    if not isinstance(cluster, str):
        raise UnknownClusterError(
            f"--cluster local: this machine is no node of an EMR cluster ({INFO / 'job-flow.json'} does not name one);"
            " run it on the master node, or name the cluster: --cluster j-XXX"
        )
    role = str(about.get("instanceRole", "master")).lower()
    if role != "master":
        raise UnknownClusterError(
            f"--cluster local: this machine is a node of {cluster}, but in the role {role}: the hub's container is on its master node"
        )
    region = about.get("region")
    return cluster, region if isinstance(region, str) else None


def _read(name: str) -> dict[str, Any]:
    try:
        told = json.loads((INFO / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
