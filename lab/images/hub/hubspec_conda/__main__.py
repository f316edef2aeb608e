"""The command line of the lab's conda: the commands it does, done for real; every other one refused."""

from __future__ import annotations

import argparse
import fcntl
import json
import platform
import shutil
import sys
from pathlib import Path
from typing import NoReturn

from hubspec_conda import CHANNEL, NUMBER, ROOT, VERSION, prefixes
from hubspec_conda.prefixes import CondaError


class Parser(argparse.ArgumentParser):
    """Refuses what it does not know with exit 2, as conda does, and says what the lab's conda can."""

    def error(self, message: str) -> NoReturn:
        """Print the refusal and leave."""
        done = "list, install, remove, create, env list, info, --version"
        self.exit(2, f"conda: {message}\nThis is the hubspec lab's front end; it does: {done}.\n")


def parser() -> argparse.ArgumentParser:
    """Answer the grammar."""
    top = Parser(prog="conda", description=VERSION)
    top.add_argument("-V", "--version", action="version", version=VERSION)
    commands = top.add_subparsers(dest="command", required=True)
    for name in ("list", "install", "remove", "create", "info"):
        sub = commands.add_parser(name)
        sub.add_argument("--json", action="store_true")
        if name == "info":
            continue
        where = sub.add_mutually_exclusive_group(required=name == "create")
        where.add_argument("-n", "--name")
        where.add_argument("-p", "--prefix")
        if name == "list":
            continue
        sub.add_argument("-y", "--yes", action="store_true", help="accepted; the image never asks")
        sub.add_argument("-q", "--quiet", action="store_true")
        sub.add_argument("-d", "--dry-run", action="store_true")
        sub.add_argument("--no-pin", action="store_true", help="leave conda-meta/pinned aside")
        if name == "remove":
            sub.add_argument("--all", action="store_true")
        sub.add_argument("specs", nargs="*" if name != "install" else "+")
    env = commands.add_parser("env").add_subparsers(dest="env_command", required=True)
    env.add_parser("list").add_argument("--json", action="store_true")
    return top


def listed(args: argparse.Namespace) -> int:
    """`conda list`: conda's records and, as channel pypi, what pip put there."""
    prefix = prefixes.prefix_of(args.name, args.prefix)
    base, channel = CHANNEL, CHANNEL.rsplit("/", 1)[1]
    rows = [(r["name"], r["version"], r["build"], r["build_number"], channel, base, r["subdir"])
            for r in prefixes.records(prefix)]
    rows += [(name, version, "pypi_0", 0, "pypi", "https://conda.anaconda.org/pypi", "pypi")
             for name, version in prefixes.pip_packages(prefix)]
    if args.json:
        keys = ("name", "version", "build_string", "build_number", "channel", "base_url", "platform")
        items = [dict(zip(keys, row, strict=True)) | {"dist_name": "-".join(row[:3])} for row in sorted(rows)]
        print(json.dumps(items, indent=2, sort_keys=True))
        return 0
    print(f"# packages in environment at {prefix}:\n#")
    print(f"# {'Name':<23} {'Version':<15} {'Build':>15}  Channel")
    for row in sorted(rows):
        print(f"{row[0]:<25} {row[1]:<15} {row[2]:>15}  {row[4]}")
    return 0


def changed(args: argparse.Namespace) -> int:
    """`conda install`, `remove` and `create`: solve, show, and unless it is a dry run, do."""
    from hubspec_conda import transaction  # noqa: PLC0415 - listing need not load the solver

    prefix = prefixes.prefix_of(args.name, args.prefix, must_exist=args.command != "create")
    if args.command == "remove" and args.all:
        if prefix == Path(ROOT):
            raise CondaError("CondaEnvironmentError", "cannot remove root environment")
        if not args.dry_run:
            shutil.rmtree(prefix)
        return _say(args, {"success": True, "dry_run": args.dry_run, "prefix": str(prefix)}, f"removed {prefix}")
    if args.command == "create" and not args.dry_run:
        prefixes.make(prefix)
    with (Path(ROOT) / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if args.command == "remove":
            plan = transaction.removing(prefix, args.specs)
        else:
            plan = transaction.installing(prefix, args.specs, pins=not args.no_pin)
        done = {"success": True, "prefix": str(prefix)}
        if args.dry_run:
            return _say(args, {**done, "dry_run": True, "actions": plan.as_json()}, _plan(plan))
        plan.apply("remove" if args.command == "remove" else "update", args.specs)
    if plan.empty and args.command == "install":
        message = "All requested packages already installed."
        return _say(args, {**done, "message": message}, f"# {message}")
    return _say(args, {**done, "actions": plan.as_json()}, _plan(plan) + "\nExecuting transaction: done")


def _plan(plan: object) -> str:
    actions = plan.as_json()  # type: ignore[attr-defined]
    lines = ["## Package Plan ##", "", f"  environment location: {actions['PREFIX']}", ""]
    for title, key in (("REMOVED", "UNLINK"), ("INSTALLED", "LINK")):
        if actions[key]:
            lines += [f"The following packages will be {title}:", ""]
            lines += [f"  {i['name']:<18} {i['version']}-{i['build_string']} {i['channel']}" for i in actions[key]]
            lines.append("")
    return "\n".join(lines)


def _say(args: argparse.Namespace, data: dict[str, object], text: str) -> int:
    if args.json:
        print(json.dumps(data, indent=2))
    elif not getattr(args, "quiet", False):
        print(text)
    return 0


def _environments() -> list[str]:
    return [ROOT, *sorted(str(p.parent) for p in Path(ROOT, "envs").glob("*/conda-meta"))]


def told(args: argparse.Namespace) -> int:
    """`conda info` and `conda env list`."""
    if args.command == "env":
        rows = [f"{'base' if path == ROOT else Path(path).name:<22} {path}" for path in _environments()]
        return _say(args, {"envs": _environments()}, "\n".join(["# conda environments:", "#", *rows]))
    facts: dict[str, object] = {
        "conda_version": NUMBER,
        "lab": VERSION,
        "platform": "linux-aarch64" if platform.machine() == "aarch64" else "linux-64",
        "root_prefix": ROOT,
        "default_prefix": ROOT,
        "conda_prefix": ROOT,
        "channels": [CHANNEL],
        "envs": _environments(),
        "envs_dirs": [f"{ROOT}/envs"],
        "pkgs_dirs": [f"{ROOT}/pkgs"],
        "offline": True,
    }
    return _say(args, facts, "\n".join(f"{key:>20} : {value}" for key, value in facts.items()))


def main() -> int:
    """Run one command; conda's own exit codes: 0 done, 1 an error it names, 2 an argument error."""
    args = parser().parse_args()
    acts = {"list": listed, "info": told, "env": told}
    try:
        return acts.get(args.command, changed)(args)
    except CondaError as error:
        if getattr(args, "json", False):
            print(json.dumps(error.as_json(), indent=2))
        else:
            print(f"\n{error.name}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
