"""The stages of a benchmark: audits against the floor, accounts against the peers, the lab's own audit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks import contenders
from benchmarks.clock import Contender, in_turns
from benchmarks.clusters import table_of_clusters
from benchmarks.contenders import audit, floor, serverspec, stock_testinfra
from benchmarks.doors import table_of_doors
from benchmarks.fleet.night import night
from benchmarks.fleet.served import record
from benchmarks.fleet.tables import WORLD, beyond, growth, table_of_dask
from benchmarks.fleet.world import Fleet
from benchmarks.formats import table_of_formats
from benchmarks.house import NAME, House
from benchmarks.page import table
from benchmarks.remediation import of_missing_people
from benchmarks.vocabulary import table_of_vocabulary
from benchmarks.world import World, write_baseline

PEERS_AT = 300
"""Assertions against the peers: uid, home and shell of a third as many people."""
GOAL, GOAL_PEERS = 1.5, 50
SMALL = 4
"""Clusters of the fleet of the short form."""
ACCOUNTS = "checks/test_users.py"


def against_floors(house: House, sizes: Sequence[int], repeat: int) -> str:
    """Time audits of each size beside pytest's floor."""
    rows = [against_floor(house, size, repeat) for size in sizes]
    head = ("people / packages", "assertions", "tests", "hubspec s", "floor s", "ratio", "CPU ratio", "round trips")
    return f"## The audit against pytest's floor (goal: at most {GOAL} times)\n\n" + table(head, rows)


PARTS: dict[str, Callable[[House, Sequence[int], int], str]] = {
    "peers": lambda house, _, repeat: against_peers(house, repeat),
    "floor": against_floors,
    "remediation": lambda house, _, repeat: of_missing_people(house, repeat),
    "lab": lambda house, _, repeat: of_the_lab(house, repeat),
    "doors": lambda house, _, repeat: table_of_doors(house.folder, repeat),
    "clusters": lambda house, _, repeat: table_of_clusters(house.folder, repeat),
    "vocabulary": lambda _house, _, repeat: table_of_vocabulary(repeat),
    "formats": lambda house, _, repeat: table_of_formats(house.folder, repeat),
    "fleet": lambda house, _, _repeat: growth(house),
    "dask": lambda house, _, _repeat: table_of_dask(house),
    "fleet-beyond": lambda house, _, _repeat: beyond(house),
}
"""The parts of the page, smaller worlds first: the container only grows."""


def against_floor(house: House, size: int, repeat: int) -> tuple[object, ...]:
    """Time one size. The floor gets as many tests as the audit turns out to have."""
    world = World.of(size)
    house.grow(world)
    ours = audit(house, write_baseline(house.folder / f"{size}.yaml", world, NAME), f"hubspec-{size}")
    in_turns([ours], 0, NAME)
    tests, assertions = contenders.counted(ours)
    least = floor(house, tests, f"floor-{size}")
    in_turns([ours, least], repeat, NAME)
    trips = ", ".join(f"{count} {sort}" for sort, count in contenders.round_trips(ours).items())
    return (
        f"{world.people:,} / {world.packages:,}",
        f"{assertions:,}",
        f"{tests:,}",
        f"{ours.seconds:.2f}",
        f"{least.seconds:.2f}",
        f"**{ours.seconds / least.seconds:.2f}**",
        f"{ours.cpu_seconds / least.cpu_seconds:.2f}",
        trips,
    )


