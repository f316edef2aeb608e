"""`python -m benchmarks`: our audit, pytest's floor and the peers side by side; `--smoke` for CI."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import docker

import lab
from benchmarks import page, stages
from benchmarks.fleet.tables import SIZES, TITLE, growth, table_of_dask
from benchmarks.house import house
from lab.engine import apt_install

ROOT = Path(__file__).resolve().parent.parent


def main(argv: list[str] | None = None) -> int:
    """Measure, print the tables, and write them; exit 1 where round trips grow."""
    words = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    words.add_argument("--smoke", action="store_true", help="one short run: ratios printed, round trips asserted")
    words.add_argument("--repeat", type=int, default=3, help="runs of each contender; the median counts (default: 3)")
    words.add_argument("--sizes", type=int, nargs="+", default=[300, 1500, 6000], help="assertions of our audits")
    words.add_argument("--install", action="store_true", help="apt-get install ruby-serverspec where it is missing")
    words.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    words.add_argument(
        "--part", nargs="+", choices=stages.PARTS, help="measure these parts alone, and put them into the page"
    )
    words.add_argument(
        "--fleet",
        type=int,
        nargs="*",
        metavar="CLUSTERS",
        help="fleets of so many simulated clusters alone (default: 1 10 100 1000, about eight minutes): write their part of the page",
    )
    words.add_argument(
        "--dask",
        type=int,
        nargs="?",
        const=200,
        metavar="CLUSTERS",
        help="one worker of Dask and two on so many simulated clusters alone (default: 200): print the table",
    )
    given = words.parse_args(argv)
    os.chdir(ROOT)
    if given.install:
        apt_install(["ruby-serverspec", "ruby-docker-api"], [] if os.geteuid() == 0 else ["sudo", "-n"])
    here = lab.awake(print)
    image = docker.from_env().containers.get(here.master).attrs["Config"]["Image"]
    with tempfile.TemporaryDirectory(prefix="hubspec-bench-") as folder, house(image, Path(folder)) as made:
        if given.fleet is not None:
            page.put(given.out, TITLE, stages.show(growth(made, sorted(given.fleet) or SIZES)))
            return 0
        if given.dask is not None:
            stages.show(table_of_dask(made, given.dask))
            return 0
        if given.smoke:
            return stages.smoke(made)
        parts = []
        for name in given.part or stages.PARTS:
            parts.append(stages.show(stages.PARTS[name](made, sorted(given.sizes), given.repeat)))
            if given.part:
                page.put(given.out, parts[-1].partition("\n")[0].removeprefix("## "), parts[-1])
        if not given.part:
            page.write(given.out, parts)
    print(f"written: {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
