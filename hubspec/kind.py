"""What a kind is: a noun with its shape, how it is read, and what puts it right. One file below `kinds/` for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hubspec.model import Absent, Action, Drift, Observation, Present, Resource

Door = Literal["engine", "container", "hub", "aws"]
Observations = dict[str, Observation]


def beyond_declared(declared: Mapping[str, Resource], observed: Mapping[str, Observation]) -> dict[str, Any]:
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
    door: the way it is read. probe: from the declared resources to the request for that door: a shell script for
    `container` (run by sh as root, standard input empty), nothing for the others, whose request is always the same.
    parse: from the answer of the door to observations; raises ValueError, with a sentence, on an answer that it
    cannot read. fix: what would put a drift right, in order.
    undeclared: the things that exist without being declared. complete: the reading lists everything there is, so
    what it lacks is absent; otherwise only what was asked for is known.
    """

    name: str
    section: str
    resource: type[Resource]
    door: Door
    reads: str
    parse: Callable[[Any], Observations]
    fix: Callable[[Drift], list[Action]]
    probe: Callable[[Iterable[Resource], Iterable[str]], str] = lambda _declared, _watch: ""
    undeclared: Callable[[Mapping[str, Resource], Mapping[str, Observation]], dict[str, Any]] = beyond_declared
    forget: Callable[[str], list[Action]] = lambda _name: []
    single: str | None = None
    complete: bool = True

    def look_up(self, name: str, observations: Observations) -> Observation | None:
        """Return what was seen of one resource; None where the reading did not ask for it."""
        return observations.get(name, Absent() if self.complete else None)
