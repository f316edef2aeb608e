"""The clusters of an account, as AWS lists and describes them: each region once, each cluster once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hubspec.cluster.clients import Clients
from hubspec.cluster.session import Session
from hubspec.errors import DoorError, UnknownClusterError

LIVING = ("STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING")
UP = ("RUNNING", "WAITING")
"""States of a cluster (EMR API 2009-03-31): those before its end, and those in which its applications run."""


@dataclass(frozen=True)
class Entry:
    """A cluster, and what is known of it so far: its name and state of a listing, the rest of a description."""

    id: str
    region: str | None
    name: str = ""
    state: str = ""
    arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    applications: frozenset[str] = frozenset()

    @property
    def up(self) -> bool:
        """Say whether its applications run."""
        return self.state in UP

    @property
    def said(self) -> str:
        """Return it for a person."""
        return f"{self.id} {self.name!r} ({self.state}{f', {self.region}' if self.region else ''})"


class Register:
    """What is asked about more than one cluster. `regions` are those that were named; none is where the standard variables say.

    ListClusters gives 50 a page and tells neither applications nor tags; those take a DescribeCluster each.
    """

    def __init__(
        self,
        regions: Sequence[str] = (),
        *,
        settings: Mapping[str, str] | None = None,
        deadline: float = 60,
        progress: Callable[[str], None] = lambda _line: None,
        clients: Clients | None = None,
    ) -> None:
        """Nothing is asked yet. The rest is as for `Session`."""
        self.regions: list[str | None] = list(regions)
        self._settings, self._deadline, self._progress = dict(settings or {}), deadline, progress
        self._clients = clients or Clients()
        self._sessions: dict[str | None, Session] = {}
        self._known: dict[tuple[str, str | None], Entry] = {}
        self._lock = threading.Lock()

    def living(self, region: str | None) -> list[Entry]:
        """Return the clusters of a region that have not ended. Raises DoorError."""
        entries: list[Entry] = []
        arguments: dict[str, Any] = {"ClusterStates": list(LIVING)}
        while True:
            answer = self._session(region).call("ListClusters", **arguments)
            entries += [_entry(one, region) for one in answer.get("Clusters", [])]
            if not answer.get("Marker"):
                return entries
            arguments["Marker"] = answer["Marker"]

    def about(self, entry: Entry) -> Entry:
        """Return a cluster with its tags and applications. Raises DoorError, UnknownClusterError."""
        key = (entry.id, entry.region)
        if key not in self._known:
            told = self._session(entry.region).described(entry.id, lend=True)
            self._known[key] = replace(
                _entry(told, entry.region),
                tags={str(tag["Key"]): str(tag.get("Value", "")) for tag in told.get("Tags") or []},
                applications=frozenset(str(one.get("Name")) for one in told.get("Applications") or []),
            )
        return self._known[key]

    def account(self, entries: Sequence[Entry]) -> str:
        """Return which account is asked, by the name of one of its clusters or by its credentials."""
        numbers = [entry.arn.split(":")[4] for entry in entries if entry.arn.count(":") > 4]
        try:
            number = (
                numbers[0]
                if numbers
                else self._session(self.regions[0] if self.regions else None).call("GetCallerIdentity")["Account"]
            )
        except (DoorError, UnknownClusterError):
            return "this account"
        return f"account {number}"

    def place(self, region: str | None) -> str:
        """Return a region for a person."""
        if region:
            return region
        try:
            return self._session(None).region
        except DoorError:
            return "no region"

    def _session(self, region: str | None) -> Session:
        with self._lock:
            if region not in self._sessions:
                settings = self._settings | ({"AWS_DEFAULT_REGION": region} if region else {})
                self._sessions[region] = Session(
                    settings=settings, deadline=self._deadline, progress=self._progress, clients=self._clients
                )
            return self._sessions[region]


def _entry(told: Mapping[str, Any], region: str | None) -> Entry:
    status = told.get("Status") or {}
    return Entry(
        str(told["Id"]),
        region,
        str(told.get("Name", "")),
        str(status.get("State", "")),
        str(told.get("ClusterArn", "")),
    )
