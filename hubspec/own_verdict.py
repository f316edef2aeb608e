"""What a user's own check found: from how its test ended, and the commands that it had run, to a verdict. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hubspec.baseline import Baseline
from hubspec.check import Check
from hubspec.door import Ran
from hubspec.masked import masked
from hubspec.model import Action, Detail, Difference, Outcome
from hubspec.snapshot import Reading
from hubspec.verdict import Verdict, waived

_COMMANDS, _LINES, _TEXT = 20, 20, 4000
"""How many commands the evidence names, how many lines of an output are shown, and how many characters of anything."""
_TOLD = 3
"""Of how many commands a check that does not hold shows what they printed."""


@dataclass(frozen=True)
class Heard:
    """One command that a check had run: by which door and shell, and how it ended."""

    door: str
    shell: str
    command: str
    ran: Ran


@dataclass(frozen=True)
class Trial:
    """One check that was run on one cluster: when, how long, and by which commands.

    `fix` is the command that its author gave, for the container, or for the master node where it is `on_master`.
    """

    check: Check
    baseline: Baseline
    cluster: str
    started: datetime
    took: float
    heard: Sequence[Heard] = ()
    fix: str = ""
    on_master: bool = False
    container: str = "jupyterhub"

    @property
    def reading(self) -> Reading:
        """Return what it was seen by."""
        shells = dict.fromkeys(one.shell for one in self.heard)
        parts = [f"{shell}: {_commands([one.command for one in self.heard if one.shell == shell])}" for shell in shells]
        door = ", ".join(dict.fromkeys(one.door for one in self.heard)) or "none"
        evidence = " | ".join(parts) or "nothing was run on the cluster"
        return Reading(door, evidence, self.started, self.took, {}, self.container)

    def holds(self) -> Verdict:
        """Return the verdict where the test passed."""
        return self._verdict(Outcome.COMPLIANT, f"{self.check.about} holds")

    def could_not(self, reason: str) -> Verdict:
        """Return the verdict where nothing can be concluded."""
        return self._verdict(Outcome.UNREADABLE, shortened(reason))

    def unexpected(self, said: str) -> Verdict:
        """Return the verdict where testinfra met an exit code that it did not expect, so a property could not be read."""
        if not self.heard:
            return self.could_not(said)
        last = self.heard[-1]
        words = (last.ran.stderr or last.ran.stdout).decode("utf-8", "backslashreplace").strip() or "not a word"
        return self.could_not(f"`{last.command}` ended with exit code {last.ran.code}: {words}")

    def has_no_meaning(self, reason: str) -> Verdict:
        """Return the verdict where the test says itself that it does not apply."""
        return self._verdict(Outcome.NOT_APPLICABLE, shortened(reason))

    def holds_not(self, said: str) -> Verdict:
        """Return the verdict where an assertion failed, `said` its message: drifted, or waived.

        Of a message with pytest's own explanation below it, the message counts.
        """
        found = shortened(said.partition("\nassert ")[0])
        verdict = Verdict(
            self.check,
            self.cluster,
            Outcome.DRIFTED,
            f"{self.check.about} does not hold: {found.partition(chr(10))[0]}",
            self.reading,
            (Difference("assertion", self.check.control.title, found),),
            {"assertion": found},
            self._actions(),
            details=tuple(_detail(one) for one in self.heard[-_TOLD:]),
        )
        return waived(verdict, self.baseline)

    def _verdict(self, outcome: Outcome, reason: str) -> Verdict:
        return Verdict(self.check, self.cluster, outcome, reason, self.reading)

    def _actions(self) -> tuple[Action, ...]:
        if not self.fix:
            return ()
        sentence = "do what the author of the check gives for it"
        if self.on_master:
            return (Action(sentence=sentence, door="engine", request=self.fix, safety="manual"),)
        return (Action(sentence=sentence, door="container", request=self.fix, safety="manual"),)


def shortened(text: str) -> str:
    """Return a text with its secrets taken out, and no longer than a report can show."""
    text = masked(text).strip()
    return text if len(text) <= _TEXT else f"{text[:_TEXT]}…"


def _commands(commands: Sequence[str]) -> str:
    shown = [masked(command) for command in dict.fromkeys(commands)]
    more = f"; and {len(shown) - _COMMANDS} more" if len(shown) > _COMMANDS else ""
    return "; ".join(shown[:_COMMANDS]) + more


def _detail(one: Heard) -> Detail:
    output = b"\n".join(filter(None, (one.ran.stdout.rstrip(), one.ran.stderr.rstrip())))
    lines = output[-_TEXT:].decode("utf-8", "backslashreplace").split("\n")[-_LINES:]
    return Detail(f"{masked(one.command)}: exit code {one.ran.code}", masked("\n".join(lines)) or "(no output)")
