"""The real proxy: its token stays in the container, and a route past the hub is taken away by the audit that saw it."""

from __future__ import annotations

from pathlib import Path

import docker
import pytest

import lab
from lab import breaks, inside
from lab.model import HUB
from tests.conftest import Audit

_TOKEN = r"""tr '\0' '\n' < /proc/$(pgrep -of '^node .*/configurable-http-proxy ')/environ | sed -n 's/^CONFIGPROXY_AUTH_TOKEN=//p'"""
BASELINE = """
extends: {lab}
undeclared:
  proxy: {{policy: remove}}
"""


@pytest.fixture
def token() -> str:
    lab.up(print)
    client = docker.from_env()
    try:
        found = inside.must(client, HUB, _TOKEN).strip()
    finally:
        client.close()
    assert len(found) > 20
    return found


def test_a_route_past_the_hub_is_removed_and_the_token_is_in_no_artefact(
    audit: Audit, token: str, tmp_path: Path
) -> None:
    root = Path(__file__).parents[2]
    here = lab.up(print)
    name = "lab.yaml" if here.version == "1.5.0" else f"lab-{here.version}.yaml"
    (tmp_path / "mine.yaml").write_text(BASELINE.format(lab=root / "baselines" / name))
    breaks.apply("proxy-route-past-the-hub")
    try:
        run = audit(
            *("--cluster", "lab", "--baseline", str(tmp_path / "mine.yaml"), "--remediate=unsafe", "-vv"),
            checks="checks/test_proxy.py",
        )
        again = audit("--cluster", "lab", checks="checks/test_proxy.py", into="again")
    finally:
        breaks.mend("proxy-route-past-the-hub")

    assert run.code == 0, run.text
    assert run.outcomes("proxy")["fixed"] == 1
    assert "take the route /past-the-hub out of the proxy" in run.text
    assert again.outcomes("proxy") == {"compliant": 4}
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) > 20
    assert token not in run.text + again.text
    assert [path.name for path in written if token.encode() in path.read_bytes()] == []


def test_one_round_trip_reads_it_with_all_the_rest(audit: Audit, token: str) -> None:
    assert token
    run = audit("--cluster", "lab", "checks/test_users.py", checks="checks/test_proxy.py")

    assert run.code == 0, run.text
    assert "1 container exec" in run.text
