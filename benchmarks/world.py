"""What is audited: people, conda packages, and the baseline that declares them. The same number gives the same world."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

EMR = Path(__file__).resolve().parent.parent / "baselines" / "emr.yaml"
FILES_A_PACKAGE = 150
"""Paths that a generated conda record lists, so that it has the size of a real one (about 30 kB)."""


@dataclass(frozen=True)
class World:
    """So many people, each with an account and a hub user, and so many conda packages."""

    people: int
    packages: int

    @classmethod
    def of(cls, assertions: int) -> World:
        """Return the world with that many: 3 for an account, 2 for a hub user, 2 for a package, of which half as many."""
        return cls(assertions // 6, assertions // 12)


def person(number: int) -> dict[str, Any]:
    name = f"person{number:05}"
    return {"name": name, "uid": 20000 + number, "home": f"/home/{name}", "shell": "/bin/bash"}


def package(number: int) -> dict[str, Any]:
    """Return a record as conda writes it to conda-meta/NAME-VERSION-BUILD.json."""
    name, version, build = f"bench-package{number:05}", f"1.{number % 50}.{number % 7}", "py311h06a4308_0"
    paths = [f"lib/python3.11/site-packages/{name.replace('-', '_')}/module_{i:03}.py" for i in range(FILES_A_PACKAGE)]
    return {
        "name": name,
        "version": version,
        "build": build,
        "build_number": 0,
        "channel": "https://channel.example/main/linux-64",
        "subdir": "linux-64",
        "fn": f"{name}-{version}-{build}.conda",
        "depends": ["python >=3.11,<3.12.0a0", "numpy >=1.21,<3"],
        "files": paths,
        "paths_data": {
            "paths": [{"_path": path, "path_type": "hardlink", "sha256": f"{i:064x}"} for i, path in enumerate(paths)],
            "paths_version": 1,
        },
        "requested_spec": name,
        "requested_specs": [name],
    }


def write_baseline(path: Path, world: World, container: str, *, only_users: bool = False) -> Path:
    """Write the baseline of a world, under the controls of baselines/emr.yaml; every kind of it, or accounts alone."""
    emr = yaml.safe_load(EMR.read_text(encoding="utf-8"))
    people = [person(number) for number in range(world.people)]
    kinds = ("user",) if only_users else ("container", "user", "package", "hub_user")
    baseline: dict[str, Any] = {
        "title": "A generated world, to be timed",
        "frameworks": [str(EMR.parent / name) for name in emr["frameworks"]],
        "controls": emr["controls"],
        "undeclared": {kind: {"policy": "report"} for kind in kinds},
        "users": {one["name"]: {field: one[field] for field in ("uid", "home", "shell")} for one in people}
        | {"jovyan": {"uid": 1000}},
    }
    if not only_users:
        baseline["undeclared"]["package"]["ignore"] = ["pip:*"]
        baseline["undeclared"]["container"]["ignore"] = [f"{container}-*"]
        baseline |= {
            "containers": {container: {"running": True, "privileged": False}},
            "packages": {
                one["name"]: {"version": f"=={one['version']}", "requested": True}
                for one in map(package, range(world.packages))
            },
            "files": {"/etc/jupyter/conf/jupyterhub_config.py": {"type": "regular file", "mode": "0644"}},
            "hub_users": {one["name"]: {"admin": False} for one in people} | {"jovyan": {"admin": True}},
            "cluster": {"state": {"matches": "WAITING|RUNNING"}},
        }
    path.write_text(yaml.safe_dump(baseline, sort_keys=False), encoding="utf-8")
    return path
