"""The command `history`: its grammar, and what it prints."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hubspec import history_text as text
from hubspec.arguments import Arguments
from hubspec.cluster.keep import keep
from hubspec.cluster.options import CONFIG, variable
from hubspec.errors import DoorError, HubspecError
from hubspec.provenance import settings
from hubspec.remembered import History
from hubspec.results import HISTORY

FLEET = "a fleet keeps the runs of each cluster in a folder of its own"


def grammar(command: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    whats = command.add_subparsers(dest="what", required=True)
    lister = whats.add_parser("list", help="print each run, oldest first")
    differ = whats.add_parser(
        "diff", help="print what is new, still and fixed in run B against run A; exit 1 where it differs"
    )
    for name in ("a", "b"):
        differ.add_argument(name, metavar=name.upper(), help="the beginning of a run's id, latest, or latest~N")
    for one in (lister, differ):
        one.add_argument("--history", metavar="PLACE", help="a folder, or s3://BUCKET/PREFIX/ (env HUBSPEC_HISTORY)")
        one.add_argument(CONFIG, metavar="FILE", help=f"file of settings (env {variable(CONFIG)})")
        one.add_argument("--cluster", metavar="NAME", help="only the runs that looked at this cluster")
        one.add_argument("--json", action="store_true", help="print a JSON document")


def history(asked: argparse.Namespace) -> int:
    """Print the runs or what differs between two, and return the exit code. Raises HubspecError."""
    options = Arguments(asked)
    for line in settings(options, ("--history", "--results", "--reports")):
        print(f"hubspec: {line}", file=sys.stderr)
    named, results = options.text("--history"), options.text("--results")
    if named == "none":
        raise HubspecError("--history: there is none where it is switched off; give the folder, or s3://BUCKET/PREFIX/")
    if named or not results:
        kept = History(keep(named or (options.path("--reports") or Path("reports")) / HISTORY))
    else:
        kept = History(keep(results).below(HISTORY))
    place = kept.keep.where
    try:
        if asked.what == "list":
            runs = text.listed(kept, asked.cluster)
            if not kept.broken:
                print(text.list_json(runs) if asked.json else "\n".join(text.list_lines(runs)) or f"no run in {place}")
                if not runs and not asked.cluster:
                    kept.notices.append(f"{FLEET}: --history {place.rstrip('/')}/CLUSTER")
            code = 0
        else:
            before, after = (text.found(kept, word, asked.cluster) for word in (asked.a, asked.b))
            found = text.difference(before, after)
            print(text.difference_json(found) if asked.json else "\n".join(text.difference_lines(found)))
            code = int(bool(found.new or found.fixed))
    finally:
        for line in dict.fromkeys(kept.notices):
            print(f"hubspec: {line}", file=sys.stderr)
    if kept.broken:
        raise DoorError(f"the history in {place} could not be read")
    return code
