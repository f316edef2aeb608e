"""Missing people put right in one batch, against the same commands in one shell script and the same calls to the hub."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from benchmarks.house import NAME, House
from benchmarks.page import table
from benchmarks.world import World, person, write_baseline
from hubspec import plan as plans
from hubspec.apply import apply
from hubspec.baseline import load
from hubspec.check import checks
from hubspec.cluster.docker import DockerDoor
from hubspec.cluster.docker_worker import DockerWorker
from hubspec.cluster.hub import HubDoor, Trust
from hubspec.cluster.token import from_file
from hubspec.door import Workers
from hubspec.model import Absent
from hubspec.plan import Plan
from hubspec.snapshot import Reading, Snapshot
from hubspec.verdict import judge

GOAL, MISSING, DRIFTS = 3, 100, 2000
HEAD = ("missing people", "hubspec s", "the script and the calls s", "ratio")


def of_missing_people(house: House, repeat: int) -> str:
    """Time both ways in turns, on people that the house does not have yet, and the plan alone. Return the tables."""
    made = plan(house, MISSING)
    ours, plain = [], []
    for _ in range(repeat):
        ours.append(timed(lambda: carry_out(house, made)))
        remove(house)
        plain.append(timed(lambda: by_script(house)))
        remove(house)
    one, other = statistics.median(ours), statistics.median(plain)
    rows = [(MISSING, f"{one:.2f}", f"{other:.2f}", f"**{one / other:.2f}**")]
    seconds = statistics.median(timed(lambda: plan(house, DRIFTS // 2)) for _ in range(repeat))
    title = f"## {MISSING} missing accounts and hub users put right (goal: at most {GOAL} times)\n\n"
    said = f"\nA plan of {DRIFTS:,} drifts, with the judgement of each, took {seconds:.2f} s (goal: less than 1).\n"
    return title + table(HEAD, rows) + said


def people(house: House, count: int) -> list[dict[str, Any]]:
    """Return people that the house does not have."""
    return [person(house.now.people + 5000 + number) for number in range(count)]


def plan(house: House, count: int) -> Plan:
    """Return the plan for so many accounts and hub users, all missing."""
    path = write_baseline(house.folder / f"missing-{count}.yaml", World(0, 0), NAME)
    baseline = load(path)
    users = {str(one["name"]): one for one in people(house, count)}
    sections = baseline.sections.model_copy(
        update={
            "users": {
                name: type(baseline.sections.users["jovyan"])(name=name, uid=one["uid"], shell=one["shell"])
                for name, one in users.items()
            },
            "hub_users": {name: type(baseline.sections.hub_users["jovyan"])(name=name, admin=False) for name in users},
        }
    )
    baseline = type(baseline)(baseline.file, sections, baseline.layer)
    now = datetime.now(UTC)
    gone = {name: Absent() for name in users}
    readings = {kind: Reading("docker", "", now, 0.0, dict(gone)) for kind in ("user", "hub_user")}
    snapshot = Snapshot("bench", readings)
    verdicts = [judge(check, baseline, snapshot) for kind in readings for check in checks(baseline, kind)]
    return plans.plan(verdicts, baseline, run="bench", cluster="bench", made=now)


def carry_out(house: House, made: Plan) -> None:
    """Carry the plan out as an audit does. Ends the benchmark where an action is not done."""
    token = from_file(house.folder / "token")
    hub = HubDoor(lambda: house.url, lambda: token, Trust(house.fingerprint))
    worker = DockerWorker(DockerDoor(NAME), lambda: False)
    with worker.lock("a benchmark", 600):
        results = apply(made.chosen("safe"), Workers(worker, hub, None, lambda: False), lambda *_: None)  # type: ignore[arg-type] # nothing here is for AWS
    bad = [str(result) for result in results.values() if result.state != "done"]
    if bad:
        raise SystemExit(f"{len(bad)} of {len(results)} actions were not done: {bad[0]}")


def by_script(house: House) -> None:
    """Make the same people with useradd in one shell script, and one call each to the hub over one connection."""
    new = people(house, MISSING)
    house.sh("set -e\n" + "\n".join(f"useradd -m -U -u {one['uid']} -s {one['shell']} {one['name']}" for one in new))
    with house.session() as session:
        for one in new:
            session.post(f"{house.url}/hub/api/users/{one['name']}", json={"admin": False}).raise_for_status()


def remove(house: House) -> None:
    """Remove those people again."""
    new = people(house, MISSING)
    house.sh("; ".join(f"userdel -r {one['name']} 2>/dev/null" for one in new) + "; true")
    with house.session() as session:
        for one in new:
            session.delete(f"{house.url}/hub/api/users/{one['name']}").raise_for_status()


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that it takes."""
    begun = time.monotonic()
    work()
    return time.monotonic() - begun
