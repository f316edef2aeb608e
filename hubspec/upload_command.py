"""The command `upload`: reports that stayed here are brought to the place of the results."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hubspec.arguments import Arguments
from hubspec.cluster.keep import keep
from hubspec.cluster.options import CONFIG, variable
from hubspec.destination import OPTIONS, destination
from hubspec.errors import DoorError
from hubspec.provenance import settings
from hubspec.results import NOT_BROUGHT, UnfitError, bring, report


def grammar(command: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    command.add_argument(
        "folders", metavar="DIR", nargs="+", type=Path, help="the folder of a report, such as reports/unsent/*"
    )
    command.add_argument("results", metavar="PLACE", help="a folder, or s3://BUCKET/PREFIX/, as --results of the run")
    command.add_argument(
        "--results-kms-key", metavar="KEY", help="KMS key for results in S3 (env HUBSPEC_RESULTS_KMS_KEY)"
    )
    command.add_argument(
        "--results-deadline",
        metavar="SECONDS",
        help="seconds that bringing one of them may take (default: 600) (env HUBSPEC_RESULTS_DEADLINE)",
    )
    command.add_argument(CONFIG, metavar="FILE", help=f"file of settings (env {variable(CONFIG)})")


def upload(asked: argparse.Namespace) -> int:
    """Bring each report, and return the exit code: 20 where one could not be brought. Raises HubspecError."""
    options = Arguments(asked)
    for line in settings(options, OPTIONS):
        print(f"hubspec: {line}", file=sys.stderr)
    to = destination(options)
    assert to, "the place is asked for"
    place = keep(to.place, to.kms_key)
    failed, notices = 0, []
    for folder in asked.folders:
        try:
            brought = bring(report(folder), place, ended_now=False, deadline=to.deadline)
        except (DoorError, UnfitError) as error:
            print(f"hubspec: {folder} was not brought to {place.where}: {error}", file=sys.stderr)
            failed += 1
        else:
            print(f"{folder} is now {brought.where}")
            notices += brought.notices
    for line in dict.fromkeys(notices):
        print(f"hubspec: {line}", file=sys.stderr)
    return NOT_BROUGHT if failed else 0
