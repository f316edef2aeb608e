"""Reading a cluster: every probe joined into one script, one round trip a door, answers parsed. A room above the kinds."""

from __future__ import annotations

import secrets
import time
import traceback
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import wait
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from hubspec.baseline import Baseline
from hubspec.cluster.beside import start
from hubspec.door import AwsDoor, ContainerDoor, Door, Doors, HubDoor
from hubspec.errors import AnsweredError, DoorError, StoppedError
from hubspec.kind import REST, Kind, Observations
from hubspec.kinds import KINDS
from hubspec.masked import masked, masked_sentence, masked_value
from hubspec.model import Detail, NotApplicable, Observation, Present, Stopped, Unreadable
from hubspec.snapshot import Reading, Snapshot

EXPLAINED = 10
"""Of how many things that failed the door is asked what they say of themselves."""
UNASKED, HANDSHAKES, CLOCK = "/", "certificate", "now"
"""The words of a hub's probe that are no path for a token: what the hub tells everybody, what it shows on the wire, and the time."""
_FREE = {HANDSHAKES, CLOCK}
Way = Callable[[list[Kind]], dict[str, Any]]


def collect(cluster: str, doors: Doors, baseline: Baseline, kinds: Collection[str]) -> Snapshot:
    """Read the kinds of one cluster, the doors side by side. What a door does not show is unreadable, with its reason.

    Raises UnknownClusterError where AWS says that there is no such cluster: then nothing else seen is its.
    """
    asked = [KINDS[name] for name in KINDS if name in kinds]
    ways: list[tuple[set[str], Door | NotApplicable, Way]] = [
        ({"engine", "container"}, doors.container, lambda kinds: _look(doors.container, kinds, baseline)),
        ({"hub"}, doors.hub, lambda kinds: _pages(doors.hub, kinds, baseline)),
        ({"aws"}, doors.aws, lambda kinds: {kind.name: _ask(doors.aws, kind, baseline) for kind in kinds}),
    ]
    snapshot = Snapshot(cluster)
    jobs = [
        partial(_read, mine, door, way, doors, baseline)
        for words, door, way in ways
        if (mine := [kind for kind in asked if kind.door in words])
    ]
    readings = start(jobs, len(ways))
    wait(readings)
    for reading in readings:
        snapshot.readings |= reading.result()
    for kind, names in doors.own.items():
        seen = snapshot.readings[kind].seen if kind in snapshot.readings else None
        if isinstance(seen, dict):
            snapshot.readings[kind] = replace(
                snapshot.readings[kind], seen={name: one for name, one in seen.items() if name not in names}
            )
    for _, door, _ in ways:
        snapshot.trips |= {} if isinstance(door, NotApplicable) else door.trips
    return snapshot


def _read(
    kinds: list[Kind], door: Door | NotApplicable, way: Way, doors: Doors, baseline: Baseline
) -> dict[str, Reading]:
    started, clock = datetime.now(UTC), time.monotonic()
    try:
        answers = way(kinds)
    except DoorError as error:
        closed = (
            Stopped(masked_sentence(str(error)))
            if isinstance(error, StoppedError)
            else Unreadable(masked_sentence(str(error)))
        )
        answers = dict.fromkeys((kind.name for kind in kinds), closed)
    seen = {kind.name: _parse(kind, answers[kind.name]) for kind in kinds}
    for kind in kinds:
        if kind.door == "aws" and not isinstance(doors.aws, NotApplicable):
            _explain(doors.aws, kind, baseline, seen[kind.name])
    took = time.monotonic() - clock
    name, command = ("none", "") if isinstance(door, NotApplicable) else (door.name, door.command)
    return {
        kind.name: Reading(name, f"{command}: {kind.reads}", started, took, seen[kind.name], doors.container.container)
        for kind in kinds
    }


def _parse(kind: Kind, answer: Any) -> Observations | Unreadable | NotApplicable:
    if isinstance(answer, Unreadable | NotApplicable):
        return answer
    try:
        seen = kind.parse(answer)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return Unreadable(f"the answer about {_all(kind.name)} is not understood ({type(error).__name__}: {error})")
    except Exception as error:  # noqa: BLE001 - a mistake of ours costs its kind, and its words may quote the whole answer
        at = traceback.extract_tb(error.__traceback__)[-1]
        why = f"{type(error).__name__} in {at.name}, line {at.lineno} of {at.filename.rpartition('/')[2]}"
        return Unreadable(f"hubspec could not cope with the answer about {_all(kind.name)}: {why}; please report it")
    never = seen.get(REST)
    return never if isinstance(never, NotApplicable) else {masked(name): _shown(one) for name, one in seen.items()}


def _shown(one: Observation) -> Observation:
    """Return what was seen without the secrets in it: nothing after this place knows them."""
    if isinstance(one, Unreadable | NotApplicable):
        return replace(one, reason=masked_sentence(one.reason))
    if not isinstance(one, Present):
        return one
    stated = one.resource.stated()
    fields = {name: shown for name, value in stated.items() if (shown := masked_value(value, name)) != value}
    name = masked(one.resource.name)
    if fields or name != one.resource.name:
        one = replace(one, resource=one.resource.model_copy(update={**fields, "name": name}))
    if one.unread:
        one = replace(one, unread={field: masked_sentence(why) for field, why in one.unread.items()})
    details = tuple(replace(detail, text=masked(detail.text)) for detail in one.details)
    return replace(one, details=details) if details else one


