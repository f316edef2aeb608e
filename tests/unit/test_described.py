"""What AWS tells of a cluster while it is looked for is lent to the audit that reads it: once, for a moment, and to nobody with other settings."""

from __future__ import annotations

import pytest

from hubspec.cluster import clients as module
from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.clients import Clients
from hubspec.cluster.register import Entry, Register
from tests.accounts import Account, Cluster, serving

HUBS = [Cluster("j-A", "blue"), Cluster("j-A", "green", region="eu-west-1")]


def test_it_is_asked_once_counted_once_and_then_anew() -> None:
    clients = Clients()
    with serving(Account(HUBS)) as account:
        settings = account.variables
        Register(settings=settings, clients=clients).about(Entry("j-A", None))
        first, second = (EmrDoor("j-A", settings=settings, clients=clients) for _ in range(2))
        assert first.describe()["Name"] == "blue"
        assert account.counts() == {"DescribeCluster": 1}
        assert first.trips == {"aws DescribeCluster": 1}
        assert second.describe()["Name"] == "blue"
    assert account.counts() == {"DescribeCluster": 2}, "whoever looks a second time wants to know what is there by then"


def test_it_is_that_of_its_region() -> None:
    clients = Clients()
    with serving(Account(HUBS)) as account:
        settings = account.variables
        Register(["us-east-1"], settings=settings, clients=clients).about(Entry("j-A", "us-east-1"))
        there = EmrDoor("j-A", settings=settings | {"AWS_DEFAULT_REGION": "eu-west-1"}, clients=clients)
        assert there.describe()["Name"] == "green"
        here = EmrDoor("j-A", settings=settings | {"AWS_DEFAULT_REGION": "us-east-1"}, clients=clients)
        assert here.describe()["Name"] == "blue"
    assert account.counts() == {"DescribeCluster": 2}


def test_what_is_old_is_asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    clients, now = Clients(), 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    clients.keep(("j-A",), {"Name": "blue"})
    now += module.FRESH
    assert clients.take(("j-A",)) is None
