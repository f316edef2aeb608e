"""The cluster: which calls are made, why a field is unread, what a report shows of open ports, and the ports themselves."""

from __future__ import annotations

import ipaddress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec import network
from hubspec.cluster.aws import EmrDoor
from hubspec.errors import BaselineError
from hubspec.kinds.cluster import KIND, NEEDS, Cluster, parse, probe
from hubspec.model import Present, Unreadable
from tests.made import declare

WAITING = {"DescribeCluster": {"Status": {"State": "WAITING"}}}
EXAMPLES: dict[str, Any] = {
    "world_ports": [], "idle_timeout": None, "encryption": {}, "bootstrap_actions": {}, "masters": 1,
}  # fmt: skip
PORT = st.integers(0, network.LAST)
RANGES = st.lists(st.tuples(PORT, PORT).map(lambda pair: (min(pair), max(pair))), max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from([
            "GroupId", "IpPermissions", "IpProtocol", "FromPort", "IpRanges", "CidrIp", "PrefixListIds", "PrefixListId",
            "IdleTimeout", "Name", "ScriptPath",
        ]),
        inner | st.sampled_from(["tcp", "-1", "0.0.0.0/0", 22]),
        max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


def rule(block: str, first: int = 22, last: int = 22, protocol: str = "tcp") -> dict[str, Any]:
    key, word = ("Ipv6Ranges", "CidrIpv6") if ":" in block else ("IpRanges", "CidrIp")
    return {"IpProtocol": protocol, "FromPort": first, "ToPort": last, key: [{word: block}]}


def group(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"GroupId": "sg-1", "GroupName": "master", "IpPermissions": list(rules)}


def see(**answers: Any) -> Present:
    seen = parse(WAITING | answers)["cluster"]
    assert isinstance(seen, Present)
    return seen


def calls(**fields: Any) -> str:
    return probe([Cluster(name="cluster", **fields)], KIND.policy(policy="report"))


def test_only_the_calls_of_declared_fields_are_made() -> None:
    assert calls() == "DescribeCluster"
    assert calls(tags={}, security_configuration="x", configurations={}) == "DescribeCluster"
    assert set(EXAMPLES) == set(NEEDS)
    for field, value in EXAMPLES.items():
        assert calls(**{field: value}) == f"DescribeCluster {NEEDS[field]}"
    assert calls(**EXAMPLES).split() == ["DescribeCluster", *" ".join(NEEDS.values()).split()]


def test_a_field_says_why_it_is_unread() -> None:
    no = Unreadable("AWS refuses GetManagedPrefixListEntries: allow ec2:GetManagedPrefixListEntries (no)")
    named = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": "pl-1"}]}
    seen = see(
        DescribeSecurityGroups=[group(rule("0.0.0.0/0"), named)],
        GetManagedPrefixListEntries=no,
        GetAutoTerminationPolicy=Unreadable("AWS throttled it"),
        DescribeSecurityConfiguration="{",
    )

    assert seen.unread == {
        "world_ports": f"{no.reason}; open to the world by its other rules: 22",
        "idle_timeout": "AWS throttled it",
        "encryption": "the answer of DescribeSecurityConfiguration is not understood (JSONDecodeError:"
        " Expecting property name enclosed in double quotes: line 1 column 2 (char 1))",
        "bootstrap_actions": "not asked for: the baseline of that look did not declare it; look again with this one",
        "masters": "not asked for: the baseline of that look did not declare it; look again with this one",
    }
    assert see(DescribeSecurityGroups=[group(named)], GetManagedPrefixListEntries=no).unread["world_ports"] == no.reason  # type: ignore[index]


def test_a_report_shows_which_group_and_block_opens_a_port() -> None:
    lists = {"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-1"}]}
    seen = see(
        DescribeSecurityGroups=[group(rule("0.0.0.0/0", 9443, 9443), rule("10.0.0.0/8")), group(rule("::/0"), lists)],
        GetManagedPrefixListEntries={"pl-1": [{"Cidr": "0.0.0.0/1"}, {"Cidr": "192.0.2.0/24"}]},
    )

    assert [detail.text.split("\n") for detail in seen.details] == [
        [
            "sg-1 (master) opens 9443 to 0.0.0.0/0",
            "sg-1 (master) opens 22 to ::/0",
            "sg-1 (master) opens all to 0.0.0.0/1 by pl-1",
        ]
    ]
    assert see(DescribeSecurityGroups=[group(rule("10.0.0.0/8"))]).details == ()


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"world_ports": ["99999"]}, "there are no ports 99999: the last is 65535"),
        ({"world_ports": ["9500-8000"]}, "a range begins with its lower end"),
        ({"world_ports": ["https"]}, "'https' does not have the form"),
        ({"world_ports": [443]}, "in quotes"),
        ({"idle_timeout": "1 hour"}, "'1 hour' does not have the form"),
        ({"idle_timeout": {"matches": "1h"}}, "unknown key 'matches'"),
        ({"encryption": {"ebs": "AwsKms"}}, "wanted 's3', 'disk' or 'transit'; found 'ebs'"),
    ],
)
def test_what_cannot_be_meant_is_a_fault_of_the_baseline(tmp_path: Path, fields: Any, fault: str) -> None:
    with pytest.raises(BaselineError) as error:
        declare(tmp_path, cluster=fields)
    assert any(fault in one for one in error.value.faults), error.value.faults


