"""From verdicts to one ordered plan: what would be done, in which order, and what each action needs first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from hubspec.baseline import Baseline
from hubspec.errors import PlanError
from hubspec.kinds import KINDS
from hubspec.model import Action, Outcome, Value
from hubspec.record import plain
from hubspec.verdict import Verdict

VERSION = 1
"""Version of a plan file."""
SHOWN = 110
"""Characters of a request on the terminal."""
DOORS = ("engine", "container", "hub", "aws")
"""The order in which doors are worked through: a container runs before its users are made, a user is there before the
hub is told of it."""
PERMISSIONS = {
    "engine": "the Docker engine of the master node",
    "container": "root in the hub's container",
    "hub": "an admin's token of the hub",
}


class Entry(Value):
    """One action of a plan, the drift that it answers, and the entries that must be done before it."""

    id: str
    kind: str
    resource: str
    control: str
    differences: list[dict[str, Any]] = Field(description="{field, wanted, found} of each field that differs.")
    action: Action
    permission: str = Field(description="What it takes to carry it out.")
    needs: list[str] = Field(description="Ids of the entries that must be done first.")

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what makes it the same entry in another plan."""
        return self.kind, self.resource, self.action.request


class Plan(Value):
    """What a run would do to one cluster, in order. One file holds one plan."""

    plan_version: int = VERSION
    run: str
    cluster: str
    made: datetime = Field(strict=False, description="UTC.")
    baseline: str
    entries: list[Entry]

    def chosen(self, safety: Literal["safe", "unsafe"]) -> list[Entry]:
        """Return the entries that may be carried out: the safe ones, or the unsafe ones too; never the manual ones."""
        allowed = {"safe"} if safety == "safe" else {"safe", "unsafe"}
        return [entry for entry in self.entries if entry.action.safety in allowed]


def plan(verdicts: Iterable[Verdict], baseline: Baseline, *, run: str, cluster: str, made: datetime) -> Plan:
    """Return the plan that answers these verdicts. Only drifts have one: what was waived or not seen is left alone.

    What exists without being declared is in it only where the baseline's policy is to remove it.
    """
    found: dict[tuple[str, str, str], tuple[Verdict, Action]] = {}
    for verdict in verdicts:
        check = verdict.check
        kept = check.resource is None and baseline.policy(check.kind).policy != "remove"
        if verdict.outcome is not Outcome.DRIFTED or kept or check.sort == "smoke":
            continue
        for action in verdict.actions:
            found.setdefault((check.kind, check.name, action.request), (verdict, action))
    kinds = list(KINDS)
    ordered = sorted(
        found.values(),
        key=lambda one: (DOORS.index(one[1].door), kinds.index(one[0].check.kind), _takes_what_is_left(one[0])),
    )
    numbered = [(str(number), verdict, action) for number, (verdict, action) in enumerate(ordered, 1)]
    return Plan(run=run, cluster=cluster, made=made, baseline=str(baseline.file), entries=list(_entries(numbered)))


def _takes_what_is_left(verdict: Verdict) -> bool:
    """Say whether a thing gets a number that others leave: an account without a declared uid comes after those with one."""
    return getattr(verdict.check.resource, "uid", 0) is None


def _entries(numbered: list[tuple[str, Verdict, Action]]) -> Iterator[Entry]:
    mine: dict[tuple[str, str], list[str]] = {}
    for id_, verdict, action in numbered:
        if action.safety != "manual":
            mine.setdefault((verdict.check.kind, verdict.check.name), []).append(id_)
    for id_, verdict, action in numbered:
        check = verdict.check
        first = KINDS[check.kind].needs(check.resource) if check.resource else []
        before = [one for need in first for one in mine.get(need, [])]
        earlier = [one for one in mine.get((check.kind, check.name), []) if int(one) < int(id_)]
        yield Entry(
            id=id_,
            kind=check.kind,
            resource=check.name,
            control=check.control_id,
            differences=[
                {"field": plain(one.field), "wanted": plain(one.wanted), "found": plain(one.found)}
                for one in verdict.differences
            ],
            action=action,
            permission=permission(action),
            # Of several actions about one resource each is built on the one before it; undeclared things are each their own.
            needs=[*before, *(earlier[-1:] if check.resource else [])],
        )


def permission(action: Action) -> str:
    """Return what it takes to carry an action out."""
    return PERMISSIONS.get(action.door) or action.request.partition(" ")[0]


def batches(entries: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    """Return the entries by door, in the order in which the doors are worked through."""
    listed = list(entries)
    by_door = [(door, [entry for entry in listed if entry.action.door == door]) for door in DOORS]
    return [(door, mine) for door, mine in by_door if mine]


def moved_on(reviewed: Plan, fresh: Plan) -> list[str]:
    """Return a sentence for each entry of a reviewed plan that no longer follows from what is there now."""
    now = {entry.key: entry for entry in fresh.entries}
    said = []
    for entry in reviewed.entries:
        same = now.get(entry.key)
        if same is None:
            said.append(
                f"{entry.id}. {entry.kind} {entry.resource}: {entry.action.sentence}: nothing calls for it any more"
            )
        elif same.differences != entry.differences:
            said.append(f"{entry.id}. {entry.kind} {entry.resource}: {entry.action.sentence}: it differs otherwise now")
    return said


def reviewed(plan_: Plan, fresh: Plan) -> list[Entry]:
    """Return the entries of the fresh plan that the reviewed one names, without the manual ones; their ids are its own."""
    named = {entry.key for entry in plan_.entries}
    return [entry for entry in fresh.chosen("unsafe") if entry.key in named]


def read_file(path: Path) -> Plan:
    """Return the plan in a file. Raises PlanError, with a sentence, where the file holds none that can be read."""
    try:
        found = Plan.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path}: cannot be read: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise PlanError(
            f"{path}: is no plan of hubspec ({where}: {first['msg']}); make one with --remediate=plan"
        ) from None
    if found.plan_version != VERSION:
        raise PlanError(
            f"{path}: is a plan of version {found.plan_version}; this hubspec reads {VERSION}: make a new one"
        )
    return found


def lines(plan_: Plan) -> Iterator[str]:
    """Yield the plan for a terminal, one line for each action and one for its request."""
    total = len(plan_.entries)
    yield f"{plan_.cluster}: the plan has {total or 'no'} action{'s' * (total != 1)}"
    for entry in plan_.entries:
        needs = f", after {', '.join(entry.needs)}" if entry.needs else ""
        yield f"  {entry.id:>3}. {entry.action.safety:<6} {entry.kind} {entry.resource}: {entry.action.sentence} (door {entry.action.door}, {entry.permission}{needs})"
        yield f"       answers {entry.control}: {', '.join(str(one['field']) for one in entry.differences)}"
        request = entry.action.request
        short = request.partition("\n")[0][:SHOWN]
        yield f"       {request if request == short else f'{short}... (whole in plan.json)'}"
