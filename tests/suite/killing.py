"""A plugin of an audit that dies, or hangs, at a named point: as a machine does, by SIGKILL.

HUBSPEC_TEST_DEATHS is a JSON object: cluster (the name of its snapshot's file) -> {point, whom, once}. `whom` is audit, warm
(the process that forked it) or worker; `once` a folder in which the first death leaves its mark, and is then the only one.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Generator
from pathlib import Path

import pytest

POINTS = (
    "conftests",
    "configure",
    "session",
    "collected",
    "reading",
    "setup",
    "call",
    "finishing",
    "written",
    "over",
)


def _at(point: str, config: pytest.Config) -> None:
    wanted = json.loads(os.environ.get("HUBSPEC_TEST_DEATHS", "{}")).get(Path(config.option.snapshot or "none").stem)
    if not wanted or wanted["point"] != point:
        return
    mark = Path(wanted["once"] or "/nonexistent", Path(config.option.snapshot).stem)
    if mark.exists():
        return
    if wanted["once"]:
        mark.touch()
    if wanted["whom"] == "audit":
        os.kill(os.getpid(), signal.SIGKILL)
    if wanted["whom"] == "warm":
        os.kill(os.getppid(), signal.SIGKILL)
        return  # we live on, and nobody is there to tell how we end
    if wanted["whom"] == "worker":  # the process whose thread waits for us: our parent forked us for it
        os.kill(int(Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
    time.sleep(600)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    # The suite's own options are not known yet.
    words = [word.partition("=")[2] for word in args if word.startswith("--snapshot=")]
    early_config.option.snapshot = words[-1] if words else None
    _at("conftests", early_config)


def pytest_configure(config: pytest.Config) -> None:
    _at("configure", config)


def pytest_sessionstart(session: pytest.Session) -> None:
    _at("session", session.config)


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    _at("collected", config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    _at("reading", session.config)


def pytest_runtest_setup(item: pytest.Item) -> None:
    _at("setup", item.config)


def pytest_runtest_call(item: pytest.Item) -> None:
    _at("call", item.config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    _at("finishing", session.config)
    yield
    _at("written", session.config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> Generator[None]:
    yield
    _at("over", config)
