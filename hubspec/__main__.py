"""`python -m hubspec`: a preflight of the doors, baselines from a live cluster, differences, and the schemas, fields and policies that docs/ ships."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from pydantic import BaseModel

from hubspec import history_command, requirements, upload_command
from hubspec.baseline import load, schema
from hubspec.cluster.calls import NEEDS
from hubspec.cluster.options import CONFIG, DOORS, SWITCHES, variable
from hubspec.configured import FLEET, LISTS, RUN
from hubspec.errors import DoorError, HubspecError
from hubspec.fleet import grammar as fleet_grammar
from hubspec.fleet import merge_command
from hubspec.iam import policy
from hubspec.kinds import KINDS
from hubspec.model import Record, Resource, Run
from hubspec.unknown import helpful

WRONG_USE, COULD_NOT_LOOK = 4, 11
"""As an audit has it."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(WRONG_USE, f"hubspec: {helpful(message, (CONFIG, *LISTS, *RUN, *DOORS, *SWITCHES, *FLEET))}\n")


def parser() -> argparse.ArgumentParser:
    """Return the grammar of the command line."""
    top = _Parser(prog="python -m hubspec", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    printer = commands.add_parser("schema", help="print a JSON schema")
    printer.add_argument("of", choices=["baseline", "record", "run"])
    commands.add_parser("fields", help="print every kind with its fields, as Markdown")
    mapped = commands.add_parser(
        "frameworks", help="print which controls speak about which requirement, and which about none"
    )
    mapped.add_argument("baseline", metavar="BASELINE", type=Path, help="baselines/emr.yaml, or one of yours")
    policies = commands.add_parser("iam", help="print an IAM policy with the least that is needed")
    policies.add_argument("need", choices=NEEDS)
    init = commands.add_parser("init", help="write a baseline of what is there")
    init.add_argument("-o", "--output", metavar="FILE", help="the file to write (default: CLUSTER.yaml)")
    init.add_argument("--force", action="store_true", help="put it in place of a file that is there")
    init.add_argument(
        "--cluster",
        metavar="NAME",
        help="j-XXX, name:NAME, tag:KEY=VALUE, local or ssh://USER@HOST:PORT (env HUBSPEC_CLUSTER)",
    )
    init.add_argument(
        "--region", action="append", metavar="NAME", help="where it is looked for; may be repeated (env HUBSPEC_REGION)"
    )
    init.add_argument("--snapshot", metavar="FILE", help="take what was saved, and look at no cluster")
    _doors(init)
    doctor = commands.add_parser("doctor", help="say what would keep an audit from looking, and what to do about it")
    doctor.add_argument(
        "--cluster",
        metavar="NAME",
        action="append",
        help="j-XXX, name:NAME, tag:KEY=VALUE, all, local or ssh://USER@HOST:PORT; may be repeated (env HUBSPEC_CLUSTER)",
    )
    doctor.add_argument(
        "--region", action="append", metavar="NAME", help="where it is looked for; may be repeated (env HUBSPEC_REGION)"
    )
    doctor.add_argument(
        "--baseline", metavar="FILE", help="what an audit would need to see (default: emr.yaml) (env HUBSPEC_BASELINE)"
    )
    doctor.add_argument("--smoke", metavar="NAMES", help="login: a browser is needed too (env HUBSPEC_SMOKE)")
    doctor.add_argument("--json", action="store_true", help="print a JSON document")
    _doors(doctor)
    fleet_grammar.grammar(
        commands.add_parser("fleet", help="audit many clusters, each in a process of its own, into one report")
    )
    diff = commands.add_parser("diff", help="say what differs between two snapshots, or a snapshot and a baseline")
    diff.add_argument("before", metavar="A", type=Path, help="a snapshot or a baseline")
    diff.add_argument("after", metavar="B", type=Path, help="the other one")
    diff.add_argument("--json", action="store_true", help="print a JSON document")
    history_command.grammar(commands.add_parser("history", help="list the runs of a history, or compare two"))
    upload_command.grammar(commands.add_parser("upload", help="bring reports that stayed here to the place of results"))
    merge_command.grammar(commands.add_parser("merge", help="join reports of clusters and shards into one"))
    script = commands.add_parser("script", help="write a shell script that does what a baseline or a plan says")
    script.add_argument("file", metavar="PLAN|BASELINE", type=Path, help="a plan ends with .json")
    script.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="the file to write (default: standard output)"
    )
    script.add_argument("--container", metavar="NAME", default="jupyterhub", help="the hub's container (jupyterhub)")
    script.add_argument("--hub-admin", metavar="USER", default="jovyan", help="whose token the script makes (jovyan)")
    script.add_argument("--with-secrets", action="store_true", help="put private keys into the script too")
    guide_ = commands.add_parser("guide", help="write what an audit with a baseline checks, and why, as a page of HTML")
    guide_.add_argument("file", metavar="BASELINE", type=Path)
    guide_.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="the file to write (default: standard output)"
    )
    check = commands.add_parser("verify", help="say whether a report is as its run left it")
    check.add_argument("folder", metavar="DIR", type=Path, help="the folder of the report, such as reports/latest")
    check.add_argument("--head", metavar="HASH", help="the head that the run told on the terminal or in the report")
    check.add_argument("--allowed-signers", metavar="FILE", type=Path, help="ssh-keygen's file of who may have signed")
    check.add_argument("--json", action="store_true", help="print a JSON document")
    return top


