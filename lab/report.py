"""What `python -m lab status` shows, as data and as text."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from lab import containers, engine, house, hub, state
from lab.model import HUB, MASTER


def facts() -> dict[str, Any]:
    """Answer the lab's state: whether it is up, its containers, where its parts answer, what is broken."""
    client = engine.connect()
    if client is None:
        return {"up": False, "engine": False}
    with closing(client), engine.told():
        lab = house.look(client)
        boxes = {name: containers.found(client, name) for name in (MASTER, HUB)}
    if lab is None:
        return {"up": False, "engine": True}
    return {
        "up": True,
        "engine": True,
        "containers": {name: box.status if box else "missing" for name, box in boxes.items()},
        "hub_answers": hub.answers(lab),
        "token_works": hub.token_works(lab),
        "base": lab.base,
        "image": lab.image,
        "jupyterhub": lab.version,
        "baseline": lab.baseline,
        "cluster_id": lab.cluster_id,
        "region": lab.region,
        "hub_url": lab.hub_url,
        "hub_fingerprint": lab.hub_fingerprint,
        "aws_endpoint": lab.aws_env["AWS_ENDPOINT_URL"],
        "ssh_port": lab.ssh_port,
        "state": str(lab.state),
        "label": lab.label,
        "broken": state.broken(),
    }


def text(facts: dict[str, Any]) -> str:
    """Answer the same for a person."""
    if not facts["up"]:
        return "the lab is down" + ("" if facts["engine"] else "; no Docker engine answers") + "; python -m lab up"
    key, port = f"{facts['state']}/id", facts["ssh_port"]
    rows = {
        "cluster": f"{facts['cluster_id']} in {facts['region']}",
        "containers": ", ".join(f"{name} {status}" for name, status in facts["containers"].items()),
        "version": f"JupyterHub {facts['jupyterhub']}, declared in {facts['baseline']}",
        "hub": f"{facts['hub_url']}  ({'answers' if facts['hub_answers'] else 'does not answer'})",
        "certificate": f"sha256 {facts['hub_fingerprint']}",
        "AWS": facts["aws_endpoint"],
        "ssh": f"ssh -p {port} -i {key} -o UserKnownHostsFile={facts['state']}/known_hosts hadoop@127.0.0.1",
        "base image": facts["base"],
        "not mended": ", ".join(facts["broken"]) or "nothing",
    }
    return "\n".join(f"{name:<12} {value}" for name, value in rows.items())