def _probe(kind: Kind, baseline: Baseline) -> str:
    return kind.probe(baseline.resources[kind.name].values(), baseline.policy(kind.name))


def _pages(door: HubDoor, kinds: list[Kind], baseline: Baseline) -> dict[str, Any]:
    """Return the hub's answers: the one of its path to a kind, path -> answer to one that asks several. None is asked twice.

    What the hub answers with a refusal is unreadable for those kinds alone; where it does not answer, nothing more is
    asked of it, and that is the reason for all that is missing.
    """
    asked = {kind.name: _probe(kind, baseline).split() for kind in kinds}
    told: dict[str, Any] = {}
    shut: Unreadable | None = None
    for path in dict.fromkeys(path for paths in asked.values() for path in paths):
        try:
            told[path] = shut if shut and path not in _FREE else _asked(door, path)
        except DoorError as error:
            told[path] = Unreadable(masked_sentence(str(error)))
            if not isinstance(error, AnsweredError) and path not in _FREE:
                shut = told[path]
    return {kind.name: _answer(kind, {path: told[path] for path in asked[kind.name]}) for kind in kinds}


def _asked(door: HubDoor, path: str) -> Any:
    if path in _FREE:
        return door.certificate() if path == HANDSHAKES else time.time()
    return door.version() if path == UNASKED else door.pages(path)


def _answer(kind: Kind, told: dict[str, Any]) -> Any:
    refused = [answer for answer in told.values() if isinstance(answer, Unreadable)]
    if refused and (not kind.parts or len(refused) == len(told)):
        return refused[0]
    return told if kind.parts or len(told) > 1 else next(iter(told.values()))


def _ask(door: AwsDoor | NotApplicable, kind: Kind, baseline: Baseline) -> Any:
    """Return the answers by name of call; what says why where the first, without which the others say nothing, is refused."""
    if isinstance(door, NotApplicable):
        return door
    answers = door.ask(_probe(kind, baseline))
    first = next(iter(answers.values()))
    return first if isinstance(first, Unreadable) else answers


def _explain(door: AwsDoor, kind: Kind, baseline: Baseline, seen: Observations | Unreadable | NotApplicable) -> None:
    """Add to what was seen what those things say of themselves that a check will be about, the first few only."""
    if not isinstance(seen, dict):
        return
    wanted = kind.explained(baseline.resources[kind.name], seen, baseline.policy(kind.name))
    for number, (name, thing) in enumerate(wanted.items()):
        present = seen[name]
        if isinstance(present, Present):
            unread = Detail("log", f"not read: the logs of {EXPLAINED} others that failed were")
            more = door.explain(thing) if number < EXPLAINED else (unread,)
            seen[name] = replace(present, details=(*present.details, *more))


def _look(door: ContainerDoor, kinds: list[Kind], baseline: Baseline) -> dict[str, Any]:
    nonce = secrets.token_hex(8)
    others = any(
        kind.door == "engine"
        and (baseline.policy(kind.name).policy != "ignore" or len(baseline.resources[kind.name]) > 1)
        for kind in kinds
    )
    look = door.look(join(kinds, baseline, nonce), others=others)
    gone = Unreadable("the container is not there, so nothing in it could be looked at")
    answers: dict[str, Any] = {}
    for kind in kinds:
        text = gone if look.inspect is None else unframe(look.stdout, kind.name, nonce, look.stderr)
        if kind.door == "engine":
            plain = text if isinstance(text, str) else ""
            answers[kind.name] = {"inspect": look.inspect, "others": look.others, "text": plain}
        else:
            answers[kind.name] = text
    return answers


def join(kinds: Iterable[Kind], baseline: Baseline, nonce: str) -> str:
    """Return one script for sh that runs every probe in a subshell of its own, each answer framed by the nonce.

    A probe that fails or ends early spoils its own frame only. It reads no input, so it cannot eat the script. The
    beginning is marked on both streams, so that a probe is not blamed for another's last words.
    """
    parts = ["export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    for kind in kinds:
        script = _probe(kind, baseline)
        begin = f"printf '{nonce} begin {kind.name}\\n'"
        end = f"printf '\\n{nonce} end {kind.name} %s\\n' \"$?\""
        parts.append(f"{begin}; {begin} >&2\n(\n{script}\n) </dev/null\n{end}")
    body = "\n".join(parts)
    return f"hubspec() {{\n{body}\n}}\nhubspec\n"


def unframe(stdout: str, kind: str, nonce: str, stderr: str) -> str | Unreadable:
    """Return the answer of one probe; unreadable where its frame is broken or it exited with another status than 0."""
    said = stderr.partition(f"{nonce} begin {kind}\n")[2].partition(f"{nonce} begin ")[0]
    last = said.strip().splitlines()[-1:] or ["nothing on standard error"]
    _, begun, rest = stdout.partition(f"{nonce} begin {kind}\n")
    text, ended, tail = rest.partition(f"\n{nonce} end {kind} ")
    if not begun or not ended:
        return Unreadable(f"the answer of the container broke off while it listed {_all(kind)}; last: {last[0]}")
    status = tail.partition("\n")[0]
    if status != "0":
        return Unreadable(f"the container could not list its {_all(kind)} (status {status}): {last[0]}")
    return text


def _all(kind: str) -> str:
    return f"{kind.removesuffix('y')}ies" if kind.endswith("y") else f"{kind}s"