def _doors(command: argparse.ArgumentParser) -> None:
    command.add_argument(CONFIG, metavar="FILE", help=f"file of settings (env {variable(CONFIG)})")
    for option, text in DOORS.items():
        metavar = option.rsplit("-", 1)[1].upper()
        command.add_argument(option, metavar=metavar, help=f"{text} (env {variable(option)})".replace("%", "%%"))
    for option, text in SWITCHES.items():
        command.add_argument(option, action="store_true", help=f"{text} (env {variable(option)}=1)".replace("%", "%%"))


def main(argv: list[str] | None = None) -> int:
    """Run one command. Exit 0 done or no difference, 1 differences, 4 wrong use with a sentence, 11 could not look."""
    asked = parser().parse_args(argv)
    try:
        code = run(asked)
        sys.stdout.flush()
    except HubspecError as error:
        print(f"hubspec: {error}", file=sys.stderr)
        return COULD_NOT_LOOK if isinstance(error, DoorError) else WRONG_USE
    except KeyboardInterrupt:
        print("hubspec: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read has seen enough, such as `head`; Python would try to write the rest at its end.
        with suppress(BrokenPipeError):
            sys.stdout.close()
        return 141
    return code


def run(asked: argparse.Namespace) -> int:
    """Do the parsed command, and return its exit code. Raises HubspecError."""
    if asked.command == "init":
        from hubspec.init import init

        return init(asked, lambda line: print(line, file=sys.stderr, flush=True))
    if asked.command == "fleet":
        from hubspec.fleet.command import fleet

        return fleet(asked, lambda line: print(line, file=sys.stderr, flush=True))
    if asked.command == "doctor":
        from hubspec.doctor.command import doctor

        return doctor(asked, lambda line: print(line, file=sys.stderr, flush=True))
    if asked.command == "merge":
        return merge_command.merge(asked, lambda line: print(line, file=sys.stderr, flush=True))
    exits = {
        "diff": diff,
        "guide": guide,
        "history": history_command.history,
        "script": script,
        "upload": upload_command.upload,
        "verify": verify,
    }
    if asked.command in exits:
        return exits[asked.command](asked)
    if asked.command == "fields":
        print("\n".join(fields()))
    elif asked.command == "frameworks":
        baseline = load(asked.baseline)
        print("\n".join(requirements.lines(baseline.sections.controls, baseline.frameworks)))
    elif asked.command == "iam":
        print(json.dumps(policy(asked.need), indent=2))
    else:
        models: dict[str, type[BaseModel]] = {"record": Record, "run": Run}
        print(json.dumps(schema() if asked.of == "baseline" else models[asked.of].model_json_schema(), indent=2))
    return 0


def diff(asked: argparse.Namespace) -> int:
    """Print what differs, and return the exit code. Raises HubspecError."""
    from hubspec import diff as of

    names = (str(asked.before), str(asked.after))
    found = of.differences(of.opened(asked.before), of.opened(asked.after))
    print(of.as_json(found, names) if asked.json else "\n".join(of.lines(found, names)))
    return of.code(found)


def guide(asked: argparse.Namespace) -> int:
    """Write the guide. Raises HubspecError."""
    from hubspec import guide as of
    from hubspec.report.guide import render

    baseline = load(asked.file)
    title = baseline.sections.title or str(asked.file)
    text = render(title, baseline, of.sections(baseline), sorted(map(str, baseline.layer.files)), of.waivers(baseline))
    if asked.output:
        of.write(asked.output, text)
    else:
        print(text, end="")
    return 0


def verify(asked: argparse.Namespace) -> int:
    """Print what is to be said of a report, and return the exit code. Raises HubspecError."""
    from hubspec import verified
    from hubspec.verify import verify as of

    found = of(asked.folder, asked.head, asked.allowed_signers)
    print(verified.as_json(found) if asked.json else "\n".join(verified.lines(found)))
    return found.code


def script(asked: argparse.Namespace) -> int:
    """Write the script. Raises HubspecError."""
    from hubspec.script import Wish, made, write

    text = made(Wish(asked.file, asked.container, asked.hub_admin, asked.with_secrets))
    if asked.output:
        write(asked.output, text)
    else:
        print(text, end="")
    return 0


def fields() -> Iterator[str]:
    """Yield the lines of a Markdown table for each kind: its section, and the description of each field."""
    for kind in KINDS.values():
        yield f"### {kind.section}\n"
        yield f"{kind.resource.__doc__ or ''}".strip().split("\n")[0] + f" Read by {kind.reads}.\n"
        yield "| field | meaning |\n|---|---|"
        for name, field in kind.resource.model_fields.items():
            if name not in Resource.model_fields:
                yield f"| `{name}` | {field.description} |"
        yield ""


if __name__ == "__main__":
    sys.exit(main())
