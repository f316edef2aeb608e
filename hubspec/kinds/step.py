"""An EMR step: a program that was run on the master node, and how it ended."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from hubspec.duration import Duration, seconds, words
from hubspec.kind import REST, Kind, Observations, Undeclared
from hubspec.masked import masked, masked_arguments
from hubspec.model import (
    AtMost,
    Detail,
    Observation,
    Pattern,
    Present,
    Resource,
    Text,
    Unreadable,
)
from hubspec.step_actions import fix, forget

NEVER_STARTED = "0s"


class Step(Resource):
    """A step of the cluster (EMR API 2009-03-31, ListSteps). What was seen is named NAME (ID)."""

    SELECTORS: ClassVar[frozenset[str]] = frozenset({"named", "counts"})

    named: Text | None = Field(
        None, description="Name of the step, where the key here is not its name; may be a pattern."
    )
    counts: Literal["newest", "every"] | None = Field(
        None, description="Which of several steps of that name must be as declared; default newest."
    )
    state: Text | None = Field(None, description="COMPLETED, FAILED, CANCELLED, INTERRUPTED, PENDING or RUNNING.")
    jar: Text | None = Field(None, description="command-runner.jar, or the S3 URI of script-runner.jar or another.")
    arguments: list[Text] | None = Field(None, description="All arguments, in order.")
    when: Literal["at launch", "later"] | None = Field(
        None,
        description="'at launch': made before the cluster was ready, it or an earlier one of its name; later: added to the running cluster.",
    )
    age: AtMost | None = Field(None, description="Time since it ended, or since it was made where it has not.")
    duration: AtMost | None = Field(None, description="Time from its start to its end, or until now.")

    @field_validator("arguments")
    @classmethod
    def _without_secrets(cls, given: list[str | Pattern] | None) -> list[str | Pattern] | None:
        """Take secrets out of what is declared, as they are out of what was seen: no report and no plan can show them."""
        shown = iter(masked_arguments([one for one in given or [] if isinstance(one, str)]))
        return given and [next(shown) if isinstance(one, str) else one for one in given]

    def accepts(self, field: str, found: Any) -> bool:
        """Compare arguments one by one, for each may be a pattern."""
        wanted = getattr(self, field)
        if field == "arguments" and isinstance(wanted, list) and isinstance(found, list):
            return len(wanted) == len(found) and all(map(_same, wanted, found))
        return super().accepts(field, found)


class UndeclaredSteps(Undeclared):
    """Which steps that nobody declared are drift: without any of the three rules, all of them."""

    failed_within: Duration | None = Field(None, description="None may have FAILED within this time: 24h.")
    pending_over: Duration | None = Field(None, description="None may be PENDING for longer than this: 30m.")
    jars: list[str] | None = Field(None, description="Each runs one of these jars, as shell patterns.")


def _same(wanted: str | Pattern, found: str) -> bool:
    return re.fullmatch(wanted.matches, found) is not None if isinstance(wanted, Pattern) else wanted == found


def parse(answers: Mapping[str, Any]) -> Observations:
    """Return the steps, newest first, from ListSteps and DescribeCluster.

    `answers["ListSteps"]` holds `Steps` as AWS lists them, `Now` (when they were listed), and in `Cut` a sentence
    where there are more than were asked for.
    """
    listing, cluster = answers["ListSteps"], answers["DescribeCluster"]
    now = _time(listing["Now"])
    steps: Observations = {}
    for entry in listing["Steps"]:
        name = f"{entry.get('Name', '')} ({entry['Id']})"
        steps[name] = _step(name, entry, cluster, now)
    if listing.get("Cut"):
        steps[REST] = Unreadable(listing["Cut"])
    return steps


def _step(name: str, entry: Mapping[str, Any], cluster: Mapping[str, Any] | Unreadable, now: datetime) -> Present:
    config, status = entry.get("Config") or {}, entry["Status"]
    timeline = status.get("Timeline") or {}
    made, begun, ended = (_time(timeline.get(f"{word}DateTime")) for word in ("Creation", "Start", "End"))
    unread: dict[str, str] = {}
    fields: dict[str, Any] = {
        "state": status["State"],
        "jar": config.get("Jar"),
        "arguments": masked_arguments(config.get("Args") or []),
        "when": None,
        "age": words((now - (ended or made or now)).total_seconds()),
        "duration": words(((ended or now) - begun).total_seconds()) if begun else NEVER_STARTED,
    }
    if isinstance(cluster, Unreadable):
        unread["when"] = cluster.reason
    else:
        ready = _time(cluster["Status"].get("Timeline", {}).get("ReadyDateTime"))
        fields["when"] = "at launch" if ready is None or (made and made <= ready) else "later"
    resource = Step.model_construct({"name", *fields}, name=name, **fields)
    return Present(resource, unread or None, tuple(_details(entry, cluster)))


def _details(entry: Mapping[str, Any], cluster: Mapping[str, Any] | Unreadable) -> Iterator[Detail]:
    status = entry["Status"]
    times = (f"{word.lower()} {at:%Y-%m-%d %H:%M:%S}" for word, at in _times(status) if at)
    yield Detail("step", f"{entry['Id']} is {status['State']}: {', '.join(times) or 'no times told'} (UTC)")
    failure = status.get("FailureDetails") or {}
    told = [failure.get(word) for word in ("Reason", "Message", "LogFile")]
    reason = (status.get("StateChangeReason") or {}).get("Message")
    if any([*told, reason]):
        yield Detail("reason", masked("\n".join(text for text in [*told, reason] if text)))
    at = "" if isinstance(cluster, Unreadable) else cluster["Status"]["State"]
    if at in {"STARTING", "BOOTSTRAPPING"} and status["State"] == "PENDING":
        yield Detail("cluster", f"is still {at}, so no step has run yet: audit it when it is ready")


def _times(status: Mapping[str, Any]) -> Iterator[tuple[str, datetime | None]]:
    timeline = status.get("Timeline") or {}
    for word, key in (("Made", "Creation"), ("Started", "Start"), ("Ended", "End")):
        yield word, _time(timeline.get(f"{key}DateTime"))


def _time(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def find(resource: Resource, observed: Observations) -> dict[str, Observation]:
    """Return the newest step of the declared name, or every one, each under its own name."""
    assert isinstance(resource, Step)
    wanted = resource.named or resource.name
    found: dict[str, Observation] = {
        key: seen for key, seen in observed.items() if key != REST and _same_name(wanted, _name(key))
    }
    if resource.counts == "every" or not found:
        return found
    newest = next(iter(found.values()))
    seen = [one for one in found.values() if isinstance(one, Present)]
    # One that was run again is still given at launch: the next launch will have it.
    if isinstance(newest, Present) and any(_given_at_launch(one) for one in seen):
        newest = replace(newest, resource=newest.resource.model_copy(update={"when": "at launch"}))
    return {"": newest}


def _given_at_launch(seen: Present) -> bool:
    return isinstance(seen.resource, Step) and seen.resource.when == "at launch" and "when" not in (seen.unread or {})


def _same_name(wanted: str | Pattern, found: str) -> bool:
    # What was seen comes without secrets.
    return re.fullmatch(wanted.matches, found) is not None if isinstance(wanted, Pattern) else masked(wanted) == found


def _name(key: str) -> str:
    return key.rpartition(" (")[0]


def undeclared(
    declared: Mapping[str, Resource], observed: Mapping[str, Observation], policy: Undeclared
) -> dict[str, Any]:
    """Return the steps that no declared one is about, and that break a rule of the policy; all where it has none."""
    assert isinstance(policy, UndeclaredSteps)
    wanted = [(step.named or step.name) for step in declared.values() if isinstance(step, Step)]
    extra = {}
    for key, seen in observed.items():
        name = _name(key)
        if key == REST or not isinstance(seen, Present) or any(_same_name(one, name) for one in wanted):
            continue
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in policy.ignore):
            continue
        step = seen.resource.stated()
        broken = list(_broken(step, policy))
        if broken:
            extra[key] = {"state": step["state"], "jar": step["jar"], "rule": "; ".join(broken)}
    return extra


def _broken(step: Mapping[str, Any], policy: UndeclaredSteps) -> Iterator[str]:
    state, age = step["state"], seconds(step["age"])
    if policy.failed_within is None and policy.pending_over is None and policy.jars is None:
        yield "not declared"
    if policy.failed_within and state == "FAILED" and age <= seconds(policy.failed_within):
        yield f"FAILED {step['age']} ago, within {policy.failed_within}"
    if policy.pending_over and state == "PENDING" and age > seconds(policy.pending_over):
        yield f"PENDING for {step['age']}, more than {policy.pending_over}"
    if policy.jars is not None and not any(fnmatch.fnmatchcase(step["jar"] or "", jar) for jar in policy.jars):
        yield f"runs {step['jar']}, which is not among the allowed jars"


def explained(declared: Mapping[str, Resource], observed: Observations, policy: Undeclared) -> dict[str, str]:
    """Return name -> id of the failed steps that a check is about: their logs are worth reading. Declared ones first."""
    about = [key for one in declared.values() for key in _keys(one, observed)]
    if policy.policy != "ignore":
        about += undeclared(declared, observed, policy)
    failed = (key for key in about if _state(observed.get(key)) in {"FAILED", "INTERRUPTED"})
    return {key: key.rpartition(" (")[2].rstrip(")") for key in failed}


def _keys(resource: Resource, observed: Observations) -> list[str]:
    return [seen.resource.name for seen in find(resource, observed).values() if isinstance(seen, Present)]


def _state(seen: Observation | None) -> str | None:
    return getattr(seen.resource, "state", None) if isinstance(seen, Present) else None


KIND = Kind(
    name="step",
    section="steps",
    resource=Step,
    door="aws",
    reads="elasticmapreduce:ListSteps",
    probe=lambda _declared, _policy: "ListSteps DescribeCluster",
    parse=parse,
    fix=fix,
    find=find,
    undeclared=undeclared,
    policy=UndeclaredSteps,
    explained=explained,
    smoke=("command-runner", "script-runner"),
    forget=forget,
)
