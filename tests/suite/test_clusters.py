"""Clusters by name and tag, several at once: what is audited, what is said, and how a run ends that could not look everywhere."""

from __future__ import annotations

import json

import pytest

from tests.accounts import Account, Cluster, serving
from tests.conftest import Audit

CHECKS = "checks/test_cluster.py"
HUBS = [
    Cluster("j-A", "blue", tags={"env": "prod"}),
    Cluster("j-B", "blue", tags={"env": "prod"}),
    Cluster("j-C", "west", region="eu-west-1", tags={"env": "prod"}),
    Cluster("j-D", "spark", applications=("Spark",)),
]


def test_one_report_of_those_that_a_tag_means(audit: Audit) -> None:
    with serving(Account(HUBS)) as account:
        run = audit(
            "--cluster",
            "tag:env=prod",
            "--region",
            "us-east-1",
            "--region",
            "eu-west-1",
            checks=CHECKS,
            env=dict(account.variables),
        )

    assert run.code == 1, run.text
    assert {record["cluster"] for record in run.records} == {"j-A", "j-B", "j-C"}
    assert "audit: j-C (west, eu-west-1) against " in run.text
    assert "test_cluster.py::test_declared[j-A-" in run.text
    assert {region for call, region, given in account.asked if given.get("ClusterId") == "j-C"} == {"eu-west-1"}
    described = [given["ClusterId"] for call, _, given in account.asked if call == "DescribeCluster"]
    assert len(described) == len(set(described)), "what was told while they were looked for is not asked again"
    trips = json.loads((run.folder / "latest" / "run.json").read_text())["round_trips"]
    assert trips["aws DescribeCluster"] == 3


def test_the_processes_of_xdist_look_for_them_once(audit: Audit) -> None:
    with serving(Account(HUBS)) as account:
        run = audit("--cluster", "all", "-n", "2", checks=CHECKS, env=dict(account.variables))

    assert {record["cluster"] for record in run.records} == {"j-A", "j-B"}
    assert account.counts()["ListClusters"] == 1
    assert "left out: j-D 'spark' (WAITING): it has no JupyterHub" in run.text


@pytest.mark.parametrize(
    ("args", "refused", "code", "sentence"),
    [
        (["name:green"], {}, 4, "there is no living cluster with that name in account 123456789012, us-east-1; living there: j-A 'blue'"),
        (["name:blue"], {("ListClusters", "us-east-1"): "AccessDeniedException"}, 11, "allow elasticmapreduce:ListClusters"),
        (["name:blue", "--smoke"], {}, 4, "2 living clusters have that name, and --smoke and --remediate change something: name the one that is meant: j-A, j-B"),
        (["j-X", "--region", "us-east-1", "--region", "eu-west-1"], {}, 4, "there is no cluster j-X in this account in us-east-1, eu-west-1"),
    ],
)  # fmt: skip
def test_none_or_not_the_one(
    audit: Audit, args: list[str], refused: dict[tuple[str, str], str], code: int, sentence: str
) -> None:
    with serving(Account(HUBS, refused)) as account:
        run = audit("--cluster", *args, checks=CHECKS, env=dict(account.variables))

    assert (run.code, run.records) == (code, [])
    assert sentence in run.text
    assert "Traceback" not in run.text
