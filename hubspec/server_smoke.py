"""The smoke test of notebook servers: as a probe user, each thing that a person does first, one part after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial

from pydantic import SecretStr

from hubspec import probe_account, server_start, server_use
from hubspec.door import Doors, LiveDoor
from hubspec.errors import AnsweredError, DoorError
from hubspec.model import Difference
from hubspec.part import BrokenError, Part, hub_log
from hubspec.probe import Probe
from hubspec.server_use import Visit

Say = Callable[[str], None]
PARTS = ("start", "api", "contents", "kernels", "stop")
TOKEN_LIFE = 3600
"""Seconds after which the probe user's token ends by itself; it goes with the user long before."""
GRACE = 3.0
"""Seconds that the processes of a stopped server may take to end."""
_NOT_FOUND = 404


@dataclass
class Trial:
    """One smoke test of a server: who does it, until when (monotonic clock), and the kernels that are declared.

    `parts` is how each ended.
    """

    doors: Doors
    probe: Probe
    until: float
    say: Say
    kernels: Collection[str] = ()
    parts: dict[str, Part] = field(default_factory=dict)

    def run(self, wanted: Collection[str]) -> dict[str, Part]:
        """Do the parts that are wanted, and those that they need; return them all, each as it ended."""
        if self._part("start", self._start):
            if self._part("api", self._api):
                for name, do in (("contents", self._contents), ("kernels", self._kernels)):
                    if name in wanted:
                        self._part(name, do)
            self._part("stop", self._stop)
        wrong = next((part for part in self.parts.values() if not part.fine), None)
        why = f"it was not tried, for {wrong.name} went wrong: {wrong.reason}" if wrong else "it was not asked for"
        return {name: Part(name, self._where, reason=why) for name in PARTS} | self.parts

    @property
    def _where(self) -> str:
        return f"{_live(self.doors).base} as {self.probe.name}"

    def _part(self, name: str, do: Callable[[Part], str]) -> bool:
        self.say(f"{self.probe.name}: {name}")
        self.parts[name] = part = Part(name, self._where).run(do, partial(hub_log, self.doors))
        self.say(f"{self.probe.name}: {name}: {part.outcome}, {part.took:.1f} s")
        return part.fine

    def _start(self, part: Part) -> str:
        owner = as_owner(self.doors, self.probe)
        part.note("a token of the probe user's own was made")
        self._visit = Visit(owner, self.probe.name, self.until, self.say)
        return server_start.start(owner, self.probe.name, self.until, self.say, part)

    def _api(self, part: Part) -> str:
        self._specs = server_use.look(self._visit, part)
        return f"its server answers, version {part.found['version']}, with {len(self._specs)} kernelspecs"

    def _contents(self, part: Part) -> str:
        return server_use.contents(self._visit, part)

    def _kernels(self, part: Part) -> str:
        return server_use.kernels(self._visit, self._specs, self.kernels, part)

    def _stop(self, part: Part) -> str:
        server_start.stop(self._visit.server, self.probe.name, self.until, part)
        return _ended(self, part)


def as_owner(doors: Doors, probe: Probe) -> LiveDoor:
    """Return what a probe user may do by a token of its own, which ends within the hour. Raises DoorError.

    The hub's admin asks for it; before JupyterHub 0.9, which has no such request, the probe user does with its password.
    """
    body = {"note": "hubspec smoke test", "expires_in": TOKEN_LIFE}
    try:
        told = _live(doors).ask("POST", f"/hub/api/users/{probe.name}/tokens", body)
    except AnsweredError as error:
        if error.status != _NOT_FOUND:
            raise DoorError(f"no token could be made for the probe user: {error}") from None
        body = {"username": probe.name, "password": probe.password.get_secret_value()}
        told = _live(doors).ask("POST", "/hub/api/authorizations/token", body)
    return _live(doors, SecretStr(told["token"]))


def _live(doors: Doors, token: SecretStr | None = None) -> LiveDoor:
    assert doors.live is not None
    return doors.live(token)


def _ended(trial: Trial, part: Part) -> str:
    """Return that nothing of the server runs any more. Raises BrokenError, DoorError."""
    assert trial.doors.work is not None
    worker = trial.doors.work(lambda: False).container
    until = time.monotonic() + GRACE
    while running := probe_account.processes(worker, trial.probe.name):
        if time.monotonic() > until:
            sentence = f"its server was stopped, and {len(running)} of its processes still run"
            raise BrokenError(sentence, Difference("processes", [], running))
        time.sleep(0.2)
    part.note("no process of it runs in the container")
    return "its server was stopped, and nothing of it is left in the hub, the proxy and the container"