def against_peers(house: House, repeat: int, *, ruby: bool = True) -> str:
    """Time uid, home and shell of 100 people in every suite; the slow ones at most twice."""
    people = PEERS_AT // 3
    house.grow(World(max(people, house.now.people), house.now.packages))
    baseline = write_baseline(house.folder / "peers.yaml", World(house.now.people, 0), NAME, only_users=True)
    ours = audit(house, baseline, "hubspec-accounts", ACCOUNTS)
    start = audit(house, baseline, "hubspec-start", ACCOUNTS, "--collect-only", "-q")
    in_turns([ours, start], repeat, NAME)
    rivals = [
        (stock_testinfra(house, people), stock_testinfra(house, people, "testinfra-start", "--collect-only", "-q"))
    ]
    why = contenders.without_serverspec(house) if ruby else "not asked for"
    if not why:
        rivals.append((serverspec(house, people), serverspec(house, people, "serverspec-start", "--dry-run")))
    in_turns([one for pair in rivals for one in pair], min(repeat, 2), NAME, warm_up=False)
    rows = [_peer(one, begin, ours, start) for one, begin in [(ours, start), *rivals]]
    if why:
        rows.append(("serverspec", f"not measured: {why}", "", "", "", "", ""))
    head = ("", "s", "CPU s", "times ours", "assertions alone s", "times ours", "execs in the container")
    title = f"## {PEERS_AT} assertions against the peers (goal: {GOAL_PEERS} times faster)\n\nuid, home and shell of {people} accounts.\n\n"
    return title + table(head, rows)


def _peer(one: Contender, begin: Contender, ours: Contender, start: Contender) -> tuple[object, ...]:
    alone, ours_alone = one.seconds - begin.seconds, ours.seconds - start.seconds
    return (
        one.name,
        f"{one.seconds:.2f}",
        f"{one.cpu_seconds:.2f}",
        f"{one.seconds / ours.seconds:.1f}",
        f"{alone:.2f}",
        f"**{alone / ours_alone:.0f}**",
        one.execs,
    )


def of_the_lab(house: House, repeat: int) -> str:
    """Time `make audit` with everything warm: less than 3 times its own collection plus 2 seconds."""
    base = house.folder / "unused.yaml"
    whole = audit(house, base, "lab", "checks", "--cluster", "lab")
    collect = audit(house, base, "lab-collect", "checks", "--cluster", "lab", "--collect-only", "-q")
    for one in (whole, collect):
        one.environment.clear()
    whole.ok = (0, 1, 11)  # who works on the lab may have broken it; the time is the same
    in_turns([whole, collect], repeat, NAME)
    limit = 3 * collect.seconds + 2
    row = (f"{whole.seconds:.2f}", f"{collect.seconds:.2f}", f"{limit:.2f}", f"{whole.seconds / limit:.2f}")
    head = ("audit of the lab s", "its `--collect-only` s", "limit: 3 times that and 2 s", "share of the limit")
    return "## `make audit` of the lab, everything warm\n\n" + table(head, [row])


def smoke(house: House) -> int:
    """Run once at 30 and at 300 people, and the peers without Serverspec; fail where round trips or execs grow."""
    seen = []
    for people in (30, 300):
        if people > PEERS_AT // 3:
            show(against_peers(house, 1, ruby=False))
        world = World(people, people // 2)
        house.grow(world)
        ours = audit(house, write_baseline(house.folder / f"{people}.yaml", world, NAME), f"hubspec-{people}")
        in_turns([ours], 0, NAME)
        least = floor(house, contenders.counted(ours)[0], f"floor-{people}")
        in_turns([ours, least], 1, NAME)
        seen.append((contenders.round_trips(ours), ours.execs))
        print(f"{people} people: {ours.seconds / least.seconds:.2f} times the floor; round trips: {seen[-1][0]}")
    if seen[0] != seen[1] or not seen[0][0]:
        print(f"round trips grow with the people: {seen[0]} at 30, {seen[1]} at 300")
        return 1
    print("round trips do not grow between 30 and 300 people")
    return _fleet(house)


def _fleet(house: House) -> int:
    """Audit a small simulated fleet; fail where one of its clusters does not come whole."""
    baseline, answers = record(house, WORLD, house.folder)
    done = night(Fleet(SMALL, [answers], delay=0.05), baseline, house.folder / "fleet")
    print(f"{SMALL} simulated clusters: {done.outcomes.total()} records, {done.cost.cpu / SMALL:.2f} s of the CPU each")
    if done.outcomes["compliant"] + done.outcomes["drifted"] != done.outcomes.total():
        print(f"something could not be looked at in a fleet where all answers: {dict(done.outcomes)}")
        return 1
    return 0


def show(text: str) -> str:
    """Print a table and return it."""
    print(text, flush=True)
    return text
