"""One step: what was asked, where it stands, and how the API tells of it."""

from __future__ import annotations

import itertools
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

NUMBERS = itertools.count()
ENDED = frozenset({"COMPLETED", "CANCELLED", "FAILED", "INTERRUPTED"})


@dataclass(eq=False)
class Step:
    """A step of one cluster. `shift` and `stretch` are seconds by which the lab tells it older and longer than it is."""

    id: str
    name: str
    jar: str
    args: list[str]
    action: str
    properties: dict[str, str]
    main_class: str | None = None
    role: str | None = None
    at_launch: bool = False
    state: str = "PENDING"
    created: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    reason: str | None = None
    failure: dict[str, str] | None = None
    # What ended it from outside, while its process still runs: CANCELLED or INTERRUPTED.
    ending: str | None = None
    process: subprocess.Popen[bytes] | None = None
    # Orders steps of the same moment.
    number: int = field(default_factory=lambda: next(NUMBERS))
    shift: float = 0.0
    stretch: float = 0.0

    @property
    def over(self) -> bool:
        """Answer whether it has come to its end."""
        return self.state in ENDED

    @property
    def told_created(self) -> float:
        """Answer the time of its creation as it is told."""
        return self.created - self.shift - self.stretch

    def end(self, state: str, reason: str | None = None) -> None:
        """Come to an end."""
        self.state, self.reason, self.ended = state, reason, time.time()

    def told(self) -> dict[str, Any]:
        """Answer the StepSummary of the EMR API; a field that has no value yet is left out, as EMR does."""
        timeline: dict[str, float] = {"CreationDateTime": round(self.told_created, 3)}
        if self.started is not None:
            timeline["StartDateTime"] = round(self.started - self.shift - self.stretch, 3)
        if self.ended is not None:
            timeline["EndDateTime"] = round(self.ended - self.shift, 3)
        config: dict[str, Any] = {"Jar": self.jar, "Properties": self.properties, "Args": self.args}
        if self.main_class is not None:
            config["MainClass"] = self.main_class
        status: dict[str, Any] = {
            "State": self.state,
            "StateChangeReason": {"Message": self.reason} if self.reason else {},
            "Timeline": timeline,
        }
        if self.failure and self.state == "FAILED":
            status["FailureDetails"] = self.failure
        return {
            "Id": self.id,
            "Name": self.name,
            "Config": config,
            "ActionOnFailure": self.action,
            "Status": status,
        }
