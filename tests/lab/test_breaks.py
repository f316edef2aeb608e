"""The proof that the checks can fail: every break of the lab turns the audit red, every mend turns it green."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

import lab
from hubspec.kinds import KINDS
from lab import Lab, breaks
from lab.breaks import BREAKS
from tests.conftest import Audit
from tests.lab.red import not_applicable, silent, turns_red


@pytest.fixture(autouse=True)
def here(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Start from the lab as declared, with the hub that it has, and leave it so."""
    yield lab.up(print)
    name = request.node.callspec.params.get("name") if hasattr(request.node, "callspec") else None
    if name:
        breaks.mend(name)


def test_the_lab_is_what_its_baseline_declares(audit: Audit, here: Lab) -> None:
    run = audit("--cluster", "lab")

    assert run.code == 0, run.text
    assert set(run.outcomes()) <= {"compliant", "not applicable"}
    assert not_applicable(run) == silent(here.version)
    kinds = {
        "container",
        "user",
        "package",
        "kernel",
        "file",
        "config",
        "hub",
        "hub_user",
        "hub_group",
        "service",
        "server",
        "hub_token",
        "route",
        "proxy",
        "step",
        "cluster",
    }
    assert {record["kind"] for record in run.records} == kinds


@pytest.mark.parametrize("name", BREAKS)
def test_break(audit: Audit, name: str) -> None:
    turns_red(audit, name)


def test_the_mends_left_it_as_declared(audit: Audit) -> None:
    run = audit("--cluster", "lab")

    assert run.code == 0, run.text


def test_every_control_of_the_lab_has_its_break(audit: Audit) -> None:
    """Which controls turned red is seen above; this says that no kind of control was forgotten."""
    run = audit("--cluster", "lab")
    checked = {(record["kind"], record["check"]) for record in run.records}
    seen = [entry for entry in BREAKS.values() if not entry.smoke]
    broken = {(entry.kind, "undeclared" if entry.resource == "*" else "declared") for entry in seen}

    assert checked == broken
    assert {entry.resource for entry in BREAKS.values() if entry.smoke and entry.kind == "server"} == set(
        KINDS["server"].smoke
    )


def test_a_stopped_container_is_11_with_errors_and_nothing_to_do(audit: Audit) -> None:
    breaks.apply("container-stopped")
    try:
        run = audit("--cluster", "lab")
    finally:
        breaks.mend("container-stopped")

    assert run.code == 11
    assert "failed" not in run.text.splitlines()[-1]
    assert run.outcomes("user") == {"unreadable": len([r for r in run.records if r["kind"] == "user"])}
    assert "the container jupyterhub is exited with status" in run.text
    assert "start it: sudo docker start jupyterhub" in run.text
    assert json.dumps([record["actions"] for record in run.records if record["actions"]]) == "[]"
