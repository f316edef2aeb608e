"""Which machine an audit is about, and what was known of it before anything was asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.options import ADDRESS
from hubspec.errors import DoorError

_ENDED = {"TERMINATING", "TERMINATED", "TERMINATED_WITH_ERRORS"}
"""States of a cluster whose machines are gone, or about to be (EMR API 2009-03-31)."""


@dataclass(frozen=True)
class Site:
    """A cluster by its id, or a machine by its address (ssh://USER@HOST:PORT), and what is known of it: values of options, and AWS variables.

    Both count before the environment, and the command line before both. `master` is the name of a container of the engine
    here that is the master node, where there is one.
    """

    cluster_id: str
    known: Mapping[str, str] = field(default_factory=dict)
    aws: Mapping[str, str] | None = None
    master: str | None = None

    @property
    def address(self) -> re.Match[str] | None:
        """Return user, host and port of a machine; None for a cluster of EMR."""
        return re.fullmatch(ADDRESS, self.cluster_id)


def host(site: Site, door: EmrDoor) -> str:
    """Return the name of the master node. Raises DoorError where AWS does not tell it."""
    if site.address:
        return site.address["host"]
    about = door.describe()
    name, state = about.get("MasterPublicDnsName"), about.get("Status", {}).get("State", "of no state")
    if state in _ENDED:
        raise DoorError(f"{door.cluster_id} has ended: it is {state}")
    if not name:
        raise DoorError(f"AWS names no master node of {door.cluster_id} (it is {state})")
    return str(name)
