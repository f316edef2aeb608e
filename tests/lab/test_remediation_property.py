"""Whatever drifts on the lab: carried out, the plan leaves nothing to plan; and carried out twice it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import emr
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.doors import _facts
from hubspec import plan as plans
from hubspec.apply import apply
from hubspec.baseline import load
from hubspec.cluster.opened import opened
from hubspec.cluster.options import DoorOptions
from hubspec.cluster.site import Site
from hubspec.collect import collect
from hubspec.plan import Plan
from hubspec.restart import every_check
from hubspec.snapshot import Snapshot
from hubspec.verdict import judge
from lab import breaks, hub, inside
from lab.breaks.model import Scene
from lab.model import HUB
from tests.conftest import ROOT

BASELINE = load(ROOT / "baselines" / "lab.yaml")
KINDS = {"user", "file", "hub_user"}
NAMES = st.sampled_from(["diego", "shirley", "ana"])
IN_THE_CONTAINER = st.one_of(
    st.builds("usermod -s {1} {0}".format, NAMES, st.sampled_from(["/bin/sh", "/usr/sbin/nologin"])),
    st.builds("usermod -G '{1}' {0}".format, NAMES, st.sampled_from(["", "users", "users,analysts"])),
    st.builds("usermod -d /srv/{0} {0}".format, NAMES),
    st.builds("usermod -u {1} {0}".format, NAMES, st.integers(4000, 4009)),
    st.builds("passwd -l {0}".format, NAMES),
    st.builds("userdel {0}".format, NAMES),
    st.just("gpasswd -d shirley analysts"),
    st.builds("chmod {} /etc/jupyter/conf/server.key".format, st.sampled_from(["0644", "0666", "0400"])),
    st.builds("chown {} /etc/jupyter/conf/config.json".format, st.sampled_from(["jovyan", "nobody"])),
)
AT_THE_HUB = st.one_of(
    st.tuples(st.just("DELETE"), st.builds("/users/{}".format, NAMES), st.none()),
    st.tuples(st.just("PATCH"), st.builds("/users/{}".format, NAMES), st.just({"admin": True})),
    st.tuples(st.just("DELETE"), st.just("/groups/analysts/users"), st.just({"users": ["diego"]})),
)


class Nothing(DoorOptions):
    """A command line without any option."""

    def given(self, option: str) -> str | None:
        return {"--deadline": "30"}.get(option)

    def switched(self, option: str) -> bool:
        return bool(option) and False

    def refuse(self, message: str) -> NoReturn:
        raise AssertionError(message)

    @property
    def folder(self) -> Path:
        return ROOT


@pytest.fixture(scope="module")
def on() -> Iterator[Scene]:
    """Give the lab, up, and leave it as declared."""
    with emr.scene() as scene:
        yield scene
        for name in ("diego-missing", "hub-diego-missing", "config-mode"):
            breaks.mend(name)


def doors(on: Scene) -> Any:
    return opened(Site(on.lab.cluster_id, _facts(on.lab), on.lab.aws_env), Nothing(), print)


def look(on: Scene) -> Snapshot:
    with doors(on) as ways:
        return collect("lab", ways, BASELINE, KINDS)


def planned(snapshot: Snapshot) -> Plan:
    verdicts = [judge(check, BASELINE, snapshot) for check in every_check(BASELINE) if check.kind in KINDS]
    return plans.plan(verdicts, BASELINE, run="r", cluster="lab", made=datetime.now(UTC))


def carry_out(on: Scene, plan: Plan) -> list[str]:
    """Return the results that are not done."""
    with doors(on) as ways:
        assert ways.work is not None
        results = apply(plan.chosen("unsafe"), ways.work(lambda: False), lambda _entry, _result: None)
    return [
        f"{plan.entries[int(id_) - 1].action.request}: {result}"
        for id_, result in results.items()
        if result.state != "done"
    ]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(st.lists(IN_THE_CONTAINER, max_size=5), st.lists(AT_THE_HUB, max_size=3))
def test_applied_it_plans_nothing_and_applied_twice_it_changes_nothing(
    on: Scene, commands: list[str], requests: list[tuple[str, str, Any]]
) -> None:
    for command in commands:
        inside.run(on.client, HUB, command)
    for method, path, body in requests:
        hub.ask(on.lab, method, path, body)
    plan = planned(look(on))

    assert carry_out(on, plan) == []
    after = look(on)
    assert [entry.action.request for entry in planned(after).entries] == []
    assert carry_out(on, plan) == [], "twice"
    assert {kind: reading.seen for kind, reading in look(on).readings.items()} == {
        kind: reading.seen for kind, reading in after.readings.items()
    }
