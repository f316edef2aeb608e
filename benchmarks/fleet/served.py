"""A simulated fleet while a block runs, recorded answers for it, and what an audit has to be told to find it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks.fleet.world import NONCE, Answers, Fleet
from benchmarks.house import NAME, House
from benchmarks.world import World, write_baseline
from hubspec.baseline import load
from hubspec.cluster.docker import DockerDoor
from hubspec.collect import join
from hubspec.kinds import KINDS

PAGES = ("/hub/api", "/hub/api/", "/hub/api/users")
"""What an audit by the baseline of `declared` asks a hub of 1.5; another page is answered 404, and told in `asked`."""
DRIFTED = 5
"""Accounts whose shell is not as declared, so that a night has something to tell."""
PLUGIN = "benchmarks.fleet.replay"


@dataclass
class Served:
    """Where a fleet answers, and after the block, how often it was asked."""

    url: str
    fingerprint: str
    told: dict[str, Any] = field(default_factory=dict)

    def environment(self, about: Fleet, baseline: Path) -> dict[str, str]:
        """Return what an audit of the fleet is told."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "k",
            "AWS_SECRET_ACCESS_KEY": "s",
            "HUBSPEC_REGION": ",".join(about.regions),
            "HUBSPEC_BASELINE": str(baseline),
            "HUBSPEC_CONTAINER": NAME,
            "HUBSPEC_HUB_FINGERPRINT": self.fingerprint,
            "HUBSPEC_HUB_TOKEN": "0" * 32,
            "PYTEST_PLUGINS": PLUGIN,
        }


def declared(path: Path, world: World) -> Path:
    """Write the baseline of a simulated cluster: that of a generated world, with a master node, no steps, and a few drifts."""
    write_baseline(path, world, NAME)
    baseline = yaml.safe_load(path.read_text(encoding="utf-8"))
    baseline["cluster"]["masters"] = 1
    baseline["undeclared"]["step"] = {"policy": "report"}
    for name in sorted(baseline["users"])[:DRIFTED]:
        baseline["users"][name]["shell"] = "/bin/false"
    path.write_text(yaml.safe_dump(baseline, sort_keys=False), encoding="utf-8")
    return path


def record(house: House, world: World, folder: Path) -> tuple[Path, Path]:
    """Let a real container and a real hub grow to a world, ask both once, and return the baseline and the answers."""
    house.grow(world)
    return _recorded(house, declared(folder / f"world-{world.people}.yaml", world), folder)


def record_accounts(house: House, people: int, folder: Path) -> tuple[Path, Path]:
    """The same with so many accounts, of which alone the baseline speaks."""
    house.add_accounts(people)
    path = write_baseline(folder / f"accounts-{people}.yaml", World(people, 0), NAME, only_users=True)
    return _recorded(house, path, folder)


def _recorded(house: House, baseline: Path, folder: Path) -> tuple[Path, Path]:
    kinds = [kind for kind in KINDS.values() if kind.door in {"engine", "container"}]
    look = DockerDoor(NAME).look(join(kinds, load(baseline), NONCE), others=False)
    answers = Answers({"inspect": look.inspect, "others": look.others, "stdout": look.stdout, "stderr": look.stderr})
    with house.session() as session:
        for page in PAGES:
            told = session.get(f"{house.url}{page}", timeout=60)
            headers = {name: told.headers[name] for name in ("Content-Type", "X-JupyterHub-Version")}
            answers.pages[page] = (told.status_code, headers, told.text)
    path = folder / f"answers-{baseline.stem}.json"
    path.write_text(json.dumps(asdict(answers)), encoding="utf-8")
    return baseline, path


@contextlib.contextmanager
def served(about: Fleet, folder: Path) -> Iterator[Served]:
    """Serve a fleet in a process of its own until the block ends."""
    spec = about.save(folder / f"fleet-{about.count}.json")
    command = [sys.executable, "-m", "benchmarks.fleet.simulation", str(spec)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        try:
            here = Served(**json.loads(process.stdout.readline() or "{}"))
            yield here
            process.stdin.close()
            here.told = json.loads(process.stdout.readline())
        finally:
            process.kill()
