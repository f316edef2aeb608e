"""`--cluster j-...` with the standard AWS variables, as on AWS; and a token that is made and taken back."""

from __future__ import annotations

import json
from pathlib import Path

import emr
import pytest

import lab
from lab import breaks, hub, inside
from lab.model import HUB
from tests.conftest import Audit


@pytest.fixture(scope="module")
def here() -> lab.Lab:
    """Give the lab, up."""
    return lab.up(print)


def variables(here: lab.Lab) -> dict[str, str]:
    """Return what `python -m lab env` exports."""
    return here.aws_env | {
        "HUBSPEC_HUB_URL": here.hub_url,
        "HUBSPEC_HUB_FINGERPRINT": here.hub_fingerprint,
        "HUBSPEC_HUB_TOKEN_FILE": str(here.token_file),
        "HUBSPEC_CONTAINER_LABEL": here.label,
        "HUBSPEC_BASELINE": "baselines/lab.yaml",
    }


def test_the_same_audit_by_its_id(here: lab.Lab, audit: Audit) -> None:
    by_id = audit("--cluster", here.cluster_id, env=variables(here))

    assert by_id.code == 0, by_id.text
    assert {record["cluster"] for record in by_id.records} == {here.cluster_id}


def test_it_is_found_by_its_name_and_its_tag_and_audited_once(here: lab.Lab, audit: Audit) -> None:
    words = ("--cluster", "name:hubspec lab", "--cluster", "tag:owner=platform", "--cluster", here.cluster_id)
    regions = ("--region", "eu-west-1", "--region", here.aws_env["AWS_DEFAULT_REGION"])
    run = audit(
        *words, *regions, checks="checks/test_cluster.py", env=variables(here) | {"AWS_DEFAULT_REGION": "eu-west-1"}
    )

    assert run.code == 0, run.text
    assert f"audit: {here.cluster_id} (hubspec lab, {regions[-1]}) against baselines/lab.yaml" in run.text
    assert {record["cluster"] for record in run.records} == {here.cluster_id}
    assert len(run.records) == len({record["test"] for record in run.records})


def test_two_clusters_give_one_report(here: lab.Lab, audit: Audit) -> None:
    run = audit("--cluster", "lab", "--cluster", here.cluster_id, env=variables(here))

    assert run.code == 0, run.text
    assert {record["cluster"] for record in run.records} == {"lab", here.cluster_id}
    assert "read through the one Docker engine" in run.text
    assert f"notice: {here.cluster_id}: door docker: the master node localhost is this machine" in run.text


def test_a_snapshot_that_cannot_be_written(here: lab.Lab, audit: Audit) -> None:
    run = audit("--cluster", "lab", "--save-snapshot", f"{here.token_file}/below-a-file", checks="checks/test_users.py")

    assert run.code == 4
    assert "cannot be written" in run.text
    assert "Traceback" not in run.text


def test_a_cluster_that_aws_does_not_know(here: lab.Lab, audit: Audit) -> None:
    run = audit("--cluster", "j-NOSUCHCLUSTER", env=variables(here))

    assert run.code == 4
    assert "there is no cluster j-NOSUCHCLUSTER in this account and region" in run.text


def test_a_snapshot_is_audited_later(here: lab.Lab, audit: Audit, tmp_path: Path) -> None:
    path = tmp_path / "seen.json"
    now = audit("--cluster", "lab", "--save-snapshot", str(path))
    later = audit("--snapshot", str(path))

    assert (now.code, later.code) == (0, 0), later.text
    same = [(record["test"], record["before"], record["started"]) for record in now.records]
    assert [(record["test"], record["before"], record["started"]) for record in later.records] == same
    assert {record["door"] for record in later.records} == {"snapshot"}
    assert here.token_file.read_text().strip() not in path.read_text()


def test_the_token_of_a_real_hub_in_the_environment_is_not_for_the_lab(audit: Audit) -> None:
    run = audit("--cluster", "lab", checks="checks/test_hub_users.py", env={"HUBSPEC_HUB_TOKEN": "of-another-hub"})

    assert run.code == 0, run.text


def test_a_minted_token_is_used_and_taken_back_and_is_no_drift(here: lab.Lab, audit: Audit) -> None:
    """The hub's own list of tokens, once asked for, does not show what `jupyterhub token` adds; its database does."""
    hub.must(here, "GET", "/users/jovyan/tokens")
    with emr.scene() as scene:
        before = hub.tokens(scene.client)
        run = audit("--cluster", "lab", "--mint-token", "jovyan")
        after = hub.tokens(scene.client)

    assert run.code == 0, run.text
    assert after == before


def test_a_token_for_nobody_cannot_be_made(audit: Audit) -> None:
    run = audit("--cluster", "lab", "--mint-token", "no-such-user", checks="checks/test_hub_users.py")

    assert run.code == 11
    assert "no hub token could be made for no-such-user in jupyterhub" in run.text


def test_the_token_of_somebody_who_is_no_admin(here: lab.Lab, audit: Audit, tmp_path: Path) -> None:
    made = hub.must(here, "POST", "/users/ana/tokens", {"expires_in": 120, "note": "hubspec test"})
    path = tmp_path / "token"
    path.write_text(made["token"])
    try:
        run = audit("--cluster", "lab", "--hub-token-file", str(path), checks="checks/test_hub_users.py")
    finally:
        hub.ask(here, "DELETE", f"/users/ana/tokens/{made['id']}")

    assert run.code == 11
    assert "the token is good, but ana may not list the users" in run.text
    assert made["token"] not in run.text
    assert made["token"] not in json.dumps(run.records)


def test_a_process_that_only_calls_itself_the_hub_is_not_run(audit: Audit) -> None:
    plant = """mkdir -p /tmp/fake && printf '#!/bin/sh\\ntouch /tmp/fake/run-by-$(id -un)\\n' >/tmp/fake/jupyterhub
chmod -R a+rwx /tmp/fake
su diego -c "nohup bash -c 'exec -a /tmp/fake/jupyterhub sleep 60' >/dev/null 2>&1 &"
sleep 0.5; pgrep -f /tmp/fake/jupyterhub"""
    with emr.scene() as scene:
        breaks.apply("hub-down")
        try:
            inside.must(scene.client, HUB, plant)
            run = audit("--cluster", "lab", "--mint-token", "jovyan", checks="checks/test_hub_users.py")
            left = inside.must(scene.client, HUB, "ls /tmp/fake")
        finally:
            inside.run(scene.client, HUB, "pkill -u diego sleep; rm -rf /tmp/fake")
            breaks.mend("hub-down")

    assert run.code == 11
    assert "no jupyterhub process runs in the container" in run.text
    assert left.split() == ["jupyterhub"]
