"""Solve and link: what an install or a removal would do to an environment, and doing it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import rattler
from rattler.exceptions import SolverError

from hubspec_conda import CHANNEL, ROOT, prefixes
from hubspec_conda.prefixes import CondaError

SOLVE_LIMIT = timedelta(seconds=60)


@dataclass
class Transaction:
    """What is to be done to one environment: its wanted records, and the difference to the present ones."""

    prefix: Path
    wanted: list[Any]
    link: list[dict[str, Any]]
    unlink: list[dict[str, Any]]
    specs: dict[str, str]

    @property
    def empty(self) -> bool:
        """Answer whether nothing is to be linked or unlinked."""
        return not self.link and not self.unlink

    def as_json(self) -> dict[str, object]:
        """Answer the actions as `conda install --json` prints them. Source: conda 4.12, `conda.cli.install`."""
        return {"FETCH": [], "LINK": self.link, "UNLINK": self.unlink, "PREFIX": str(self.prefix)}

    def apply(self, action: str, asked: list[str]) -> None:
        """Link and unlink, then write requested_spec and history."""
        asyncio.run(
            rattler.install(
                self.wanted, self.prefix, cache_dir=Path(ROOT, "pkgs"), show_progress=False
            )
        )
        prefixes.write_requested(self.prefix, self.specs)
        changes = [f"{sign}{item['dist_name_url']}" for sign, item in self._signed()]
        prefixes.write_history(self.prefix, changes, action, asked)

    def _signed(self) -> list[tuple[str, dict[str, Any]]]:
        return [("-", item) for item in self.unlink] + [("+", item) for item in self.link]


def name_of(spec: str) -> str:
    """Answer the package name of a spec, by rattler's own reading of it.

    Raises: CondaError InvalidMatchSpec where it is no spec, or names a channel that is not the local one.
    """
    try:
        match = rattler.MatchSpec(spec)
    except Exception as error:
        raise CondaError("InvalidMatchSpec", f"Invalid spec '{spec}': {error}") from error
    if match.channel is not None or match.name is None:
        raise CondaError("InvalidMatchSpec", f"'{spec}': the lab has one channel, {CHANNEL}; name a package only")
    return str(match.name.normalized if hasattr(match.name, "normalized") else match.name)


def installing(prefix: Path, specs: list[str], *, pins: bool = True) -> Transaction:
    """Solve for the specs beside what was asked for before, within what is pinned unless `pins` is off (`--no-pin`).

    A spec that breaks a pin is refused, as conda's own solver does since 23.10; the older one overrode the pin.
    Raises: CondaError PackagesNotFoundError, UnsatisfiableError or SpecsConfigurationConflictError, as conda names them.
    """
    pinned = prefixes.pinned(prefix) if pins else {}
    for pin in pinned.values():
        name_of(pin)
    wishes = prefixes.requested(prefix) | {name_of(spec): spec for spec in specs}
    locked = [rattler.PrefixRecord.from_path(file) for file in (prefix / "conda-meta").glob("*.json")]
    kept = [record.name.normalized for record in locked if record.name.normalized not in wishes]
    # As specs and not as texts, which the solver reads more strictly than conda: "toolz 0.12.0" is one for conda.
    asked = [*map(rattler.MatchSpec, wishes.values()), *kept]
    try:
        wanted = _solved(asked, locked, list(map(rattler.MatchSpec, pinned.values())))
    except SolverError as error:
        if pinned and _solvable(asked, locked):
            raise _conflict(prefix, specs, pinned) from error
        raise _unsolved(specs, str(error)) from error
    return _difference(prefix, wanted, wishes)


def _solved(asked: list[Any], locked: list[Any], constraints: list[Any]) -> list[Any]:
    """Solve; a constraint counts only for a package that is there in the end, as a pin does."""
    return asyncio.run(
        rattler.solve([CHANNEL], asked, locked_packages=locked, constraints=constraints, timeout=SOLVE_LIMIT)
    )


def _solvable(asked: list[Any], locked: list[Any]) -> bool:
    try:
        _solved(asked, locked, [])
    except SolverError:
        return False
    return True


def _conflict(prefix: Path, specs: list[str], pinned: dict[str, str]) -> CondaError:
    """Answer the refusal in conda's words. Source: conda `exceptions.py`, SpecsConfigurationConflictError."""
    text = "Requested specs conflict with configured specs.\n  requested specs: \n    - " + "\n    - ".join(specs)
    text += "\n  pinned specs: \n    - " + "\n    - ".join(pinned.values())
    text += f"\nPinned specs may also be defined in the file\n{prefix}/conda-meta/pinned."
    return CondaError("SpecsConfigurationConflictError", text, requested_specs=specs, prefix=str(prefix))


def removing(prefix: Path, names: list[str]) -> Transaction:
    """Take packages out, and with them what depends on them. What they depended on stays, as with conda.

    Raises: CondaError PackagesNotFoundError where one is not installed.
    """
    locked = [rattler.PrefixRecord.from_path(file) for file in (prefix / "conda-meta").glob("*.json")]
    present = {record.name.normalized for record in locked}
    missing = [name for name in names if name not in present]
    if missing:
        text = "The following packages are missing from the target environment:\n  - " + "\n  - ".join(missing)
        raise CondaError("PackagesNotFoundError", text, packages=missing)
    gone = set(names)
    grown = True
    while grown:
        more = {
            record.name.normalized
            for record in locked
            if record.name.normalized not in gone and gone & {name_of(need) for need in record.depends}
        }
        gone |= more
        grown = bool(more)
    keep = [record for record in locked if record.name.normalized not in gone]
    wishes = {name: spec for name, spec in prefixes.requested(prefix).items() if name not in gone}
    return _difference(prefix, keep, wishes)


def _unsolved(specs: list[str], detail: str) -> CondaError:
    gateway = rattler.Gateway()
    query = gateway.query([CHANNEL], [str(rattler.Subdir.current()), "noarch"], list(specs), recursive=False)
    known = [record for found in asyncio.run(query) for record in found]
    missing = [spec for spec in specs if not any(rattler.MatchSpec(spec).matches(record) for record in known)]
    if not missing:
        return CondaError("UnsatisfiableError", detail)
    text = "The following packages are not available from current channels:\n  - " + "\n  - ".join(missing)
    return CondaError("PackagesNotFoundError", text, packages=missing, channel_urls=[CHANNEL])


def _difference(prefix: Path, wanted: list[Any], wishes: dict[str, str]) -> Transaction:
    before = {str(r["url"]): r for r in prefixes.records(prefix)}
    after = {str(record.url): record for record in wanted}
    link = [
        _item(record.name.normalized, str(record.version), str(record.build), record.build_number, record.subdir)
        for url, record in after.items()
        if url not in before
    ]
    unlink = [
        _item(r["name"], r["version"], r["build"], r["build_number"], r["subdir"])
        for url, r in before.items()
        if url not in after
    ]
    return Transaction(prefix, wanted, link, unlink, wishes)


def _item(name: str, version: str, build: str, number: int, subdir: str) -> dict[str, Any]:
    dist = f"{name}-{version}-{build}"
    return {
        "base_url": CHANNEL,
        "build_number": number,
        "build_string": build,
        "channel": CHANNEL.rsplit("/", 1)[1],
        "dist_name": dist,
        "dist_name_url": f"{CHANNEL}/{subdir}::{dist}",
        "name": name,
        "platform": subdir,
        "version": version,
    }
