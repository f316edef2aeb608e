"""The command `merge`: reports of clusters and of shards joined into one."""

from __future__ import annotations

import argparse
import shlex
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hubspec.arguments import Arguments
from hubspec.cluster import folder as folders
from hubspec.cluster.options import CONFIG, variable
from hubspec.destination import OPTIONS as RESULTS
from hubspec.destination import Destination, destination
from hubspec.errors import DoorError
from hubspec.fleet.ended import lines
from hubspec.fleet.fetched import fetched
from hubspec.fleet.gathered import SPOOL
from hubspec.fleet.merge import Merged
from hubspec.fleet.part import PartError
from hubspec.interrupts import terminated
from hubspec.masked import masked, masked_arguments, masked_sentence
from hubspec.printable import printable
from hubspec.provenance import settings
from hubspec.report.formats import OF_MANY, chosen
from hubspec.telling import OPTIONS, Begun, Telling, telling


def grammar(command: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    command.add_argument(
        "reports",
        metavar="PLACE",
        nargs="+",
        help="a report or a merged one: its folder, or a folder or s3://BUCKET/PREFIX/ of --results, of which the newest is taken",
    )
    command.add_argument(
        "-o", "--output", metavar="DIR", required=True, help="the folder of the merged report, a new one"
    )
    command.add_argument(
        "--report",
        metavar="FORMATS",
        help=f"formats of the merged report, with commas (default: {','.join(OF_MANY)}) (env HUBSPEC_REPORT)",
    )
    command.add_argument(
        "--sign-key", metavar="KEY", help="SSH key that signs the merged report (env HUBSPEC_SIGN_KEY)"
    )
    for option in (*OPTIONS, *RESULTS):
        command.add_argument(
            option, metavar=option.rsplit("-", 1)[1].upper(), help="as of an audit, for the merged run"
        )
    command.add_argument(CONFIG, metavar="FILE", help=f"file of settings (env {variable(CONFIG)})")


def merge(asked: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Join the reports, say how it ended, and return the exit code. Raises HubspecError."""
    options = Arguments(asked)
    for line in settings(options, ("--report", "--sign-key", *OPTIONS, *RESULTS)):
        say(line)
    formats = _formats(options)
    told, to = telling(options), destination(options)
    at = options.as_path(asked.output)
    if at.exists() and (not at.is_dir() or any(at.iterdir())):
        options.refuse(f"-o {asked.output}: it is there already; a merged report takes a folder of its own")
    command = shlex.join(masked_arguments(["python", "-m", "hubspec", "merge", *asked.reports, "-o", asked.output]))
    growing = at.parent / f".{at.name}-{uuid.uuid4().hex[:8]}"
    begun = Begun(str(uuid.uuid4()), datetime.now(UTC), [masked(name) for name in asked.reports], command)
    with terminated(), told.early(begun, say):
        try:
            merged = Merged(growing, command=command)
            for number, name in enumerate(asked.reports, 1):
                taken = _taken(merged, name, name if name.startswith("s3:") else str(options.as_path(name)))
                say(f"{number} of {len(asked.reports)}: {name}: {len(taken)} cluster{'s' * (len(taken) != 1)}")
            code = merged.finish(formats, sign_key=options.path("--sign-key"))
            if at.exists():
                at.rmdir()
            growing.rename(at)
        except OSError as error:
            raise DoorError(f"{at} cannot be written: {error.strerror}") from None
        finally:
            folders.remove(growing)
    for line in lines(merged, at, formats):
        print(line)
    return _end(merged, at, code, told, to)


def _end(merged: Merged, at: Path, code: int, told: Telling, to: Destination | None) -> int:
    """Bring the report to its place, and tell people where it is. Return the exit code with that."""
    there = None
    if to:
        said, there = to.brought(at, code)
        print(*map(masked_sentence, said), sep="\n")
    if merged.run:
        run = merged.run.model_copy(update={"notices": [*merged.run.notices, *merged.unwritten]})
        for line in told.tell(merged.tally, run, there):
            print(f"notice: {line}")
    return there.code(code) if there else code


def _formats(options: Arguments) -> list[str]:
    try:
        return chosen(options.text("--report"), OF_MANY)
    except ValueError as error:
        options.refuse(f"--report: {error}")


def _taken(merged: Merged, name: str, place: str) -> list[str]:
    here = merged.folder / SPOOL / "fetched"
    try:
        at = fetched(place, here)
    except (PartError, DoorError) as error:
        merged.blind(printable(f"{masked(name)}: {error}"))
        folders.remove(here)
        return []
    taken = merged.add(at, move=at == here, name=masked(name))
    folders.remove(here)
    return taken
