"""What `python -m hubspec fleet` takes: what is the fleet's own, and the options of the audits."""

from __future__ import annotations

import argparse

from hubspec.cluster.find import FORMS
from hubspec.cluster.options import CONFIG, DOORS, SWITCHES, variable
from hubspec.configured import RUN
from hubspec.fleet.queue import RATE

DEADLINE, TRIES = "1800", 3
NOT_HERE = {
    "--save-snapshot": "a file holds one cluster: give pytest one --cluster at a time",
    "--ask-sudo-password": "no audit of a fleet has a terminal: HUBSPEC_SUDO_PASSWORD or --sudo-password-file has it",
}
"""Option of an audit -> why a fleet has it not."""
TEXTS = [option for option in (*RUN, *DOORS) if option not in {"--snapshot", *NOT_HERE}]
ON = [option for option in (*SWITCHES, "--fail-on-fixed") if option not in NOT_HERE]
"""Options of an audit that a fleet takes: those with a text, and those without."""


def grammar(command: argparse.ArgumentParser) -> None:
    """Add what the command takes: what is the fleet's own, and all options of an audit."""
    fleet = command.add_argument_group("the fleet (env HUBSPEC_ENGINE and so on)")
    fleet.add_argument(
        "--engine",
        metavar="WHERE",
        help="here (default): processes of this machine; tcp://HOST:PORT or tls://HOST:PORT: the workers of that scheduler of Dask",
    )
    fleet.add_argument(
        "--workers",
        metavar="N",
        help="audits at the same time, with --engine here (default: 4 for each core)",
    )
    fleet.add_argument(
        "--shard", metavar="I/N", help="only part I of N of the clusters, from 1; the same ones on every machine"
    )
    fleet.add_argument(
        "--audit-deadline", metavar="SECONDS", help=f"how long the audit of one cluster may take (default: {DEADLINE})"
    )
    fleet.add_argument("--tries", metavar="N", help=f"how often a cluster is begun whose audit dies (default: {TRIES})")
    fleet.add_argument(
        "--pace",
        metavar="RATE",
        help=f"clusters begun in a second in one region, after ten at once (default: {RATE:g}, as EMR's limits are); 0: any number",
    )
    which = command.add_argument_group("which clusters")
    which.add_argument(
        "--cluster", action="append", metavar="NAME", help=f"{FORMS}, or lab; may be repeated (env HUBSPEC_CLUSTER)"
    )
    which.add_argument(
        "--region",
        action="append",
        metavar="NAME",
        help="where they are looked for; may be repeated (env HUBSPEC_REGION)",
    )
    which.add_argument(
        "--snapshot",
        action="append",
        metavar="FILE",
        help="audit this saved snapshot, and look at no cluster; may be repeated",
    )
    audit = command.add_argument_group("options of each audit, as in `pytest checks/ --help`")
    audit.add_argument(CONFIG, metavar="FILE", help=f"file of settings (env {variable(CONFIG)})")
    audit.add_argument(
        "--smoke", nargs="?", const="1", metavar="NAMES", help="also run smoke tests (env HUBSPEC_SMOKE)"
    )
    audit.add_argument(
        "--checks", action="append", metavar="DIR", help="own checks; may be repeated (env HUBSPEC_CHECKS)"
    )
    about = {**RUN, **DOORS, **SWITCHES, "--fail-on-fixed": "exit 1 where something had to be put right"}
    for option in TEXTS:
        metavar = option.rsplit("-", 1)[1].upper()
        audit.add_argument(option, metavar=metavar, help=_help(option, about[option]))
    for option in ON:
        audit.add_argument(option, action="store_true", help=_help(option, f"{about[option]}; 1 in the variable"))
    for option in NOT_HERE:  # known, to be refused with the reason
        audit.add_argument(option, help=argparse.SUPPRESS, action="store" if option in RUN else "store_true")
    command.add_argument(
        "pytest",
        nargs="*",
        metavar="-- ARGUMENTS",
        help="what pytest is given in each audit: options, or checks instead of all",
    )


def _help(option: str, text: str) -> str:
    return f"{text} (env {variable(option)})".replace("%", "%%")
