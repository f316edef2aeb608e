"""A fleet of the lab: each of its audits is the audit that a single one is."""

from __future__ import annotations

from pathlib import Path

import lab
from tests import fleets
from tests.conftest import Audit

SETTINGS = ("--history", "none", "--report", "junit")


def test_each_cluster_is_audited_as_by_itself(audit: Audit, tmp_path: Path) -> None:
    here = lab.up(print)
    single = audit("--cluster", "lab", *SETTINGS)
    env: dict[str, str | None] = {
        **here.aws_env,
        "HUBSPEC_HUB_URL": here.hub_url,
        "HUBSPEC_HUB_FINGERPRINT": here.hub_fingerprint,
        "HUBSPEC_HUB_TOKEN_FILE": str(here.token_file),
        "HUBSPEC_CONTAINER_LABEL": here.label,
        "HUBSPEC_BASELINE": "baselines/lab.yaml",
    }
    words = ("--cluster", "lab", "--cluster", here.cluster_id, "--region", here.aws_env["AWS_DEFAULT_REGION"])
    begun = fleets.begin(tmp_path / "fleet", *words, *SETTINGS, "--", "-p", "no:hypothesispytest", env=env)
    fleet = fleets.ended(begun, tmp_path / "fleet")

    assert single.code == fleet.code == 0, single.text + fleet.text
    told = {
        (record["cluster"], record["test"].partition("[")[0], record["resource"], record["outcome"])
        for record in fleet.records
    }
    expected = {(record["test"].partition("[")[0], record["resource"], record["outcome"]) for record in single.records}
    assert told == {(cluster, *one) for cluster in ("lab", here.cluster_id) for one in expected}
    assert "2 of 2 clusters done, 0 left; none failing" in fleet.text
