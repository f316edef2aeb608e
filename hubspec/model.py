"""The words of an audit: control, resource, observation, drift, action, outcome, record.

Every other room speaks in these types, and this file imports none of them.
Expected and observed share one shape: a `Resource`. Only the fields in its `model_fields_set` were stated; a field
that was not stated is not compared, and a field stated as `None` must not be there.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, SecretBytes, Tag, field_validator

from hubspec.duration import Duration, seconds

RECORD_SCHEMA = 1
"""Version of a line of `records.jsonl`: it changes when a field is removed, renamed or changes its meaning."""


class Value(BaseModel):
    """An immutable value that refuses any field it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Severity(enum.StrEnum):
    """How bad a drift of a control is: the CVSS ladder without its 'none'."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Outcome(enum.StrEnum):
    """What an audit says of one check."""

    COMPLIANT = "compliant"
    FIXED = "fixed"
    DRIFTED = "drifted"
    WAIVED = "waived"
    UNREADABLE = "unreadable"
    NOT_APPLICABLE = "not applicable"


class Pattern(Value):
    """A value form: any text that the regular expression matches as a whole."""

    matches: str = Field(description="Regular expression (Python), matched against the whole value.")

    @field_validator("matches")
    @classmethod
    def _compiles(cls, text: str) -> str:
        try:
            re.compile(text)
        except re.error as error:
            message = f"is not a regular expression ({error})"
            raise ValueError(message) from None
        return text

    def __str__(self) -> str:
        return f"matches {self.matches}"


class AtMost(Value):
    """A value form: a length of time that is not exceeded."""

    at_most: Duration = Field(description="The longest that is fine: 90s, 30m, 24h, 7d, 1d 12h.")

    def __str__(self) -> str:
        return f"at most {self.at_most}"


class AtLeast(Value):
    """A value form: a length of time that is reached."""

    at_least: Duration = Field(description="The shortest that is fine: 90s, 30m, 24h, 7d, 1d 12h.")

    def __str__(self) -> str:
        return f"at least {self.at_least}"


class AtLeastNumber(Value):
    """A value form: a whole number that is reached."""

    at_least: int = Field(description="The smallest that is fine.", ge=0)

    def __str__(self) -> str:
        return f"at least {self.at_least}"


Limit = Annotated[
    Annotated[AtMost, Tag("at_most")] | Annotated[AtLeast, Tag("at_least")],
    Discriminator(
        lambda value: (
            "at_least" if isinstance(value, AtLeast) or (isinstance(value, dict) and "at_least" in value) else "at_most"
        )
    ),
]
"""A declared length of time: one that is not exceeded, or one that is reached."""


class IsSet(Value):
    """A value form: something is set, whatever it is, or nothing is; for what may not be shown."""

    set: bool = Field(description="True: it has a value that is not empty.")

    def __str__(self) -> str:
        return "set" if self.set else "not set"


Text = Annotated[
    Annotated[str, Tag("text")] | Annotated[Pattern, Tag("pattern")],
    Discriminator(lambda value: "pattern" if isinstance(value, (dict, Pattern)) else "text"),
]
"""A declared text: the value itself, or `{matches: REGEX}`. What was observed is always the value itself."""


class Resource(Value):
    """One thing that ought to be, or is, on a cluster. Each kind derives its own.

    `ensure: absent` says that the thing must not be there. The name is the key in the baseline.
    """

    UNORDERED: ClassVar[frozenset[str]] = frozenset()
    """List fields in which order and repetition mean nothing."""
    OPEN: ClassVar[frozenset[str]] = frozenset()
    """Mapping fields of which only the stated keys are compared; the others are for the check of the undeclared."""
    SELECTORS: ClassVar[frozenset[str]] = frozenset()
    """Fields that say which thing is meant, and are not compared."""

    name: str
    ensure: Literal["present", "absent"] = "present"
    control: str | None = Field(None, description="The control it is checked under, instead of its kind's own.")

    def stated(self) -> dict[str, Any]:
        """Return field -> value of what was stated, without `name`, `ensure` and `control`."""
        return {name: getattr(self, name) for name in type(self).fields_compared() if name in self.model_fields_set}

    @classmethod
    @cache
    def fields_compared(cls) -> tuple[str, ...]:
        """Return the names of the fields that a comparison looks at, in the order of their definition."""
        return tuple(
            name for name in cls.model_fields if name not in Resource.model_fields and name not in cls.SELECTORS
        )

    @classmethod
    def canonical(cls, name: str) -> str:
        """Return the one spelling of a name that both sides use. A kind overrides it where names have several."""
        return name

    def accepts(self, field: str, found: Any) -> bool:
        """Say whether the value found is the one stated in this field. A kind overrides it for a value form of its own."""
        wanted = getattr(self, field)
        if isinstance(wanted, Pattern):
            return isinstance(found, str) and re.fullmatch(wanted.matches, found) is not None
        if isinstance(wanted, AtMost):
            return isinstance(found, str) and seconds(found) <= seconds(wanted.at_most)
        if isinstance(wanted, AtLeast):
            return isinstance(found, str) and seconds(found) >= seconds(wanted.at_least)
        if isinstance(wanted, AtLeastNumber):
            return isinstance(found, int) and found >= wanted.at_least
        if field in self.UNORDERED and wanted is not None and found is not None:
            return set(wanted) == set(found)
        return bool(wanted == found)


@dataclass(frozen=True)
class Detail:
    """What a thing says of itself beyond its fields, such as the last lines of its log. It decides nothing.

    `field`: the one that it explains; empty where it is about the whole thing. `image` is a JPEG, and `text` then says
    what it shows.
    """

    title: str
    text: str
    field: str = ""
    image: bytes = b""


@dataclass(frozen=True)
class Present:
    """The thing is there; `resource` is what was seen of it. A field that could not be read is in `unread`."""

    resource: Resource
    unread: dict[str, str] | None = None
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True)
class Absent:
    """We looked, and the thing is not there."""


@dataclass(frozen=True)
class Unreadable:
    """We could not look; never the same as absent. `reason` is a sentence with the next thing to do."""

    reason: str


@dataclass(frozen=True)
class Stopped(Unreadable):
    """We could not look into the container, for it does not run: the engine says so itself, and can start it."""


@dataclass(frozen=True)
class NotApplicable:
    """The kind has no meaning on this cluster, for the reason given."""

    reason: str


Observation = Present | Absent | Unreadable | NotApplicable


@dataclass(frozen=True)
class Difference:
    """One field in which expected and observed differ. `None` in `found` means that it is not there."""

    field: str
    wanted: Any
    found: Any


@dataclass(frozen=True)
class Drift:
    """A resource that is not what was declared, with every differing field."""

    kind: str
    name: str
    expected: Resource
    observed: Present | Absent
    differences: tuple[Difference, ...]


class Action(Value):
    """A fix as data: what would be done, through which door, and how dangerous that is. Printing it is not doing it."""

    sentence: str = Field(description="What it does, for a person.")
    door: Literal["container", "engine", "hub", "aws"] = Field(description="The way it is carried out.")
    request: str = Field(description="The shell command, or the API request, that does it. Never holds a secret.")
    safety: Literal["safe", "unsafe", "manual"] = Field(description="'manual' is for a person only.")
    payload: SecretBytes | None = Field(
        None,
        exclude=True,
        repr=False,
        description="The content of a file in base64, as the shell variable `payload` of the request; it is never written down.",
    )


_MOMENT = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$"


class Waiver(Value):
    """An accepted drift: who accepted it, why, and from when to when, in UTC. A last day is included, a time is not."""

    control: str = Field(description="Id of the control.")
    resource: str = Field("*", description="Name of the resource, as a shell pattern.")
    cluster: str = Field("*", description="Name of the cluster, as a shell pattern.")
    reason: str = Field(min_length=1)
    owner: str = Field(min_length=1, description="Who answers for it.")
    ticket: str = Field(min_length=1, description="Where it was agreed.")
    since: str | None = Field(
        None,
        alias="from",
        json_schema_extra={"pattern": _MOMENT},
        description="First day on which it counts, or a time, in UTC; as `until`.",
    )
    until: str = Field(
        json_schema_extra={"pattern": _MOMENT},
        description="Last day on which it counts, YYYY-MM-DD, or the time at which it ends, YYYY-MM-DDTHH:MMZ; in UTC.",
    )

    @field_validator("since", "until")
    @classmethod
    def _moment(cls, text: str | None) -> str | None:
        if text is not None and not re.fullmatch(_MOMENT, text):
            message = f"wanted a day (YYYY-MM-DD) or a time (YYYY-MM-DDTHH:MMZ), in UTC; found {text!r}"
            raise ValueError(message)
        return text


class Control(Value):
    """What is demanded, why, and how bad it is when it does not hold; apart from the code, in a baseline."""

    kind: str = Field(description="The kind of resource it is about.")
    title: str = Field(min_length=1, description="The demand, as a sentence.")
    severity: Severity = Field(strict=False)
    why: str = Field(min_length=1, description="What goes wrong when it does not hold.")
    tags: dict[str, list[str]] = Field(default_factory=dict, description="Framework name -> requirement ids.")
    fields: list[str] = Field(
        default_factory=list,
        description="Only these fields of a resource; without it, every field that no other control of the kind names.",
    )
    undeclared: bool = Field(default=False, description="True: it is about what exists without being declared.")
    smoke: bool | list[str] = Field(
        default=False,
        description="It is about what these smoke tests of the kind do and see, by their names; true: about all of them.",
    )


class Requirement(Value):
    """One requirement of a framework: what it asks for, and the controls that speak about it."""

    title: str = Field(min_length=1, description="What it asks for, in a few words.")
    why: str = Field("", description="In what way the controls speak about it.")
    controls: list[str] = Field(default_factory=list, description="Ids of controls; none: nothing here looks at it.")


class Framework(Value):
    """A framework of requirements, such as NIST SP 800-53: its name in tags, and what it asks for."""

    id: str = Field(
        min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]*$", description="Its name in the tags of controls."
    )
    title: str = Field(min_length=1)
    version: str = Field("", description="The edition whose requirement ids these are.")
    source: str = Field("", description="Where it is published.")
    requirements: dict[str, Requirement] = Field(
        default_factory=dict, description="Requirement id -> what it asks for."
    )


class Record(Value):
    """What one check found: the only thing that a report reads. One line of `records.jsonl`."""

    schema_version: int = RECORD_SCHEMA
    run: str = Field(description="Id of the run, the same in all its records.")
    cluster: str
    kind: str
    resource: str = Field(
        description="Name of the declared resource, of the smoke test or of the own check; '*' for the check of the undeclared."
    )
    check: Literal["declared", "undeclared", "smoke", "own"]
    test: str = Field(description="pytest's node id, to run this check alone.")
    control: str = Field(description="Control id.")
    title: str
    severity: Severity = Field(strict=False)
    why: str
    tags: dict[str, list[str]]
    outcome: Outcome = Field(strict=False)
    message: str = Field(description="The outcome in one sentence; the reason where it could not be looked at.")
    expected: dict[str, Any] = Field(description="Field -> wanted value, as declared.")
    before: dict[str, Any] | None = Field(description="Field -> value found; None: absent, or not looked at.")
    after: dict[str, Any] | None = Field(description="The same, once fixed; equal to `before` in a run that only read.")
    differences: list[dict[str, Any]] = Field(description="{field, wanted, found} of each field that differs.")
    actions: list[dict[str, Any]] = Field(
        description="{sentence, door, request, safety, command, result} of each next step; `command` is for a person."
    )
    details: list[dict[str, str]] = Field(
        default_factory=list,
        description="{title, text} of what the thing says of itself, such as its last log lines; `image` is a picture, as data URI.",
    )
    change: Literal["new", "still", "fixed", "regressed"] | None = Field(
        None,
        description="Against the run before that looked at the same; null: nothing drifts, or there is no history.",
    )
    since: datetime | None = Field(None, strict=False, description="When it was first seen to drift, without a break.")
    waiver: dict[str, Any] | None = Field(description="{reason, owner, ticket, from, until}, where one applies.")
    declared_at: str = Field(description="file:line of the declaration.")
    door: str = Field(description="The way it was read: docker, ssh, step, ssm, hub, aws, snapshot.")
    evidence: str = Field(description="The command or request that saw it.")
    started: datetime = Field(strict=False, description="When the state was read, UTC.")
    took: float = Field(description="Seconds that the round trip took, shared by all that it read.")


class Run(Value):
    """One run of the suite, as told on top of a report: what ran, against what, and how it ended."""

    id: str = Field(description="The id that all its records carry.")
    started: datetime = Field(strict=False, description="UTC.")
    finished: datetime = Field(strict=False, description="UTC.")
    clusters: list[str]
    missing: dict[str, str] = Field(
        default_factory=dict, description="Cluster -> why the records say nothing of it, though it was meant."
    )
    unseen: list[str] = Field(
        default_factory=list, description="A sentence for each place where clusters could not be looked for."
    )
    shard: str = Field("", description="I/N, where it looked at the I-th of N parts of the clusters.")
    baselines: list[str] = Field(description="Paths of the baseline files.")
    version: str = Field(description="Version of hubspec.")
    command: str = Field(description="The command line; never holds a secret.")
    exit_code: int
    notices: list[str] = Field(description="What to know first: waivers expired or orphaned, TLS not verified.")
    round_trips: dict[str, int] = Field(description="Door -> number of round trips through it.")
    frameworks: list[Framework] = Field(
        default_factory=list, description="What the baselines' frameworks ask for, covered by a control or not."
    )
    waivers: list[dict[str, Any]] = Field(
        default_factory=list,
        description="Each waiver with its state: active, expiring, expired, not begun, orphan, unneeded, not looked at.",
    )
    head: str = Field("", description="The last hash of the chain over its inputs and records; empty: not chained.")
    gate: str = Field("any", description="Which drift fails the run: any, new, or a severity and what is worse.")
    compared: bool = Field(default=False, description="It was compared with a history; what changed is in its records.")
    last: dict[str, Any] | None = Field(None, description="{run, seen} of the run that it was compared with.")
    trend: list[dict[str, Any]] = Field(
        default_factory=list,
        description="{run, seen, critical, high, medium, low} of each run, oldest first: how much was known to drift.",
    )
    plan: list[dict[str, Any]] = Field(
        default_factory=list, description="The entries of the plan in order, each with its cluster and its result."
    )
