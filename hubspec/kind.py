"""What a kind is: a noun with its shape, how it is read, and what puts it right. One file below `kinds/` for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from hubspec.model import Absent, Action, Drift, Observation, Present, Resource, Value

Door = Literal["engine", "container", "hub", "aws"]
Observations = dict[str, Observation]
OWN = "own"
"""What stands in place of a kind in a control that a user's own check is about."""
REST = "*"
"""The name under which a reading says why it does not hold everything: Unreadable, for whatever it lacks.

NotApplicable there says that this cluster never has anything of the kind to show.
"""


class Undeclared(Value):
    """What to make of things of a kind that exist without being declared. A kind may derive one with more to say."""

    policy: Literal["ignore", "report", "remove"] = Field(
        description="'remove' reports too; its fix is unsafe, but for routes."
    )
    ignore: list[str] = Field(default_factory=list, description="Names that are no drift, as shell patterns.")


def beyond_declared(
    declared: Mapping[str, Resource], observed: Mapping[str, Observation], _policy: Undeclared
) -> dict[str, Any]:
    """Return name -> what was seen, of each present resource that was not declared."""
    return {
        name: seen.resource.stated()
        for name, seen in observed.items()
        if isinstance(seen, Present) and name not in declared
    }


@dataclass(frozen=True)
class Kind:
    """One noun of a baseline.

    name: the word in records, test files and case folders. section: its key in a baseline.
    single: the resource's name, where a cluster has just one and the section holds its fields directly.
    door: the way it is read. probe: from the declared resources and the policy to the request for that door: a shell
    script for `container` (run by sh as root, standard input empty), paths below /hub/api for `hub` (`/` alone is asked
    without a token, `certificate` is no path but handshakes, `now` the time as an epoch), the names of API calls for `aws`.
    parse: from the answer of the door to observations; raises ValueError, with a sentence, on an answer that it
    cannot read. fix: what would put a drift right, in order.
    find: the observations that a declared resource is about, each under a label (empty where there is just one).
    undeclared: the things that exist without being declared. policy: what a baseline can say of those.
    scopes: from the names of the declared fields to the scopes that a token of the hub needs (2.0 and later).
    explained: name -> id of those observations whose door should be asked what they say of themselves.
    needs: the (kind, name) of the resources that must be put right before one of this kind. smoke: the names of its
    smoke tests.
    complete: the reading lists everything there is, so what it lacks is absent; otherwise only what was asked for is
    known. listed: there can be something of the kind that nobody declared. parts: each of the hub's answers stands for
    itself, so one that is refused is Unreadable among the others, and not the reason for knowing nothing.
    """

    name: str
    section: str
    resource: type[Resource]
    door: Door
    reads: str
    parse: Callable[[Any], Observations]
    fix: Callable[[Drift], list[Action]]
    probe: Callable[[Iterable[Resource], Undeclared], str] = lambda _declared, _policy: ""
    undeclared: Callable[[Mapping[str, Resource], Mapping[str, Observation], Undeclared], dict[str, Any]] = (
        beyond_declared
    )
    policy: type[Undeclared] = Undeclared
    forget: Callable[[str], list[Action]] = lambda _name: []
    find: Callable[[Resource, Observations], dict[str, Observation]] | None = None
    scopes: Callable[[AbstractSet[str]], list[str]] = lambda _stated: []
    explained: Callable[[Mapping[str, Resource], Observations, Undeclared], dict[str, str]] = lambda _d, _o, _p: {}
    needs: Callable[[Resource], list[tuple[str, str]]] = lambda _resource: []
    smoke: tuple[str, ...] = ()
    single: str | None = None
    complete: bool = True
    listed: bool = True
    parts: bool = False

    def look_up(self, resource: Resource, observations: Observations) -> dict[str, Observation]:
        """Return label -> what was seen of one declared resource; nothing where the reading did not ask for it.

        Where the reading says that it does not hold everything, what it lacks is unreadable and not absent.
        """
        found = self.find(resource, observations) if self.find else {}
        if resource.name in observations and not self.find:
            found = {"": observations[resource.name]}
        if not found and REST in observations:
            return {"": observations[REST]}
        return found or ({"": Absent()} if self.complete else {})
