"""The text of a script that puts a hub right from the master node: readable, and the same whenever it is made anew."""

from __future__ import annotations

import textwrap
from base64 import b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from shlex import quote
from urllib.parse import quote as escaped

from hubspec.cluster.hub_shell import bundle
from hubspec.model import Action
from hubspec.printable import printable

LOCK = "/run/hubspec.lock"
"""The lock that a run of hubspec holds while it fixes."""


@dataclass(frozen=True)
class Item:
    """A resource, the door through which it is put right, how, and what of it a person has to do."""

    kind: str
    name: str
    door: str
    actions: tuple[Action, ...]
    by_hand: tuple[str, ...] = ()

    def contents(self) -> Iterator[bytes]:
        """Yield the contents of files that its actions write."""
        for action in self.actions:
            if action.payload is not None:
                yield b64decode(action.payload.get_secret_value())


_TOP = """#!/bin/sh
# This script {about}.
# Made by hubspec; docs/script.md says how to run it at the launch of a cluster.
#
# It runs on the master node as a user who may sudo docker, such as hadoop. A second run changes nothing. It says ok,
# changed or failed for each resource, and exits with 1 where something failed.
#{contents}
# HUBSPEC_WAIT is for how many seconds it waits for the container, and then for the hub: 900 each unless you say so.
set -eu
container={container}
wait=${{HUBSPEC_WAIT:-900}}
failed=0

left=$wait
until [ "$(sudo docker inspect -f '{{{{.State.Running}}}}' "$container" 2>/dev/null)" = true ]; do
  if [ "$left" -le 0 ]; then
    echo "failed  the container $container does not run after $wait s: sudo docker ps -a" >&2
    exit 1
  fi
  left=$((left - 5))
  sleep 5
done
"""
_HOST = """
# On the master node.
try() {
  what=$1
  shift
  before=$(sudo docker inspect -f '{{json .HostConfig.RestartPolicy}} {{.State.Running}}' "$container")
  if ! said=$("$@" 2>&1 </dev/null); then
    printf 'failed  %s\\n        %s\\n' "$what" "$said"
    failed=1
  elif [ "$(sudo docker inspect -f '{{json .HostConfig.RestartPolicy}} {{.State.Running}}' "$container")" = "$before" ]; then
    echo "ok      $what"
  else
    echo "changed $what"
  fi
}
"""
_INSIDE = """export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
failed=0

exec 9>>{lock}
if ! flock -n 9; then
  echo "failed  somebody else is putting the hub right: $(cat {lock})"
  exit 1
fi
echo 'a script made by hubspec' >{lock}
trap ': >{lock}' EXIT
trap 'failed=1; exit 1' HUP INT TERM

# What an action can change, as a number.
state() {{
  case $1 in
    user) cat /etc/passwd /etc/group /etc/shadow ;;
    package) for prefix in /opt/conda /opt/conda/envs/*; do ls -d "$prefix"/conda-meta/*.json "$prefix"/lib/python*/site-packages/*-info; cat "$prefix"/conda-meta/pinned; done ;;
    kernel) for prefix in /opt/conda /usr/local /usr; do cat "$prefix"/share/jupyter/kernels/*/kernel.json; done ;;
    file) stat -c '%F %a %u %g %i' -- "$2" && cat -- "$2" ;;
    hub_user) ask GET "$2" | grep -oE '"(admin": *[a-z]*|groups": *\\[[^]]*\\])' ;;
    *) ask GET "$2" ;;
  esac 2>/dev/null | cksum
}}

# try KIND WHERE NAME: runs the commands on its standard input, and says what became of them.
try() {{
  commands=$(cat)
  before=$(state "$1" "$2")
  if ! said=$( (eval "$commands") 2>&1 </dev/null); then
    failed=1
    printf 'failed  %s %s\\n' "$1" "$3"
    printf '%s\\n' "$said" | tail -n 20 | sed 's/^/        /'
  elif [ "$(state "$1" "$2")" = "$before" ]; then
    printf 'ok      %s %s\\n' "$1" "$3"
  else
    printf 'changed %s %s\\n' "$1" "$3"
  fi
}}
"""
_HUB = """
# The hub's own users, by its REST API, with a token that is deleted again in any case.
wait={wait}
until {python} -c 'import socket; socket.create_connection(("127.0.0.1", 9443), 5)' 2>/dev/null; do
  if [ "$wait" -le 0 ]; then
    echo 'failed  the hub does not listen on port 9443: see its log, sudo docker logs jupyterhub'
    exit 1
  fi
  wait=$((wait - 5))
  sleep 5
done
# shellcheck disable=SC2317 # the trap calls it
leave() {{
  trap - EXIT
  said=$( (
{after}
  ) 2>&1)
  : >{lock}
  if [ -n "$said" ]; then
    printf 'failed  the token of this script was not deleted: %s\\n' "$said"
    exit 1
  fi
  exit "$failed"
}}
trap leave EXIT
{before}
# shellcheck disable=SC2317 # what is tried calls it
ask() {{
{ask}
}}
"""


