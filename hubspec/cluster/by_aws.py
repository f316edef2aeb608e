"""The doors that need the APIs of AWS only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from hubspec.cluster.aws import EmrDoor
from hubspec.cluster.made import Made
from hubspec.cluster.sealed_door import SealedDoor
from hubspec.cluster.ssh_script import Rights
from hubspec.cluster.ssm_door import SsmCarrier
from hubspec.cluster.step_door import StepCarrier
from hubspec.cluster.steps import StepDoor

NAMES = ("step", "ssm")


@dataclass(frozen=True)
class ByAws:
    """What such doors are made of. `own` has the steps that were submitted to look, NAME (ID); `made` is told of every look."""

    aws: EmrDoor
    steps: StepDoor
    say: Callable[[str], None]
    limit: float
    made: Made
    own: set[str] = field(default_factory=set)

    def doors(
        self, container: str, *, rights: Rights, label: str | None, deadline: float
    ) -> Mapping[str, Callable[[], SealedDoor]]:
        """Return each door by its name, made when it is asked for."""

        def step() -> StepCarrier:
            return StepCarrier(self.steps, self.say, own=self.own.add, made=self.made, limit=self.limit)

        def ssm() -> SsmCarrier:
            return SsmCarrier(self.aws, self.steps, self.say, made=self.made)

        made = partial(SealedDoor, container=container, rights=rights, label=label, deadline=deadline)
        return {"step": lambda: made(step()), "ssm": lambda: made(ssm())}
