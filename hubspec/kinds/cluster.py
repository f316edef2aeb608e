"""The EMR cluster itself, as `DescribeCluster` tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from hubspec.kind import Kind, Observations, Undeclared
from hubspec.model import Absent, Action, Drift, Observation, Present, Resource, Text

NAME = "cluster"


class Cluster(Resource):
    """The audited cluster (EMR API 2009-03-31, DescribeCluster)."""

    OPEN: ClassVar[frozenset[str]] = frozenset({"applications", "tags"})

    state: Text | None = Field(None, description="WAITING, RUNNING, ...")
    release_label: Text | None = Field(None, description="EMR release: emr-7.1.0.")
    applications: dict[str, Text | None] | None = Field(None, description="Application -> version.")
    log_uri: Text | None = Field(None, description="Where its logs go: s3://bucket/prefix/.")
    tags: dict[str, Text | None] | None = Field(None, description="Tag key -> value.")


def parse(answers: dict[str, Any]) -> Observations:
    """Return the one cluster from the answers of the calls by name. s3n:// is read as s3://, which it means."""
    answer = answers["DescribeCluster"]
    log_uri = answer.get("LogUri")
    fields: dict[str, Any] = {
        "state": answer["Status"]["State"],
        "release_label": answer.get("ReleaseLabel"),
        "applications": {entry["Name"]: entry.get("Version") for entry in answer.get("Applications", [])},
        "log_uri": log_uri.replace("s3n://", "s3://", 1) if log_uri else None,
        "tags": {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])},
    }
    return {NAME: Present(Cluster.model_construct({"name", *fields}, name=NAME, **fields))}


def undeclared(
    declared: Mapping[str, Resource], observed: Mapping[str, Observation], _policy: Undeclared
) -> dict[str, Any]:
    """Return the applications and the tags that were not declared; AWS sets those that begin with aws: itself."""
    seen, wanted = observed.get(NAME), declared.get(NAME)
    if not isinstance(seen, Present):
        return {}
    extra = {}
    for field, word in (("applications", "application"), ("tags", "tag")):
        stated = (getattr(wanted, field) if wanted else None) or {}
        for key, value in getattr(seen.resource, field).items():
            if key not in stated and not key.startswith("aws:"):
                extra[f"{word} {key}"] = value or "present"
    return extra


def fix(drift: Drift) -> list[Action]:
    """Return what sets the tags; the rest is settled when a cluster is launched."""
    if isinstance(drift.observed, Absent):
        return []
    tags = [d for d in drift.differences if d.field.startswith("tags.") and isinstance(d.wanted, str)]
    actions = [
        Action(
            sentence=f"set the tag {difference.field.removeprefix('tags.')}",
            door="aws",
            request=f"elasticmapreduce:AddTags {difference.field.removeprefix('tags.')}={difference.wanted}",
            safety="safe",
        )
        for difference in tags
    ]
    gone = [d for d in drift.differences if d.field.startswith("tags.") and d.wanted is None]
    actions += [action for d in gone for action in forget(f"tag {d.field.removeprefix('tags.')}")]
    rest = sorted({d.field for d in drift.differences} - {d.field for d in [*tags, *gone]})
    if rest:
        sentence = f"{', '.join(rest)}: settled at launch; launch a cluster as declared and retire this one"
        actions.append(Action(sentence=sentence, door="aws", request="elasticmapreduce:RunJobFlow", safety="manual"))
    return actions


def forget(name: str) -> list[Action]:
    """Return what a person should do about an application or a tag that nobody declared."""
    word, _, key = name.partition(" ")
    if word == "tag":
        return [
            Action(
                sentence=f"remove the tag {key}",
                door="aws",
                request=f"elasticmapreduce:RemoveTags {key}",
                safety="unsafe",
            )
        ]
    sentence = f"declare the application {key}, or launch a cluster without it"
    return [Action(sentence=sentence, door="aws", request="elasticmapreduce:RunJobFlow", safety="manual")]


KIND = Kind(
    name="cluster",
    section="cluster",
    resource=Cluster,
    door="aws",
    reads="elasticmapreduce:DescribeCluster",
    probe=lambda _declared, _policy: "DescribeCluster",
    parse=parse,
    fix=fix,
    undeclared=undeclared,
    forget=forget,
    single=NAME,
)
