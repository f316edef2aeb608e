"""Which clusters are a shard's, and which is begun next: stable, by turns, and never faster than EMR's limits."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.fleet.job import Job
from hubspec.fleet.queue import BURST, RATE, Queue
from hubspec.fleet.shard import shard

CLUSTERS = [f"j-{number:04}" for number in range(1000)]


def job(cluster: str, region: str) -> Job:
    return Job(cluster, cluster, (), (), ".", 60, "", region)


def begun(queue: Queue, seconds: int) -> list[tuple[int, str]]:
    """Return when and where jobs begin, with as many workers as there are jobs."""
    told = []
    for second in range(seconds):
        while one := queue.take(float(second)):
            told.append((second, one.region))
    return told


@pytest.mark.parametrize("of", [1, 2, 3, 7, 64])
def test_each_cluster_is_in_one_shard_and_they_are_about_as_large(of: int) -> None:
    held = [[one for one in CLUSTERS if shard(f"{number}/{of}").holds(one)] for number in range(1, of + 1)]

    assert sorted(one for part in held for one in part) == CLUSTERS
    assert max(map(len, held)) < 2 * len(CLUSTERS) / of + 10


@pytest.mark.parametrize(("cluster", "number"), [("j-2AXXXXXXGAPLF", 1), ("ssh://hub.example.org", 1), ("lab", 3)])
def test_a_cluster_stays_in_its_shard(cluster: str, number: int) -> None:
    assert [shard(f"{one}/3").holds(cluster) for one in (1, 2, 3)] == [one == number for one in (1, 2, 3)]


@pytest.mark.parametrize(
    "text", ["", "0/3", "4/3", "1/0", "a/b", "1", "1/2/3", "-1/3", "1 / 2", "1/999999", "\u0661/\u0662"]
)
def test_what_is_no_shard(text: str) -> None:
    with pytest.raises(ValueError, match=r"--shard: wanted I/N with I from 1 to N, such as 3/8; found"):
        shard(text)


def test_a_region_is_asked_as_fast_as_emr_lets_it() -> None:
    queue = Queue((job(one, "us-east-1") for one in CLUSTERS[:30]), RATE, 0.0)

    when = [second for second, _ in begun(queue, 100)]

    assert when == [0] * int(BURST) + [2 * number for number in range(1, 21)]


def test_regions_take_turns_and_the_fullest_goes_first() -> None:
    jobs = [job(f"j-a{number}", "a") for number in range(4)] + [job(f"j-b{number}", "b") for number in range(2)]
    queue = Queue(jobs, 0, 0.0)

    assert [region for _, region in begun(queue, 1)] == ["a", "a", "a", "b", "a", "b"]
    assert len(queue) == 0


def test_a_machine_by_its_address_waits_for_nobody() -> None:
    queue = Queue([job(one, "") for one in CLUSTERS] + [job(one, "eu-west-1") for one in CLUSTERS], RATE, 0.0)

    assert Counter(begun(queue, 1)) == {(0, ""): 1000, (0, "eu-west-1"): 10}
    assert queue.ready_in(0.0) == pytest.approx(2.0)
    assert len(queue.drained()) == 990
    assert queue.ready_in(1.0) == 0


@given(st.lists(st.tuples(st.floats(0, 50), st.sampled_from("abc")), max_size=60), st.floats(0.1, 5))
def test_no_region_is_ever_asked_more_than_its_bucket_holds(asked: list[tuple[float, str]], rate: float) -> None:
    queue = Queue([job(f"j-{number}", region) for number in range(40) for region in "abc"], rate, 0.0)
    told: list[tuple[float, str]] = []
    for now, _ in sorted(asked):
        if one := queue.take(now):
            told.append((now, one.region))

    for region in "abc":
        mine = [now for now, where in told if where == region]
        for first in range(len(mine)):
            for last in range(first, len(mine)):
                assert last - first + 1 <= BURST + rate * (mine[last] - mine[first]) + 1e-6
