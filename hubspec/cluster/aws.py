"""The AWS door: what the EMR and EC2 APIs say of one cluster, with the standard AWS variables."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from hubspec.cluster import logs
from hubspec.cluster.clients import Clients
from hubspec.cluster.session import NoAnswerError, RefusedError, Session
from hubspec.errors import DoorError
from hubspec.model import Detail, Unreadable

STEP_LIMIT = 5000
"""How many of the newest steps are listed unless told otherwise: AWS gives 50 a page, and lists them from its start."""
TELL = 2.0
"""Seconds between two lines of progress."""


class EmrDoor:
    """The AWS APIs about one cluster (EMR 2009-03-31, EC2 2016-11-15). Each answer is asked for once.

    `settings` are AWS variables that count instead of the environment's. `deadline` is in seconds, for each call.
    `errors` has the error of each call that was refused.
    """

    name = "aws"

    def __init__(  # noqa: PLR0913 - what one cluster is asked about with
        self,
        cluster_id: str,
        *,
        settings: Mapping[str, str] | None = None,
        deadline: float = 20,
        step_limit: int = STEP_LIMIT,
        progress: Callable[[str], None] = lambda _line: None,
        clients: Clients | None = None,
    ) -> None:
        """Nothing is asked of AWS yet."""
        self.cluster_id, self.step_limit, self._progress = cluster_id, step_limit, progress
        self.session = Session(settings=settings, deadline=deadline, progress=progress, clients=clients)
        self.command = f"AWS API, {cluster_id}"
        self.errors: dict[str, DoorError] = {}
        self._known: dict[str, Any] = {}
        self._silent: Unreadable | None = None
        self._lock = threading.RLock()

    @property
    def trips(self) -> dict[str, int]:
        """Return the number of calls by name."""
        return dict(self.session.trips)

    def describe(self) -> dict[str, Any]:
        """Return the `Cluster` of DescribeCluster. Raises DoorError, and UnknownClusterError where there is none."""
        answer = self._answer("DescribeCluster")
        if isinstance(answer, Unreadable):
            raise DoorError(answer.reason)
        return dict(answer)

    def ask(self, calls: str) -> dict[str, Any]:
        """Return name -> answer of the calls named; Unreadable for one that AWS does not let us make.

        Raises UnknownClusterError where AWS has no such cluster.
        """
        return {name: self._answer(name) for name in calls.split()}

    def masters(self) -> list[dict[str, Any]]:
        """Return the master instances that run or are about to, as ListInstances tells them. Raises DoorError."""
        answer = self._answer("ListInstances")
        if isinstance(answer, Unreadable):
            raise DoorError(answer.reason)
        return list(answer)

    def explain(self, thing: str) -> tuple[Detail, ...]:
        """Return the last lines of the logs of a step that was listed, by its id, or why they cannot be had."""
        try:
            log_uri = self.describe().get("LogUri")
        except DoorError as error:
            return (Detail("log", str(error)),)
        listing = self._answer("ListSteps")
        steps = [] if isinstance(listing, Unreadable) else listing["Steps"]
        entry: dict[str, Any] = next((step for step in steps if step["Id"] == thing), {})
        ended = entry.get("Status", {}).get("Timeline", {}).get("EndDateTime")
        return logs.explain(self.session, logs.folder(log_uri, self.cluster_id, thing), ended)

    def _answer(self, name: str) -> Any:
        with self._lock:
            if name not in self._known:
                try:
                    # What did not answer once is not waited for call after call.
                    self._known[name] = self._silent or getattr(self, f"_{_snake(name)}")()
                except NoAnswerError as error:
                    self._silent = self._known[name] = Unreadable(str(error))
                    self.errors[name] = error
                except DoorError as error:
                    self._known[name], self.errors[name] = Unreadable(str(error)), error
            return self._known[name]

    def _describe_cluster(self) -> Any:
        return self.session.described(self.cluster_id)

    def _list_steps(self) -> dict[str, Any]:
        steps: list[Any] = []
        told, page, now = time.monotonic(), "first", datetime.now(UTC)
        arguments: dict[str, Any] = {"ClusterId": self.cluster_id}
        while page:
            try:
                answer = self.session.call("ListSteps", **arguments)
            except RefusedError as error:
                raise DoorError(f"{error} (after {len(steps)} steps)" if steps else str(error)) from None
            steps += answer["Steps"]
            page = arguments["Marker"] = answer.get("Marker", "")
            if page and len(steps) >= self.step_limit:
                cut = f"only the newest {len(steps)} steps were listed; more with --step-limit"
                return {"Steps": steps, "Now": now, "Cut": cut}
            if time.monotonic() - told > TELL:
                told = time.monotonic()
                self._progress(f"{self.cluster_id}: {len(steps)} steps listed so far")
        return {"Steps": steps, "Now": now, "Cut": ""}

    def _list_instances(self) -> Any:
        fleet = self.describe().get("InstanceCollectionType") == "INSTANCE_FLEET"
        which: dict[str, Any] = {"InstanceFleetType": "MASTER"} if fleet else {"InstanceGroupTypes": ["MASTER"]}
        living = ["AWAITING_FULFILLMENT", "PROVISIONING", "BOOTSTRAPPING", "RUNNING"]
        return self.session.call("ListInstances", ClusterId=self.cluster_id, InstanceStates=living, **which)[
            "Instances"
        ]

    def _list_bootstrap_actions(self) -> Any:
        return self.session.call("ListBootstrapActions", ClusterId=self.cluster_id)["BootstrapActions"]

    def _get_auto_termination_policy(self) -> Any:
        answer = self.session.call("GetAutoTerminationPolicy", ClusterId=self.cluster_id)
        return answer.get("AutoTerminationPolicy") or {}

    def _describe_security_configuration(self) -> Any:
        name = self.describe().get("SecurityConfiguration")
        return self.session.call("DescribeSecurityConfiguration", Name=name)["SecurityConfiguration"] if name else "{}"

    def _describe_security_groups(self) -> Any:
        about = self.describe().get("Ec2InstanceAttributes") or {}
        groups = [about.get("EmrManagedMasterSecurityGroup"), *(about.get("AdditionalMasterSecurityGroups") or [])]
        known = [group for group in groups if group]
        if not known:
            raise DoorError("the cluster names no security group of its master node")
        return self.session.call("DescribeSecurityGroups", GroupIds=known)["SecurityGroups"]

    def _get_managed_prefix_list_entries(self) -> Any:
        groups = self._answer("DescribeSecurityGroups")
        if isinstance(groups, Unreadable):
            raise DoorError(groups.reason)
        rules = [rule for group in groups for rule in group.get("IpPermissions", [])]
        ids = {entry["PrefixListId"] for rule in rules for entry in rule.get("PrefixListIds", [])}
        return {id_: self._entries(id_) for id_ in sorted(ids)}

    def _entries(self, prefix_list: str) -> list[Any]:
        entries: list[Any] = []
        arguments: dict[str, Any] = {"PrefixListId": prefix_list, "MaxResults": 100}
        while True:
            answer = self.session.call("GetManagedPrefixListEntries", **arguments)
            entries += answer["Entries"]
            if not answer.get("NextToken"):
                return entries
            arguments["NextToken"] = answer["NextToken"]


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