def text(items: Iterable[Item], about: str, container: str, admin: str) -> str:
    """Return the script. What is for the container travels on the standard input of one `docker exec`, and in no argument."""
    every = list(items)
    held = [item for item in every if any(True for _ in item.contents())]
    contents = (
        f"\n# It holds the contents of {len(held)} files: keep it where only those may read it who may read them.\n#"
    )
    parts = [_TOP.format(about=printable(about), contents=contents if held else "", container=quote(container))]
    host = [item for item in every if item.door == "engine"]
    if host:
        parts.append(_HOST)
        parts += [_on_the_host(item) for item in host]
    inside = _inside(every, admin)
    if inside:
        end = _end("END_OF_CONTAINER", inside)
        parts.append(
            f'\nsudo docker exec -i -e HUBSPEC_WAIT="$wait" "$container" sh <<\'{end}\' || failed=1\n{inside}{end}\n'
        )
    parts.append('\nexit "$failed"\n')
    return "".join(parts)


def inner(script: str) -> str:
    """Return the part of a script that runs in the container; empty where it has none."""
    _, begun, rest = script.partition(" sh <<'")
    end, _, body = rest.partition("' || failed=1\n")
    return body.partition(f"\n{end}\n")[0] + "\n" if begun else ""


def _inside(items: list[Item], admin: str) -> str:
    container = [item for item in items if item.door == "container"]
    hub = [item for item in items if item.door == "hub" and item.actions]
    if not hub and not any(item.actions for item in container):
        return ""
    parts = [_INSIDE.format(lock=LOCK), *map(_in_the_container, container)]
    if hub:
        requests = bundle(admin)
        ask = requests.request("METHOD", "PATH", None).replace("METHOD PATH", '"$@"')
        parts.append(
            _HUB.format(
                wait="${HUBSPEC_WAIT:-900}", python="/opt/conda/bin/python3", lock=LOCK, ask=ask,
                before=requests.before, after=requests.after.rstrip(),
            )
        )  # fmt: skip
        parts += map(_at_the_hub, hub)
    return "".join([*parts, '\nexit "$failed"\n'])


def _on_the_host(item: Item) -> str:
    label = quote(f"{item.kind} {printable(item.name)}")
    return _told(item) + "".join(f"try {label} sudo {action.request}\n" for action in item.actions)


def _in_the_container(item: Item) -> str:
    if not item.actions:
        return _told(item)
    return _try(item, item.name if item.kind == "file" else "-", (_commands(action) for action in item.actions))


def _at_the_hub(item: Item) -> str:
    requests = [action.request.split(" ", 2) for action in item.actions]
    where = f"/hub/api/users/{escaped(item.name, safe='')}" if item.kind == "hub_user" else requests[0][1]
    asked = (f"ask {' '.join(map(quote, words))}\n" for words in requests)
    commands = (f"# {printable(action.sentence)}\n{ask}" for action, ask in zip(item.actions, asked, strict=True))
    return _try(item, where, commands)


def _try(item: Item, where: str, commands: Iterable[str]) -> str:
    body = "".join(f"(\n{one}) || exit\n" for one in commands)
    end = _end("END", body)
    return f"{_told(item)}try {item.kind} {quote(where)} {quote(printable(item.name))} <<'{end}'\n{body}{end}\n"


def _commands(action: Action) -> str:
    payload = ""
    if action.payload is not None:
        lines = textwrap.fill(action.payload.get_secret_value().decode(), 76)
        payload = f"payload='\n{lines}\n'\n"
    return f"# {printable(action.sentence)}\n{payload}{action.request}\n"


def _told(item: Item) -> str:
    lines = [f"{item.kind} {item.name}", *(f"by hand: {sentence}" for sentence in item.by_hand)]
    return "\n" + "".join(f"# {printable(line)}\n" for line in lines)


def _end(word: str, body: str) -> str:
    """Return a word that is no line of the text, to end it."""
    lines = body.split("\n")
    while word in lines:
        word += "_"
    return word
