"""Which TCP ports of a node the world may reach, from the rules of its security groups. Pure.

Source of fact: EC2 API Reference, IpPermission (the protocol -1, and numbers other than those of TCP, UDP and ICMP, mean
all ports) and PrefixListEntry.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LAST = 65535
ALL = "all"
SOMEBODYS = {4: 8, 6: 16}
"""IP version -> shortest prefix that can belong to somebody: a wider block is the world, or a half or a quarter of it.

Nobody has more than a /8 of IPv4, nor was given more than a /16 of IPv6, of which only 2000::/3 is routed at all.
"""
PRIVATE = ipaddress.IPv6Network("fc00::/7")
"""The one wider block that is private: unique local addresses (RFC 4193)."""
Range = tuple[int, int]


@dataclass(frozen=True)
class Opening:
    """One block of addresses that one rule of a group lets in, and the ports it lets it to (first and last)."""

    group: str
    ports: Range
    block: str

    def __str__(self) -> str:
        return f"{self.group} opens {text(self.ports)} to {self.block}"


def openings(groups: Iterable[Mapping[str, Any]], lists: Mapping[str, Any]) -> list[Opening]:
    """Return what the groups, as DescribeSecurityGroups tells them, let the world reach over TCP.

    `lists` is prefix list id -> its entries, for all of `prefix_lists(groups)`. A rule that names another group lets in
    that group, which is not the world. Raises ValueError, LookupError, TypeError or AttributeError on other answers.
    """
    return [
        Opening(f"{group['GroupId']} ({group.get('GroupName', '')})", ports, block)
        for group in groups
        for ports, rule in _rules(group)
        for block in _blocks(rule, lists)
    ]


def prefix_lists(groups: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the ids of the prefix lists that the TCP rules of the groups name."""
    named = (entry for group in groups for _, rule in _rules(group) for entry in rule.get("PrefixListIds") or ())
    return sorted({entry["PrefixListId"] for entry in named})


def merged(ranges: Iterable[Range]) -> list[str]:
    """Return port ranges as texts, in order; those that overlap or touch as one: 22, 8000-9500, all."""
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return [text(ports) for ports in found]


def text(ports: Range) -> str:
    """Return a port range as text. Port 0 cannot be listened at, so 1-65535 is all of them."""
    first, last = ports
    if first <= 1 and last >= LAST:
        return ALL
    return str(first) if first == last else f"{first}-{last}"


def ports(text: str) -> Range:
    """Return a text as a port range. Raises ValueError, with a sentence, where there is no such range."""
    if text == ALL:
        return 0, LAST
    first, _, last = text.partition("-")
    found = int(first), int(last or first)
    if found[0] > found[1] or found[1] > LAST:
        raise ValueError(f"there are no ports {text}: the last is {LAST}, and a range begins with its lower end")
    return found


def _rules(group: Mapping[str, Any]) -> Iterator[tuple[Range, Mapping[str, Any]]]:
    """Yield the rules of a group that let TCP in, each with its ports."""
    for rule in group.get("IpPermissions") or ():
        if rule["IpProtocol"] == "-1":
            yield (0, LAST), rule
        elif rule["IpProtocol"] in {"tcp", "6"}:
            first, last = rule.get("FromPort", -1), rule.get("ToPort", -1)
            yield ((first, last) if first >= 0 else (0, LAST)), rule


def _blocks(rule: Mapping[str, Any], lists: Mapping[str, Any]) -> Iterator[str]:
    """Yield the blocks of a rule that are the world, each as it would be looked for in the rule."""
    yield from (entry["CidrIp"] for entry in rule.get("IpRanges") or () if _is_world(entry["CidrIp"]))
    yield from (entry["CidrIpv6"] for entry in rule.get("Ipv6Ranges") or () if _is_world(entry["CidrIpv6"]))
    for named in rule.get("PrefixListIds") or ():
        id_ = named["PrefixListId"]
        yield from (f"{entry['Cidr']} by {id_}" for entry in lists[id_] if _is_world(entry["Cidr"]))


def _is_world(block: str) -> bool:
    addresses = ipaddress.ip_network(block, strict=False)
    private = isinstance(addresses, ipaddress.IPv6Network) and addresses.subnet_of(PRIVATE)
    return addresses.prefixlen < SOMEBODYS[addresses.version] and not private
