"""The command `merge`: reports of clusters and of shards joined into one."""

from __future__ import annotations

import argparse
import shlex
import uuid
from collections.abc import Callable
from pathlib import Path

from hubspec.arguments import Arguments
from hubspec.cluster import folder as folders
from hubspec.errors import DoorError
from hubspec.fleet.ended import lines
from hubspec.fleet.merge import Merged
from hubspec.masked import masked_arguments
from hubspec.report.formats import chosen
from hubspec.telling import OPTIONS, telling


def grammar(command: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    command.add_argument("reports", metavar="DIR", nargs="+", help="the folder of a report, or of a merged one")
    command.add_argument(
        "-o", "--output", metavar="DIR", required=True, help="the folder of the merged report, a new one"
    )
    command.add_argument(
        "--report", metavar="FORMATS", help="formats of the merged report, with commas (env HUBSPEC_REPORT)"
    )
    command.add_argument(
        "--sign-key", metavar="KEY", help="SSH key that signs the merged report (env HUBSPEC_SIGN_KEY)"
    )
    for option in OPTIONS:
        command.add_argument(
            option, metavar=option.rsplit("-", 1)[1].upper(), help="as of an audit, for the merged run"
        )


def merge(asked: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Join the reports, say how it ended, and return the exit code. Raises HubspecError."""
    options = Arguments(asked)
    try:
        formats = chosen(options.text("--report"))
    except ValueError as error:
        options.refuse(f"--report: {error}")
    told = telling(options)
    at = options.as_path(asked.output)
    if at.exists() and (not at.is_dir() or any(at.iterdir())):
        options.refuse(f"-o {asked.output}: it is there already; a merged report takes a folder of its own")
    command = shlex.join(masked_arguments(["python", "-m", "hubspec", "merge", *asked.reports, "-o", asked.output]))
    growing = at.parent / f".{at.name}-{uuid.uuid4().hex[:8]}"
    try:
        merged = Merged(growing, command=command)
        for number, name in enumerate(asked.reports, 1):
            taken = merged.add(options.as_path(name))
            say(f"{number} of {len(asked.reports)}: {name}: {len(taken)} cluster{'s' * (len(taken) != 1)}")
        code = merged.finish(formats, sign_key=options.path("--sign-key"))
        _put(growing, at)
    finally:
        folders.remove(growing)
    for line in lines(merged, at, formats):
        print(line)
    if merged.run:
        for line in told.tell(merged.tally, merged.run):
            print(f"notice: {line}")
    return code


def _put(growing: Path, at: Path) -> None:
    try:
        if at.exists():
            at.rmdir()
        growing.rename(at)
    except OSError as error:
        raise DoorError(f"{at} cannot be written: {error.strerror}") from None
