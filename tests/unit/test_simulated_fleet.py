"""The simulation that a fleet is measured with: EMR's limits are those of its documentation, and what it says is so."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.fleet.cost import Cost
from benchmarks.fleet.limits import LIMITS, WHOLE, Limits
from benchmarks.fleet.night import Night
from benchmarks.fleet.quota import quota
from benchmarks.fleet.served import served
from benchmarks.fleet.tables import grown
from benchmarks.fleet.world import Fleet
from benchmarks.page import put


@pytest.mark.parametrize("call", LIMITS)
def test_a_call_has_its_burst_and_then_its_refill(call: str) -> None:
    burst, refill = LIMITS[call]
    limits = Limits()

    assert sum(limits.let(call, "us-east-1", 0.0) for _ in range(100)) == burst
    assert not limits.let(call, "us-east-1", 0.99 / refill)
    assert limits.let(call, "us-east-1", 2 / refill)
    assert limits.let(call, "eu-west-1", 0.0), "another region has buckets of its own"
    assert limits.refused[call] == 101 - burst


def test_all_calls_of_a_region_have_one_limit_together() -> None:
    limits = Limits()
    through = [
        limits.let(call, "us-east-1", 0.0) for _ in range(20) for call in ("ListSteps", "ListInstances", "Other")
    ]

    assert sum(through) == WHOLE[0]


def test_of_a_hundred_clusters_so_many_hang_and_fail_and_always_the_same() -> None:
    fleet = Fleet(1000, [], hang=5, fail=10)
    fates = [fleet.fate(str(one.host)) for one in fleet.clusters]

    assert 30 < fates.count("hangs") < 70
    assert 70 < fates.count("fails") < 130
    assert fates == [fleet.fate(str(one.host)) for one in Fleet(1000, [], hang=5, fail=10).clusters]
    assert len({one.host for one in fleet.clusters}) == 1000


def test_the_api_lists_all_throttles_as_emr_does_and_tells_how_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    (tmp_path / "answers.json").write_text(json.dumps({"look": {}, "pages": {}}))
    fleet = Fleet(60, [tmp_path / "answers.json"], delay=0, regions=("us-east-1",))
    with served(fleet, tmp_path) as here:
        emr = boto3.client(
            "emr",
            endpoint_url=here.url,
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}),
        )
        ids = [one["Id"] for page in emr.get_paginator("list_clusters").paginate() for one in page["Clusters"]]
        told = [emr.describe_cluster(ClusterId=one)["Cluster"] for one in ids[:10]]
        with pytest.raises(ClientError, match="Rate exceeded"):
            emr.describe_cluster(ClusterId=ids[10])

    assert len(set(ids)) == 60
    assert all(one["MasterPublicDnsName"].startswith("127.77.") for one in told)
    assert here.told["throttled"] == {"DescribeCluster": 1}
    assert here.told["asked"]["aws ListClusters"] == 2


def test_what_has_a_quota_gets_no_more_with_all_that_comes_of_it(tmp_path: Path) -> None:
    both = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"
    with quota(0.2) as words:
        if words is None:
            pytest.skip("no group of processes can be made here")
        group = Path(words[-1]).parent
        began = time.monotonic()
        subprocess.run([*words, "sh", "-c", f"({both}) & ({both}) & wait; times > {tmp_path / 'times'}"], check=True)
        seconds = time.monotonic() - began
        periods = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())

    spent = re.findall(r"0m([0-9.]+)s", (tmp_path / "times").read_text().splitlines()[1])
    assert sum(map(float, spent)) < 0.2 * seconds + 0.1
    assert int(periods["nr_throttled"]) > 0
    assert not group.exists()


def test_what_does_not_end_in_time_is_killed_with_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.fleet.quota.END", 0.0)
    with quota(0.5) as words:
        if words is None:
            pytest.skip("no group of processes can be made here")
        left = subprocess.Popen([*words, "sleep", "600"])
        until = time.monotonic() + 60
        while str(left.pid) not in Path(words[-1]).read_text().split() and time.monotonic() < until:
            time.sleep(0.01)

    assert left.wait(60) == -signal.SIGKILL


def test_where_no_group_can_be_made_there_is_no_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.fleet.quota.GROUPS", tmp_path / "none")

    with quota(0.5) as words:
        assert words is None


def test_a_simulation_that_cannot_begin_is_told(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.fleet.simulation", str(tmp_path / "none.json")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode
    assert "none.json" in ended.stderr


def test_a_part_of_the_page_of_benchmarks_is_put_in_its_place(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n## One\n\n1\n\n## Machine\n\nhere\n\n## What\n")
    put(page, "Two", "## Two\n\nfirst\n\n")
    put(page, "Two", "## Two\n\nsecond\n")

    assert page.read_text() == "# Page\n\n## One\n\n1\n\n## Two\n\nsecond\n\n## Machine\n\nhere\n\n## What\n"


def _night(count: int, cpu: float) -> Night:
    cost = Cost(1, seconds=10, cpu=cpu, own_cpu=1, peak_mb=90, busy=0.9)
    return Night(Fleet(count, []), cost, Counter(compliant=200 * count), {"cpu": 0.1, "throttled": {}}, "")


def test_what_a_cluster_costs_is_told_without_the_start_and_of_the_run_in_the_middle() -> None:
    start, each, allure = 2.5, 0.4, 0.5
    nights = {
        1: [_night(1, start + each + off) for off in (0, -0.3, 0.3)],
        10: [_night(10, start + 10 * each + off) for off in (0.9, 0, -0.9)],
        100: [_night(100, start + 100 * each * 1.1)],
    }
    text = grown(nights, _night(100, start + 99 * allure + each))

    rows = {
        row[0]: row
        for row in ([cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines())
        if len(row) > 5
    }
    assert [rows[count][2] for count in ("1", "10", "100")] == ["3", "3", "1"]
    assert rows["10"][6:8] == ["**0.400**", "0.300 to 0.500"]
    assert rows["100"][6:8] == ["**0.440**", ""]
    assert re.search(r"differs\s+by \*\*10 %\*\*", text)
    assert "each of 100 clusters takes 0.500 s in place of 0.440 s" in text
