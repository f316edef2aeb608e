"""Carrying out a plan: one batch for each door, each result recorded as it comes, and an orderly end when interrupted."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from hubspec.door import Bundle, Workers
from hubspec.errors import DoorError, EndUnknownError, LockedError
from hubspec.masked import masked
from hubspec.model import Action
from hubspec.plan import Entry, batches

LIMIT = 1800
"""Seconds that one action in the container may take: conda's solver can be slow, and nothing waits for ever."""
SAID = 20
"""How many last lines of what a failed action printed are kept."""
State = Literal["done", "failed", "skipped", "unknown", "not reached"]


@dataclass(frozen=True)
class Result:
    """What became of one entry: `text` says why, or what it printed last; `at` is when it ended, UTC."""

    state: State
    text: str
    at: datetime

    @property
    def summary(self) -> str:
        """Return why in one line: the last one, which is where programs say what went wrong."""
        first, _, rest = self.text.partition(": ")
        last = next((line for line in reversed(self.text.splitlines()) if line.strip()), "")
        return f"{first}: {last.strip()}" if rest and "\n" in self.text and first.startswith("status") else last.strip()

    def __str__(self) -> str:
        return f"{self.state} at {self.at:%H:%M:%S} UTC{f': {self.text}' if self.text else ''}"


class Applied(dict[str, Result]):
    """Entry id -> its result; whoever listens is told of each as it comes."""

    def __init__(self, entries: Iterable[Entry], told: Callable[[Entry, Result], None]) -> None:
        """Take the entries that will be carried out."""
        super().__init__()
        self.entries, self._told = {entry.id: entry for entry in entries}, told

    def note(self, id_: str, state: State, text: str = "") -> None:
        """Keep a result."""
        self[id_] = Result(state, text, datetime.now(UTC))
        self._told(self.entries[id_], self[id_])

    def blocked(self, entry: Entry) -> str:
        """Return why an entry cannot be done, for one that it needs was not; empty where nothing is in its way."""
        bad = [need for need in entry.needs if need in self.entries and self.get(need, _NOT_YET).state != "done"]
        return f"it needs {', '.join(bad)}, which was not done" if bad else ""


_NOT_YET = Result("not reached", "", datetime.now(UTC))


def apply(entries: list[Entry], workers: Workers, told: Callable[[Entry, Result], None]) -> Applied:
    """Carry out the entries, and return the result of each.

    A failed one leaves those that need it undone, and no other. Where a door breaks off, what was under way is
    unknown, and what came after it was not reached. `workers.stopped()` turning true ends it after the action under way.
    What a door raises is in the results, but for LockedError: then nothing was done.
    """
    applied = Applied(entries, told)
    for door, batch in _bundled(entries, workers):
        ready = []
        for entry in batch:
            inside = {one.id for one in batch}
            earlier = [need for need in entry.needs if need not in inside]
            why = applied.blocked(entry.model_copy(update={"needs": earlier}))
            if why:
                applied.note(entry.id, "skipped", why)
            else:
                ready.append(entry)
        if door == "container":
            _in_container(ready, workers, applied)
        else:
            _one_by_one(door, ready, workers, applied)
    return applied


def _bundled(entries: list[Entry], workers: Workers) -> list[tuple[str, list[Entry]]]:
    """Return the batches; with a bundle the hub's go with the container's."""
    found = batches(entries)
    if workers.bundle is None:
        return found
    inside = [entry for door, batch in found for entry in batch if door in {"container", "hub"}]
    others = [(door, batch) for door, batch in found if door not in {"container", "hub"}]
    where = sum(door == "engine" for door, _ in others)
    return [*others[:where], *([("container", inside)] if inside else []), *others[where:]]


def _hub_request(request: str) -> tuple[str, str, str | None]:
    method, _, rest = request.partition(" ")
    path, _, body = rest.partition(" ")
    return method, path, body or None


def _one_by_one(door: str, batch: list[Entry], workers: Workers, applied: Applied) -> None:
    for entry in batch:
        if workers.stopped():
            applied.note(entry.id, "not reached", "the run was interrupted")
            continue
        why = applied.blocked(entry)
        if why:
            applied.note(entry.id, "skipped", why)
            continue
        try:
            applied.note(entry.id, "done", _act(door, entry.action, workers))
        except DoorError as error:
            applied.note(entry.id, "failed", str(error))


