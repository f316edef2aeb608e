"""`python -m lab`: up, down, status, env, break, mend, breaks, shell."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sys
import time

import lab
from lab.model import HUB, MASTER, LabError
from lab.versions import DEFAULT, VERSIONS


def parser() -> argparse.ArgumentParser:
    """Answer the grammar of the command line."""
    top = argparse.ArgumentParser(
        prog="python -m lab", description="An EMR cluster with a real JupyterHub, on this machine."
    )
    commands = top.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring it up (idempotent)")
    up.add_argument("--hub", metavar="VERSION", help=f"with this JupyterHub: {', '.join(VERSIONS)} (default {DEFAULT})")
    down = commands.add_parser("down", help="remove all of it; images are kept")
    down.add_argument("--images", action="store_true", help="remove the images too")
    commands.add_parser("status", help="say what is up and where").add_argument("--json", action="store_true")
    commands.add_parser("env", help='print export lines: eval "$(python -m lab env)"')
    for word in ("break", "mend"):
        commands.add_parser(word, help=f"{word} one thing; see `breaks`").add_argument("name")
    commands.add_parser("breaks", help="list what can be broken").add_argument("--json", action="store_true")
    commands.add_parser("shell", help="a shell in the hub container").add_argument(
        "where", nargs="?", default="hub", choices=("hub", "master")
    )
    return top


def say(text: str) -> None:
    """Print a line of progress, apart from a command's own output."""
    print(text, file=sys.stderr, flush=True)


def need() -> lab.Lab:
    """Answer the lab that is up. Raises: LabError where none is."""
    found = lab.status()
    if found is None:
        raise LabError("the lab is not up", then="python -m lab up")
    return found


def show(*, as_json: bool) -> int:
    """Print the status; exit 3 where the lab is down."""
    from lab import report

    facts = report.facts()
    print(json.dumps(facts, indent=2) if as_json else report.text(facts))
    return 0 if facts["up"] else 3


def shell(where: str) -> int:
    """Replace this process by bash in a container. Raises: LabError without docker and ssh clients."""
    found = need()
    terminal = sys.stdin.isatty()
    inner = ["docker", "exec", "-it" if terminal else "-i", HUB if where == "hub" else MASTER, "bash"]
    if shutil.which("docker") is None:
        if shutil.which("ssh") is None:
            raise LabError("`shell` needs a docker client or an SSH client on PATH")
        hosts = f"UserKnownHostsFile={found.known_hosts}"
        way = ["-p", str(found.ssh_port), "-i", str(found.ssh_key), "-o", hosts, "hadoop@127.0.0.1"]
        inner = ["ssh", *(["-t"] if terminal else []), *way, "sudo", *inner]
    os.execvp(inner[0], inner)  # noqa: S606


def main(argv: list[str] | None = None) -> int:
    """Run one command; exit 0 done, 1 failed with a message, 2 wrong use, 3 `status` of a lab that is down."""
    args = parser().parse_args(argv)
    try:
        return run(args)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; `python -m lab up` makes it anew, `down` removes what there is", file=sys.stderr)
        return 130


def run(args: argparse.Namespace) -> int:
    """Do the parsed command. Raises: LabError."""
    begun = time.monotonic()
    if args.command == "up":
        lab.up(say, hub=args.hub)
        say(f"the lab is up ({time.monotonic() - begun:.1f} s)")
        return show(as_json=False)
    if args.command == "down":
        lab.down(say, with_images=args.images)
        say("the lab is down")
    elif args.command == "status":
        return show(as_json=args.json)
    elif args.command == "env":
        for name, value in need().env.items():
            print(f"export {name}={shlex.quote(value)}")
    elif args.command == "shell":
        return shell(args.where)
    else:
        from lab import breaks

        if args.command == "breaks":
            print(breaks.listing(as_json=args.json))
        else:
            (breaks.apply if args.command == "break" else breaks.mend)(args.name)
            say(f"{args.name}: {'broken' if args.command == 'break' else 'mended'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