def test_a_declared_secret_is_not_kept() -> None:
    declared = Cluster(name="cluster", configurations={"hive-site": {"ConnectionPassword": "hunter2"}, "x": None})
    assert "hunter2" not in repr(declared)
    assert declared.configurations == {"hive-site": {"ConnectionPassword": "***"}, "x": None}


def test_a_prefix_list_is_read_to_its_last_page(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {"": {"Entries": [{"Cidr": "192.0.2.0/24"}] * 100, "NextToken": "2"}, "2": {"Entries": [{"Cidr": "::/0"}]}}
    answers: dict[str, Any] = {
        "DescribeCluster": {"Cluster": {**WAITING["DescribeCluster"], "Ec2InstanceAttributes": {"EmrManagedMasterSecurityGroup": "sg-1"}}},
        "DescribeSecurityGroups": {"SecurityGroups": [group({"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-1"}]})]},
    }  # fmt: skip
    door = EmrDoor("j-1")
    monkeypatch.setattr(
        door.session, "call", lambda name, **asked: answers.get(name) or pages[asked.get("NextToken", "")]
    )

    seen = parse(door.ask(calls(world_ports=[])))["cluster"]

    assert isinstance(seen, Present)
    assert seen.resource.stated()["world_ports"] == ["all"]


@given(RANGES)
def test_merged_ranges_hold_the_same_ports(ranges: list[tuple[int, int]]) -> None:
    texts = network.merged(ranges)
    back = [network.ports(text) for text in texts]

    held = {port for first, last in ranges for port in (first, last)}
    assert all(any(first <= port <= last for first, last in back) for port in held)
    if texts != [network.ALL]:
        assert sum(last - first + 1 for first, last in back) == len(set().union(*(range(a, b + 1) for a, b in ranges)))
    assert all(one[1] + 1 < two[0] for one, two in pairwise(back))
    assert network.merged(back) == texts


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_an_ipv4_block_is_the_world_below_a_prefix_of_8(address: int, length: int) -> None:
    block = str(ipaddress.ip_network((address, length), strict=False))
    assert bool(network.openings([group(rule(block))], {})) == (length < 8)


@given(st.integers(0, 2**128 - 1), st.integers(0, 128))
def test_an_ipv6_block_is_the_world_below_a_prefix_of_16_unless_it_is_private(address: int, length: int) -> None:
    block = ipaddress.IPv6Network((address, length), strict=False)
    private = block.subnet_of(ipaddress.IPv6Network("fc00::/7"))
    assert bool(network.openings([group(rule(str(block)))], {})) == (length < 16 and not private)


@given(JSON, JSON)
def test_any_answer_is_read_or_its_field_unread(answer: Any, lists: Any) -> None:
    calls = " ".join(NEEDS.values()).split()
    seen = see(**dict.fromkeys(calls, answer) | {"GetManagedPrefixListEntries": lists})
    assert set(seen.unread or {}) | set(seen.resource.stated()) == set(Cluster.fields_compared())
