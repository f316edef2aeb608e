"""docs/benchmarks.md from the measurements: the machine, the tables, what each row means, how to run it again."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import docker

INTRO = """# Benchmarks

Written by `make bench` (`python -m benchmarks`); do not edit. Every row of a table comes from the same run: the contenders
took turns, each run is a process of its own with a fresh folder, and the figure is the median. Ratios travel from machine to
machine, seconds do not. CPU time (user and system, of the process) is the second opinion where the machine was busy.
"""

MEANING = """
## What the rows mean

- **hubspec**: `pytest checks/` with every report it writes (JUnit, Allure results, HTML, records.jsonl), from process start to
  exit. It reads a real JupyterHub 1.5 in a container of its own, its accounts and conda packages, the files, the engine and an
  EMR API. An account states uid, home and shell, a hub user its existence and `admin`, a package its version and `requested`.
- **tests** are pytest items, **assertions** compared properties (existence counts where nothing else is stated). Our test of an
  account compares three properties at once; the floor has as many tests as our audit, not as many as it has assertions.
- **floor**: the same pytest running that number of empty parametrised tests with `--junitxml` and `--alluredir`.
- **testinfra**: stock pytest-testinfra over its docker backend, `host.user(name).uid` and so on: one property, one test.
- **serverspec**: Debian's ruby-serverspec over its docker backend, `have_uid` and so on: one property, one example.
- **read in** (50 clusters): from the end of collection to the first test, so the reading of all of them, 32 at a time; without finding them.
- **fleet**: `python -m hubspec fleet`, from its start to its end; its **CPU** is that of all its processes, **cores busy** is of the whole machine, the simulation too.
- **held**: testinfra's own `host.user(name).exists` over a shell of ours that is open anyway, as a user's own check asks; **stock** is the same
  question by stock testinfra in one process, its modules loaded and its host known.
- **assertions alone**: wall time less that of the same command with `--collect-only` (`--dry-run` in Serverspec), so less the start
  of the interpreter, its imports and collection. For us that still holds the whole reading of the container and all reports.
- **execs in the container** are counted by the Docker engine's own events, not by the contender.
- No pytest here loads the hypothesis plugin, a tool of our own tests, which adds the same 0.6 s to all of them.
- Passwords are not compared here: `default_password: false` costs one crypt of the account's own hash each, in the container.

## Again

`make bench`, or `python -m benchmarks --repeat 5`; `python -m benchmarks --part formats` measures that part alone, and puts it into this page, `--fleet` fleets of other sizes;
`python -m benchmarks --smoke` is the short form of CI. It needs a Docker engine; it
brings the lab up for its images, then uses containers of its own (label `hubspec.bench=1`) on loopback, and removes them.
"""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def machine() -> str:
    engine = docker.from_env().version()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    rows = [
        ("when", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        ("processor", f"{_processor()}, {os.cpu_count()} cores"),
        ("memory", f"{memory:.1f} GiB"),
        ("system", f"{_system()}, Linux {platform.release()}"),
        ("load at the end", " ".join(f"{load:.1f}" for load in os.getloadavg())),
        ("Docker engine", f"{engine['Version']} ({engine['KernelVersion'] and platform.machine()})"),
        ("Python", platform.python_version()),
        *((name, version(name)) for name in ("pytest", "pytest-testinfra", "allure-pytest", "hubspec")),
    ]
    return "\n## Machine\n\n" + table(("", ""), rows)


def write(path: Path, tables: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([INTRO, *tables, machine(), MEANING]).replace("\n\n\n", "\n\n"), encoding="utf-8")


def put(path: Path, title: str, text: str) -> None:
    """Put the part of a page below this heading in the place of the one that is there, or before the machine."""
    page = path.read_text(encoding="utf-8")
    wanted = re.search(rf"^## {re.escape(title)}$.*?(?=^## )", page, re.DOTALL | re.MULTILINE)
    start, end = wanted.span() if wanted else (page.index("## Machine"),) * 2
    path.write_text(f"{page[:start]}{text.rstrip()}\n\n{page[end:]}", encoding="utf-8")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
