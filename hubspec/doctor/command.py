"""The command `doctor`: which clusters, what is checked of each in which order, and how it is told."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from hubspec.arguments import Arguments
from hubspec.baseline import Baseline, load
from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.by_aws import NAMES
from hubspec.cluster.chosen import ChosenDoor
from hubspec.cluster.find import FORMS, describe, find, is_form
from hubspec.cluster.hub import HubDoor
from hubspec.cluster.opened import opened
from hubspec.cluster.preflight import terminal, within
from hubspec.cluster.register import Register
from hubspec.cluster.site import Site
from hubspec.cluster.steps import StepDoor
from hubspec.doctor import aws, by_aws, hub, machine, table, way
from hubspec.doctor.examine import examine
from hubspec.doctor.model import Check, Course, Finding, Findings, spared
from hubspec.door import Doors
from hubspec.errors import DoorError
from hubspec.printable import printable
from hubspec.provenance import OF_DOORS, for_none, of_clusters, settings

BASELINES = Path(__file__).resolve().parent.parent.parent / "baselines"
OPTIONS = (*OF_DOORS, "--baseline", "--smoke")
"""Those of a doctor."""
LIMIT = 3
"""How many times the deadline of one request one check may take."""


class Wish(Arguments):
    """The options of a doctor, who makes no token, and lists one page of steps."""

    def text(self, option: str) -> str | None:
        """Return the value of an option, or None."""
        return None if option == "--mint-token" else super().text(option)

    @property
    def mint(self) -> str | None:
        """Return for whom an audit would make a token, whatever else there is; or where it has none, see `spare`."""
        return super().given("--mint-token")

    @property
    def spare(self) -> str | None:
        """Return for whom an audit would make a token where it has none."""
        return super().text("--mint-token")

    @property
    def curious(self) -> bool:
        """Say whether the container is looked into for a word more: by nothing that leaves its marks."""
        return self.door not in NAMES

    @property
    def deadline(self) -> float:
        """Return the seconds that a request may take."""
        return self.seconds("--deadline", "10")

    @property
    def step_limit(self) -> int:
        """Return how many steps are listed."""
        return 1

    @property
    def login(self) -> bool:
        """Say whether the smoke test of a login is wanted."""
        return "login" in (super().text("--smoke") or "").split(",")


def doctor(asked: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Look at the clusters one after the other, print what was found, and return the exit code. Raises HubspecError."""
    options = Wish(asked)
    for line in settings(options, OPTIONS):
        say(line)
    baseline = load(options.path("--baseline") or BASELINES / "emr.yaml")
    told = dict(_examined(options, baseline, say))
    if asked.json:
        print(json.dumps([table.document(name, found) for name, found in told.items()], indent=2))
    else:
        width = terminal()
        print("\n\n".join("\n".join(table.lines(name, found, width)) for name, found in told.items()))
    return max(map(table.code, told.values()))


def _examined(options: Wish, baseline: Baseline, say: Callable[[str], None]) -> Iterator[tuple[str, list[Finding]]]:
    words = options.many("--cluster")
    if not words:
        options.refuse("of which cluster? Give --cluster j-XXX, or ssh://USER@HOST:PORT")
    wrong = [word for word in words if not is_form(word)]
    if "lab" in wrong:
        lab = 'the lab is a cluster like any other here: eval "$(python -m lab env)", then --cluster with its id'
        options.refuse(lab)
    if wrong:
        options.refuse(f"--cluster {printable(wrong[0])}: wanted {FORMS}")
    register = Register(options.regions, deadline=options.deadline, progress=say)
    try:
        search = find(words, register, say)
        describe(search, register, options.configured.asks, say)
    except DoorError as error:
        lost = EmrDoor("", deadline=options.deadline)
        yield ", ".join(words), _found(", ".join(words), options, say, partial(nowhere, lost, error))
        return
    for line in (*search.left_out, *search.unseen):
        say(f"left out: {line}")
    tables = {one.id: options.configured.layers(one.id, one.called, dict(one.tags)) for one in search.found.values()}
    own = of_clusters(((name, options.of(its), its) for name, its in tables.items()), OPTIONS)
    used = (layer.source for its in tables.values() for layer in its)
    for line in (*own, *for_none(options, options.configured, used)):
        say(line)
    for one in search.found.values():
        options.tables = tables[one.id]
        if options.tables:
            baseline = load(options.path("--baseline") or BASELINES / "emr.yaml")
        site = Site(one.id, aws={"AWS_DEFAULT_REGION": one.region} if one.region else None)
        with opened(site, options, lambda _line: None) as doors:
            yield one.id, _found(one.id, options, say, partial(checks, doors, options, baseline))


def _found(name: str, options: Wish, say: Callable[[str], None], every: Callable[[], Iterator[Check]]) -> list[Finding]:
    course = Course()
    limit = LIMIT * options.deadline

    def patient(check: Check, do: Callable[[], None]) -> None:
        section, _, first = check.rows[0].partition(".")
        what = f"{section}: {', '.join((first, *(row.partition('.')[2] for row in check.rows[1:])))}"
        within(do, limit, partial(say, f"{name}: still at {what}; at most {limit:g} s"))

    examine(every(), course, patient)
    return list(course.found.values())


def nowhere(lost: EmrDoor, error: DoorError) -> Iterator[Check]:
    """Yield what can be checked where AWS does not let us find the cluster, and why it does not."""

    def listed() -> Findings:
        raise error

    yield from machine.checks(login=False)
    yield from aws.way(lost)
    yield Check(
        ("aws.ListClusters",), listed, ("aws.credentials",), fix=f"allow elasticmapreduce:ListClusters ({aws.POLICY})"
    )


def checks(doors: Doors, options: Wish, baseline: Baseline) -> Iterator[Check]:
    """Yield all checks, in their order."""
    yield from machine.checks(login=options.login)
    if isinstance(doors.aws, EmrDoor):
        yield from aws.checks(doors.aws, baseline)
    else:
        yield Check(("aws.cluster",), lambda: iter([spared("aws.cluster", "it is a machine by its address")]))
    assert isinstance(doors.container, ChosenDoor)
    assert isinstance(doors.hub, HubDoor)
    others = None
    if isinstance(doors.aws, EmrDoor) and isinstance(doors.steps, StepDoor):
        others = by_aws.ByAws(doors.aws, doors.steps)
    yield from way.checks(doors.container.choice, doors.container.container, options.deadline, others)
    yield from hub.checks(doors.hub, baseline, hub.Mint(options.mint, options.spare), options.deadline)
