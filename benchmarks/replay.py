"""A plugin of pytest for `benchmarks.clusters`: the container's door leads to a server that replays, and the reading is timed."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Generator
from typing import Any

import pytest

from hubspec.cluster import opened
from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.site import Site, host
from hubspec.door import Look

PORT = 9444


class Replayed:
    """Both the choice of a door, and the door that it is."""

    name, command, why, said = "replay", "a recorded answer", "", ""

    def __init__(self, site: Site, aws: EmrDoor, deadline: float) -> None:
        self._site, self._aws, self._deadline = site, aws, deadline
        self.trips = {"recorded answer": 0}
        self.door = self.made = self

    def make(self) -> Replayed:
        return self

    def line(self) -> None:
        return None

    def look(self, script: str, *, others: bool) -> Look:
        del others
        self.trips["recorded answer"] += 1
        with socket.create_connection((host(self._site, self._aws), PORT), self._deadline) as link:
            link.sendall(script.encode())
            link.shutdown(socket.SHUT_WR)
            told = b"".join(iter(lambda: link.recv(2**16), b""))
        return Look(**json.loads(told))


def _choice(site: Site, options: Any, by_aws: Any, _lines: Any) -> Replayed:
    return Replayed(site, by_aws.aws, options.deadline)


def pytest_configure(config: pytest.Config) -> None:
    opened.choice = _choice  # type: ignore[assignment,attr-defined] # it stands for what chooses a door
    config.pluginmanager.register(Clock(config), "replay-clock")


class Clock:
    """Says after how long the first test begins: until then the clusters are read."""

    def __init__(self, config: pytest.Config) -> None:
        self._config, self._began = config, 0.0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        self._began = time.perf_counter()
        return (yield)

    def pytest_runtest_logstart(self) -> None:
        if self._began:
            took, self._began = time.perf_counter() - self._began, 0.0
            self._config.get_terminal_writer().line(f"\nall clusters were read after {took:.2f} s")
