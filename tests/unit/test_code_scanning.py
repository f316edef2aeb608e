"""`code-scanning.sarif` as GitHub's code scanning reads it: every result is an open alert, and an upload closes what it does not have."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from hubspec.model import Outcome, Record, Run, Severity
from hubspec.report.code_scanning import MOST, TAGS
from tests.readers import made, schema
from tests.records import drifted, one_of_each, record, run


def log(records: list[Record], of: Run | None = None) -> dict[str, Any]:
    """Return the one run of the log, which is SARIF 2.1.0."""
    document = json.loads(made("code-scanning", records, of))
    jsonschema.Draft4Validator(schema("sarif-2.1.0.schema.json")).validate(document)
    (only,) = document["runs"]
    rules = [rule["id"] for rule in only["tool"]["driver"]["rules"]]
    assert [rules[one["ruleIndex"]] for one in only["results"]] == [one["ruleId"] for one in only["results"]]
    return only  # type: ignore[no-any-return]


def alert(one: dict[str, Any]) -> tuple[str, str]:
    """Return what GitHub tells an alert by."""
    return one["ruleId"], one["partialFingerprints"]["primaryLocationLineHash"]


def test_an_alert_is_what_drifts_or_could_not_be_looked_at_and_nothing_else() -> None:
    results = log(one_of_each())["results"]
    assert [(one["ruleId"], one["level"], one["message"]["text"]) for one in results] == [
        ("USR-01", "error", "research: mallory is an admin, and is not declared to be one.; next: Install numpy 1.26.4 with conda."),
        ("PKG-01", "error", "teaching: could not be looked at: Could not look: the container does not answer. Start it, then run again."),
    ]  # fmt: skip
    assert (
        log([one for one in one_of_each() if one.outcome not in {Outcome.DRIFTED, Outcome.UNREADABLE}])["results"] == []
    )


def test_what_could_not_be_looked_at_leaves_the_alert_that_it_had_open() -> None:
    (before,), (after,) = (
        log([one])["results"] for one in (drifted(), record(outcome=Outcome.UNREADABLE, before=None))
    )
    assert alert(before) == alert(after)


def test_clusters_of_one_baseline_have_an_alert_each() -> None:
    results = log([drifted(cluster=name) for name in ("j-A", "j-B")])["results"]
    assert len({alert(one) for one in results}) == 2
    assert len({json.dumps(one["locations"]) for one in results}) == 1, "it is one line of the baseline"


@pytest.mark.parametrize(
    ("stated", "category"),
    [
        ({"clusters": ["j-A"]}, "hubspec/j-A"),
        ({"clusters": ["a/b"]}, "hubspec/a_b"),
        ({"clusters": ["j-A", "j-B"]}, "hubspec"),
        ({"clusters": ["j-A", "j-B"], "shard": "2/4"}, "hubspec/part 2 of 4"),
    ],
)
def test_an_upload_closes_no_alert_of_another_cluster(stated: dict[str, Any], category: str) -> None:
    id_ = log([drifted()], run(**stated))["automationDetails"]["id"]
    assert id_.rpartition("/")[0] == category, "GitHub's category is what stands before the last slash"


def test_no_more_than_github_takes_the_worst_first() -> None:
    many = [drifted(resource=f"p{number}", severity=Severity.LOW) for number in range(MOST + 1)]
    tags = {"f": [str(number) for number in range(TAGS * 2)]}
    told = log([*many, drifted(control="Z-1", severity=Severity.CRITICAL, tags=tags)])
    assert len(told["results"]) == MOST
    assert told["results"][0]["ruleId"] == "Z-1"
    assert len(told["tool"]["driver"]["rules"][1]["properties"]["tags"]) == TAGS
    assert told["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"].startswith("2 more are open")


@pytest.mark.parametrize(
    ("declared_at", "uri", "line"),
    [
        ("baselines/my lab.yaml:7", "baselines/my%20lab.yaml", 7),
        ("/etc/hub/lab.yaml:7", "file:///etc/hub/lab.yaml", 7),
        ("baselines/lab.yaml", "baselines/lab.yaml", 1),
        ("", "baselines/research.yaml", 1),
    ],
)
def test_a_place_is_a_uri_and_a_line(declared_at: str, uri: str, line: int) -> None:
    (one,) = log([drifted(declared_at=declared_at)])["results"]
    place = one["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == (uri, line)


@pytest.mark.parametrize("name", ["sarif", "code-scanning"])
def test_a_name_found_on_a_cluster_is_no_link(name: str) -> None:
    text = made(name, [drifted(message="undeclared users: [log in](https://evil.invalid)")])
    assert "[log in] (https://evil.invalid)" in text
    assert "](" not in json.loads(text)["runs"][0]["results"][0]["message"]["text"]
