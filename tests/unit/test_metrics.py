"""The figures of a run are what Prometheus reads, whatever the clusters are called, and remember the last good run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.metrics import Before, before, render
from hubspec.model import Outcome, Severity
from hubspec.tally import tallied
from tests.records import HOSTILE, WHEN, drifted, many, one_of_each, record, run, with_history
from tests.samples import read

GOOD = "hubspec_last_good_run_timestamp_seconds", ()
COMPLIANT = "hubspec_last_compliant_run_timestamp_seconds", ()
CLUSTER_GOOD = "hubspec_cluster_last_good_run_timestamp_seconds"
ENDED = run().finished.timestamp()


def test_every_count_is_that_of_the_records() -> None:
    records, ended = with_history()
    records += many(400)
    found = read(render(tallied(records), ended, Before()))
    for outcome in Outcome:
        for severity in Severity:
            mine = [one for one in records if one.outcome is outcome and one.severity is severity]
            assert found["hubspec_checks", (outcome, severity)] == len(mine)
            for cluster in {one.cluster for one in records}:
                here = [one for one in mine if one.cluster == cluster]
                if outcome is Outcome.DRIFTED:
                    assert found["hubspec_cluster_drifts", (cluster, severity)] == len(here)
    for cluster in {one.cluster for one in records}:
        total = sum(found["hubspec_cluster_checks", (cluster, outcome)] for outcome in Outcome)
        assert total == sum(one.cluster == cluster for one in records)
    assert found["hubspec_changes", ("new",)] == 1
    assert found["hubspec_run_duration_seconds", ()] == 42.5
    assert found["hubspec_round_trips", ("docker",)] == 12
    assert found["hubspec_run_timestamp_seconds", ()] == ENDED
    assert found["hubspec_info", ("0.1.0",)] == 1


def test_without_a_history_nothing_is_said_of_changes() -> None:
    assert "hubspec_changes" not in render(tallied(one_of_each()), run(), Before())


NIGHTS = [
    # outcome of the one check, exit code, whether the times of the last good and the last compliant run move
    (Outcome.COMPLIANT, 0, True, True),
    (Outcome.DRIFTED, 1, True, False),
    (Outcome.DRIFTED, 0, True, True),
    (Outcome.UNREADABLE, 11, False, False),
    (Outcome.COMPLIANT, 11, False, False),
    (Outcome.COMPLIANT, 2, False, False),
    (Outcome.COMPLIANT, 3, False, False),
]


@pytest.mark.parametrize(("outcome", "code", "good", "compliant"), NIGHTS)
def test_a_bad_run_does_not_lose_the_last_good_one(outcome: Outcome, code: int, good: bool, compliant: bool) -> None:  # noqa: FBT001
    first = render(tallied([record()]), run(exit_code=0), Before())
    ended = run(exit_code=code, finished=WHEN + timedelta(days=1))
    second = render(tallied([record(outcome=outcome)]), ended, before(first))
    third = read(render(tallied([record(outcome=outcome)]), ended, before(second)))
    later = ended.finished.timestamp()
    assert third[GOOD] == (later if good else ENDED)
    assert third[COMPLIANT] == (later if compliant else ENDED)
    assert third[CLUSTER_GOOD, ("research",)] == (ENDED if outcome is Outcome.UNREADABLE else later)


def test_a_cluster_of_which_nothing_is_known_keeps_its_last_good_run() -> None:
    both = [record(cluster="j-A"), record(cluster="j-B")]
    first = render(tallied(both), run(exit_code=0), Before())
    ended = run(
        exit_code=1, clusters=["j-A", "j-B"], missing={"j-B": "it did not end"}, finished=WHEN + timedelta(days=1)
    )
    found = read(render(tallied(both[:1]), ended, before(first)))
    later = ended.finished.timestamp()
    assert found["hubspec_clusters_missing", ()] == 1
    assert found["hubspec_cluster_checks", ("j-B", "compliant")] == 0
    assert (found[CLUSTER_GOOD, ("j-A",)], found[CLUSTER_GOOD, ("j-B",)], found[GOOD]) == (later, ENDED, ENDED)


def test_what_never_was_good_has_no_time() -> None:
    blind = record(outcome=Outcome.UNREADABLE, before=None)
    text = render(tallied([blind]), run(exit_code=11), Before())
    assert "last_good" not in text
    assert "last_compliant" not in text


@pytest.mark.parametrize("name", [*HOSTILE, 'a"b\\n\\', "\\", "lone \ud800 half", "{}"])
def test_a_name_breaks_out_of_no_label(name: str) -> None:
    kept = [drifted(cluster=name), drifted(cluster="other")]
    text = render(tallied(kept), run(clusters=[name, "other"]), Before())
    text.encode()
    assert len({key for key in read(text) if key[0] == CLUSTER_GOOD}) == 2
    past = before(text)
    assert len(past.clusters) == 2
    blind = [one.model_copy(update={"outcome": Outcome.UNREADABLE}) for one in kept]
    later = run(exit_code=11, finished=WHEN + timedelta(days=9))
    again = read(render(tallied(blind), later, past))
    assert {value for key, value in again.items() if key[0] == CLUSTER_GOOD} == {ENDED}


def test_the_clock_that_went_back_makes_no_negative_length() -> None:
    text = render(tallied([record()]), run(finished=WHEN - timedelta(hours=2)), Before())
    assert read(text)["hubspec_run_duration_seconds", ()] == 0


@given(st.text())
def test_a_file_that_is_none_is_a_run_without_one_before(text: str) -> None:
    assert read(render(tallied([record()]), run(exit_code=0), before(text)))[GOOD] == ENDED


@given(st.lists(st.sampled_from([*GOOD[:1], *COMPLIANT[:1], CLUSTER_GOOD, '{cluster="', "a", '\\"', '"}', " ", "1", ".5", "\n", "NaN", "#", "1e9"])))  # fmt: skip
def test_what_is_taken_over_of_a_damaged_file_can_be_read_again(parts: list[str]) -> None:
    past = before("".join(parts))
    blind = [record(outcome=Outcome.UNREADABLE, before=None, cluster="a")]
    found = read(render(tallied(blind), run(exit_code=11), past))
    assert found.get(GOOD) == past.good
    assert found.get(COMPLIANT) == past.compliant


def test_results_that_are_not_at_their_place_are_in_the_exit_code_alone() -> None:
    found = read(render(tallied([record()]), run(exit_code=0), Before(), 20))
    assert found["hubspec_run_exit_code", ()] == 20
    assert found[GOOD] == found[COMPLIANT] == ENDED