def _act(door: str, action: Action, workers: Workers) -> str:
    if door == "engine":
        return workers.container.manage(shlex.split(action.request))
    if door == "hub":
        method, path, body = _hub_request(action.request)
        return workers.hub.act(method, path.removeprefix("/hub/api"), body)
    call, _, arguments = action.request.partition(" ")
    return workers.aws.act(call, arguments)


class _Ears:
    """Listens to the script of a batch, and notes the result of each of its entries."""

    def __init__(self, nonce: str, applied: Applied) -> None:
        self.nonce, self.applied = nonce, applied
        self.under_way, self.said = "", list[str]()

    def hear(self, line: str) -> None:
        """Take one line of what the script prints."""
        mark, _, rest = line.partition(" ")
        word, id_, more = (*rest.split(), "", "", "")[:3]
        if mark != self.nonce:
            self.said.append(line)
        elif word == "begin":
            self.under_way, self.said = id_, []
        elif word == "end":
            self.under_way = ""
            self.applied.note(id_, *_ended(int(more), [line for line in self.said if line.strip()][-SAID:]))
        elif word == "skip":
            self.applied.note(id_, "skipped", f"it needs {more}, which was not done")
        elif word == "stop":
            self.applied.note(id_, "not reached", "the run was interrupted")


def _in_container(batch: list[Entry], workers: Workers, applied: Applied) -> None:
    if not batch:
        return
    nonce = secrets.token_hex(8)
    ears = _Ears(nonce, applied)
    broken, begun = "its answer broke off", False
    try:
        workers.container.act(script(batch, nonce, workers.bundle), ears.hear, stop=f"touch {_stop_file(nonce)}")
    except LockedError:
        raise
    except DoorError as error:
        broken, begun = str(error), isinstance(error, EndUnknownError)
    for entry in batch:
        if entry.id == ears.under_way or (begun and entry.id not in applied):
            applied.note(entry.id, "unknown", f"nobody knows whether it was done: {broken}")
        elif entry.id not in applied:
            applied.note(entry.id, "not reached", broken)


def _ended(status: int, lines: list[str]) -> tuple[State, str]:
    if status == 0:
        return "done", ""
    last = masked("\n".join(lines)) or "it printed nothing"
    if status == 124:
        return "failed", f"it took longer than {LIMIT} s: {last}"
    return "failed", f"status {status}: {last}"


def script(batch: Iterable[Entry], nonce: str, bundle: Bundle | None = None) -> str:
    """Return one script for sh that does every action of a batch, each in a process of its own, and says how it ended.

    An action that needs one that failed is skipped. None begins once the stop file is there.
    """
    return (
        "\n".join(
            [
                "export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                *_body(list(batch), nonce, bundle),
            ]
        )
        + "\n"
    )


def _stop_file(nonce: str) -> str:
    return f"/run/hubspec-{nonce}.stop"


def _body(batch: list[Entry], nonce: str, bundle: Bundle | None) -> Iterator[str]:
    asks = bundle is not None and any(entry.action.door == "hub" for entry in batch)
    if bundle and asks:
        yield bundle.before
    yield f"""bad=' '
act() {{
  for need in $2; do
    case "$bad" in *" $need "*) bad="$bad$1 "; echo "{nonce} skip $1 $need"; return;; esac
  done
  if [ -e {_stop_file(nonce)} ]; then bad="$bad$1 "; echo "{nonce} stop $1"; return; fi
  echo "{nonce} begin $1"
  printf '%s\\n' "$3" | timeout {LIMIT} sh -s 2>&1
  status=$?
  [ "$status" = 0 ] || bad="$bad$1 "
  printf '\\n'; echo "{nonce} end $1 $status"
}}"""
    for entry in batch:
        command = entry.action.request
        if bundle and entry.action.door == "hub":
            command = bundle.request(*_hub_request(command))
        if entry.action.payload is not None:
            command = f"payload={shlex.quote(entry.action.payload.get_secret_value().decode())}\n{command}"
        # On the standard input of a shell, and not in its arguments: what is in a payload may be a secret.
        command = f"(\n{command}\n) </dev/null"
        yield f"act {entry.id} {shlex.quote(' '.join(entry.needs))} {shlex.quote(command)}"
    if bundle and asks:
        yield bundle.after
    yield f"rm -f {_stop_file(nonce)}"
