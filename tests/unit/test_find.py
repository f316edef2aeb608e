"""Which clusters are meant, asked of an EMR API over real sockets: names, tags, all, ids in several regions, this machine's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hubspec.cluster import here
from hubspec.cluster import session as sessions
from hubspec.cluster.find import AT_ONCE, Search, asks, find, is_form
from hubspec.cluster.register import Register
from hubspec.errors import DoorError, UnknownClusterError
from tests.accounts import Account, Cluster, serving

WEST = "eu-west-1"
CLUSTERS = [
    Cluster("j-A", "prod-hub", tags={"env": "prod", "team=x": "a"}),
    Cluster("j-B", "prod-hub", state="RUNNING", tags={"env": "prod"}),
    Cluster("j-C", "spark", tags={"env": "prod"}, applications=("Spark",)),
    Cluster("j-D", "prod-hub", state="TERMINATED", tags={"env": "prod"}),
    Cluster("j-E", "young", state="STARTING"),
    Cluster("j-F", "prod-west", region=WEST, tags={"env": "test"}),
    Cluster("j-G", "odd [1]", region=WEST, tags={"env": ""}),
]


def search(account: Account, *words: str, regions: tuple[str, ...] = (), told: list[str] | None = None) -> Search:
    said = told if told is not None else []
    return find(words, Register(regions, settings=account.variables, deadline=5, progress=said.append), said.append)


@pytest.mark.parametrize(
    ("words", "regions", "ids"),
    [
        ("j-A", "", "j-A"),
        ("j-NOWHERE", "", "j-NOWHERE"),  # nobody was asked: the audit itself says so
        ("name:prod-hub", "", "j-A j-B"),
        ("name:prod-*", "us-east-1 eu-west-1", "j-A j-B j-F"),
        ("name:odd [1]", "eu-west-1", "j-G"),
        ("name:young", "", "j-E"),
        ("tag:env=prod", "", "j-A j-B j-C"),
        ("tag:env=*", "us-east-1 eu-west-1", "j-A j-B j-C j-F j-G"),
        ("tag:env=", "eu-west-1", "j-G"),
        ("all", "", "j-A j-B"),
        ("all", "us-east-1 eu-west-1", "j-A j-B j-F j-G"),
        ("j-B tag:env=prod name:prod-hub j-B", "", "j-B j-A j-C"),
        ("ssh://me@host:22 lab", "", "ssh://me@host:22 lab"),
    ],
)
def test_what_is_meant(words: str, regions: str, ids: str) -> None:
    with serving(Account(CLUSTERS)) as account:
        found = search(account, *words.split(" ") if "odd" not in words else [words], regions=tuple(regions.split()))

    assert list(found.found) == ids.split(" ")
    assert found.unseen == []
    assert [call for call in account.counts() if call not in {"ListClusters", "DescribeCluster"}] == []


def test_nothing_is_asked_where_nothing_has_to_be() -> None:
    words, one = ["j-A", "lab", "ssh://h"], ["us-east-1"]
    assert not asks(words, one)
    with serving(Account(CLUSTERS)) as account:
        found = search(account, *words, regions=tuple(one))

    assert account.asked == []
    assert found.found["j-A"].region == "us-east-1"


def test_an_id_is_asked_in_the_region_that_knows_it() -> None:
    with serving(Account(CLUSTERS)) as account:
        found = search(account, "j-F", "j-X", regions=("us-east-1", WEST))

    assert (found.found["j-F"].region, found.found["j-F"].called) == (WEST, "prod-west")
    assert found.found["j-X"].unknown
    assert found.found["j-X"].trouble == "there is no cluster j-X in this account in us-east-1, eu-west-1"


def test_what_has_no_hub_or_is_not_up_is_said_and_left_out() -> None:
    with serving(Account(CLUSTERS)) as account:
        found = search(account, "all")

    assert found.left_out == [
        "j-C 'spark' (WAITING): it has no JupyterHub",
        "j-E 'young' (STARTING): it is not up yet",
    ]
    assert account.counts() == {"DescribeCluster": 3, "ListClusters": 1}, "those that are up, each once"


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("name:nobody", r"--cluster name:nobody: there is no living cluster with that name in account 123456789012, us-east-1; living there: j-A 'prod-hub' \(WAITING\), j-B"),
        ("name:PROD-HUB", "no living cluster with that name"),
        ("tag:env=nope", "--cluster tag:env=nope: there is no living cluster with that tag"),
        ("tag:nope=prod", "no living cluster with that tag"),
    ],
)  # fmt: skip
def test_none_says_where_was_looked_and_what_is_there(word: str, sentence: str) -> None:
    with serving(Account(CLUSTERS)) as account, pytest.raises(UnknownClusterError, match=sentence):
        search(account, word)


def test_an_empty_account_is_named_all_the_same() -> None:
    with serving(Account()) as account, pytest.raises(UnknownClusterError) as error:
        search(account, "all", regions=(WEST,))

    assert str(error.value) == (
        "--cluster all: there is no running cluster with JupyterHub in account 123456789012, eu-west-1; living there: none"
    )


def test_without_the_permission_to_list_nothing_is_called_absent() -> None:
    refused = {("ListClusters", "us-east-1"): "AccessDeniedException"}
    with (
        serving(Account(CLUSTERS, refused)) as account,
        pytest.raises(DoorError, match=r"no cluster was found: us-east-1: .*allow elasticmapreduce:ListClusters"),
    ):
        search(account, "name:prod-hub")


def test_a_region_that_refuses_costs_the_others_nothing_and_is_told() -> None:
    refused = {("ListClusters", WEST): "AccessDeniedException", ("j-A", "us-east-1"): "AccessDeniedException"}
    with serving(Account(CLUSTERS, refused)) as account:
        found = search(account, "tag:env=prod", "name:nobody", regions=("us-east-1", WEST))

    assert list(found.found) == ["j-B", "j-C"]
    assert [line.partition(": ")[0] for line in found.unseen] == ["eu-west-1", "j-A in us-east-1"]


def test_three_hundred_are_pages_and_a_bounded_number_of_questions() -> None:
    many = [Cluster(f"j-{number:03}", f"hub {number}", tags={"n": str(number % 2)}) for number in range(300)]
    told: list[str] = []
    with serving(Account(many, delay=0.02)) as account:
        found = search(account, "tag:n=1", told=told)

    assert len(found.found) == 150
    assert account.counts() == {"DescribeCluster": 300, "ListClusters": 6}
    assert 1 < account.most <= AT_ONCE


def test_regions_take_turns_so_that_none_waits_for_the_limits_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubspec.cluster.find.TOGETHER", 1)  # those that are asked at once may overtake each other
    many = [Cluster(f"j-US{number:02}") for number in range(30)]
    many += [Cluster(f"j-EU{number:02}", region=WEST) for number in range(20)]
    with serving(Account(many)) as account:
        found = search(account, "all", regions=("us-east-1", WEST))

    assert list(found.found) == [one.id for one in many], "in the order of the regions, whoever was asked first"
    asked = [region for call, region, _ in account.asked if call == "DescribeCluster"]
    assert asked == ["us-east-1", WEST] * 20 + ["us-east-1"] * 10


def test_what_is_throttled_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "PAUSE", 0.5)
    many = [Cluster(f"j-{number:03}", tags={"n": "1"}) for number in range(40)]
    told: list[str] = []
    with serving(Account(many, rate=10)) as account:
        found = search(account, "tag:n=1", told=told)

    assert (len(found.found), found.unseen) == (40, [])
    assert account.throttled
    assert any(line.startswith("looking for clusters: ") and "of 40 clusters described" in line for line in told)


def test_one_that_ended_between_list_and_description_is_not_there() -> None:
    gone = {("j-A", "us-east-1"): "InvalidRequestException"}
    with serving(Account(CLUSTERS, gone)) as account:
        assert list(search(account, "tag:env=prod").found) == ["j-B", "j-C"]


@pytest.mark.parametrize("word", ["", "prod", "j-x; reboot", "name:", "tag:env", "tag:=x", "ALL", "j-A ", "ssh://"])
def test_what_is_no_form(word: str) -> None:
    assert not is_form(word)


def info(folder: Path, monkeypatch: pytest.MonkeyPatch, **files: object) -> None:
    monkeypatch.setattr(here, "INFO", folder)
    for name, told in files.items():
        (folder / f"{name}.json").write_text(told if isinstance(told, str) else json.dumps(told))


FLOW, NODE = {"jobFlowId": "j-MINE"}, {"instanceRole": "MASTER", "region": WEST, "jobFlowId": "j-MINE"}


@pytest.mark.parametrize(("flow", "node", "region"), [(FLOW, NODE, WEST), (FLOW, "{", None), ({}, NODE, WEST)])
def test_this_machines_own(
    flow: object, node: object, region: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info(tmp_path, monkeypatch, **{"job-flow": flow, "extraInstanceData": node})
    with serving(Account()) as account:
        found = search(account, "local", "j-MINE")

    assert [(one.id, one.region) for one in found.found.values()] == [("j-MINE", region)]
    assert account.asked == []


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "this machine is no node of an EMR cluster"),
        ({"job-flow": "[]"}, "this machine is no node of an EMR cluster"),
        ({"job-flow": FLOW, "extraInstanceData": {"instanceRole": "core"}}, "a node of j-MINE, but in the role core"),
    ],
)
def test_a_machine_that_is_no_master_node(
    files: dict[str, object], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info(tmp_path, monkeypatch, **files)
    with serving(Account()) as account, pytest.raises(UnknownClusterError, match=sentence):
        search(account, "local")
