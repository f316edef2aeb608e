"""What a break is, and what it may work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.model import LabError
from lab.versions import at_least

if TYPE_CHECKING:
    from docker import DockerClient

    from lab.model import Lab

DRIFT, UNREADABLE = 1, 11


class RefusedError(LabError):
    """The engine cannot carry out this break, though nothing is wrong with the lab; it was put back."""


@dataclass(frozen=True)
class Scene:
    """The engine and the lab a break works on."""

    client: DockerClient
    lab: Lab


Step = Callable[[Scene], None]


@dataclass(frozen=True)
class Break:
    """One named drift or fault: what it does, what an audit should then say, and how it is taken back.

    `resource` is the name the audit should report, `*` where it is one that was not declared, empty where nothing
    of the kind can be looked at; `field` is the one that differs, empty where the whole resource is missing or added.
    `smoke` is the value of --smoke without which nobody sees it, and `resource` then the name of a smoke test.
    Both steps are idempotent; `mend` converges to the declared state, whatever the break left.
    `since` is the first JupyterHub that has what is broken; a lab with an older one refuses the break.
    """

    name: str
    sentence: str
    kind: str
    resource: str
    apply: Step
    mend: Step
    field: str = ""
    exit_code: int = DRIFT
    smoke: str = ""
    since: str = ""

    def lacked_by(self, lab: Lab) -> bool:
        """Answer whether the lab's hub is too old for this break."""
        return bool(self.since) and not at_least(lab.version, self.since)
