"""A plugin of pytest: the container's door of a simulated cluster leads to a server that replays what a real one answered."""

from __future__ import annotations

from typing import Any

from benchmarks.replay import Replayed
from hubspec.cluster import opened
from hubspec.cluster.site import Site
from hubspec.door import Look
from hubspec.errors import DoorError


class Door(Replayed):
    """One that says as the real ones do why nothing was seen."""

    def look(self, script: str, *, others: bool) -> Look:
        try:
            return super().look(script, others=others)
        except (OSError, ValueError) as error:
            raise DoorError(f"the simulated container does not answer: {type(error).__name__}") from None


def _choice(site: Site, options: Any, by_aws: Any, _lines: Any) -> Door:
    return Door(site, by_aws.aws, options.deadline)


def pytest_configure() -> None:
    opened.choice = _choice  # type: ignore[assignment,attr-defined] # it stands for what chooses a door


def pytest_report_header() -> str:
    return "SIMULATED: the AWS API, the hubs and the containers of this run are a simulation (benchmarks/fleet)"
