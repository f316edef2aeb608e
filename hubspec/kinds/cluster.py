"""The EMR cluster itself: what it is, what it was launched with, and what the network lets in to its master node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, field_validator

from hubspec import launched, network
from hubspec.cluster_actions import fix, forget
from hubspec.duration import Duration, seconds, words
from hubspec.kind import Kind, Observations, Undeclared
from hubspec.model import AtMost, Detail, Observation, Present, Resource, Text, Unreadable

NAME = "cluster"


def _known(text: str) -> str:
    network.ports(text)
    return text


Ports = Annotated[str, StringConstraints(pattern=r"^(all|\d{1,5}(-\d{1,5})?)$"), AfterValidator(_known)]
Properties = dict[str, Text | None]
Idle = Annotated[
    Annotated[Duration, Tag("exactly")] | Annotated[AtMost, Tag("at most")],
    Discriminator(lambda value: "at most" if isinstance(value, (dict, AtMost)) else "exactly"),
]


class Cluster(Resource):
    """The audited cluster (EMR API 2009-03-31, DescribeCluster and its neighbours; EC2 API 2016-11-15)."""

    UNORDERED: ClassVar[frozenset[str]] = frozenset({"world_ports"})
    OPEN: ClassVar[frozenset[str]] = frozenset({"applications", "tags", "encryption", "configurations"})

    state: Text | None = Field(None, description="WAITING, RUNNING, ...")
    release_label: Text | None = Field(None, description="EMR release: emr-7.1.0.")
    applications: dict[str, Text | None] | None = Field(None, description="Application -> version.")
    log_uri: Text | None = Field(None, description="Where its logs go: s3://bucket/prefix/.")
    tags: dict[str, Text | None] | None = Field(None, description="Tag key -> value.")
    world_ports: list[Ports] | None = Field(
        None,
        description="TCP ports that a security group of the master node opens to the world, which is any block wider than"
        ' /8 (IPv6: /16), in a rule or in a prefix list: "22", 8000-9500, all; [] for none.',
    )  # fmt: skip
    termination_protected: bool | None = Field(
        None, description="No API call ends it, until somebody switches that off."
    )
    auto_terminate: bool | None = Field(None, description="It ends after its last step.")
    idle_timeout: Idle | None = Field(
        None, description="It ends when it was idle for so long: 1h, or {at_most: 4h}; null: it does not."
    )
    security_configuration: Text | None = Field(None, description="Name of its security configuration.")
    encryption: dict[Literal["s3", "disk", "transit"], Text | None] | None = Field(
        None,
        description="What that encrypts, and how: s3 (SSE-S3, SSE-KMS, ...), disk (AwsKms, Custom),"
        " transit (PEM, Custom).",
    )
    configurations: dict[str, Properties | None] | None = Field(
        None,
        description="Classification -> property -> value as asked for at launch; one inside another is named"
        " hadoop-env/export. Of a property whose name tells of a secret only its presence is compared.",
    )
    bootstrap_actions: Properties | None = Field(
        None, description="Name -> path of its script, of all there are; a second one of a name is NAME (2)."
    )
    instance_profile: Text | None = Field(None, description="The role that its nodes, and so its notebooks, have.")
    service_role: Text | None = Field(None, description="The role that EMR has to run it.")
    masters: int | None = Field(None, description="Number of its living master nodes: 1 or 3.")

    @field_validator("configurations")
    @classmethod
    def _without_secrets(cls, given: dict[str, Properties | None] | None) -> dict[str, Properties | None] | None:
        """Take secrets out of what is declared, as they are out of what was seen: no report can show them."""
        return given and {
            name: properties and {key: launched.without_secret(key, value) for key, value in properties.items()}
            for name, properties in given.items()
        }

    def accepts(self, field: str, found: Any) -> bool:
        """Compare ports and lengths of time by what they mean: 22 and 23 are 22-23, 60m is 1h."""
        wanted = getattr(self, field)
        if field == "world_ports" and wanted is not None and found is not None:
            return bool(network.merged(map(network.ports, wanted)) == found)
        if field == "idle_timeout" and isinstance(wanted, str) and isinstance(found, str):
            return seconds(wanted) == seconds(found)
        return super().accepts(field, found)


NEEDS = {
    "world_ports": "DescribeSecurityGroups GetManagedPrefixListEntries",
    "idle_timeout": "GetAutoTerminationPolicy",
    "encryption": "DescribeSecurityConfiguration",
    "bootstrap_actions": "ListBootstrapActions",
    "masters": "ListInstances",
}
"""Field -> the calls that tell it, beyond DescribeCluster: each needs a permission of its own."""
NOT_ASKED = "not asked for: the baseline of that look did not declare it; look again with this one"


class _NotToldError(Exception):
    """The answer that tells a field is not there; the text says why."""


def probe(declared: Iterable[Resource], _policy: Undeclared) -> str:
    """Return the names of the calls that the declared fields need, and no other, DescribeCluster first."""
    stated = {field for resource in declared for field in resource.stated()}
    return " ".join(["DescribeCluster", *(calls for field, calls in NEEDS.items() if field in stated)])


def parse(answers: Mapping[str, Any]) -> Observations:
    """Return the one cluster from the answers of the calls by name. s3n:// is read as s3://, which it means.

    A field whose call was not made, was refused, or gave an answer that is not understood is unread, with the reason.
    Raises LookupError, TypeError or AttributeError where DescribeCluster's answer is not one.
    """
    answer = answers["DescribeCluster"]
    log_uri, nodes = answer.get("LogUri"), answer.get("Ec2InstanceAttributes") or {}
    fields: dict[str, Any] = {
        "state": answer["Status"]["State"],
        "release_label": answer.get("ReleaseLabel"),
        "applications": {entry["Name"]: entry.get("Version") for entry in answer.get("Applications", [])},
        "log_uri": log_uri.replace("s3n://", "s3://", 1) if log_uri else None,
        "tags": {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])},
        "termination_protected": answer.get("TerminationProtected"),
        "auto_terminate": answer.get("AutoTerminate"),
        "security_configuration": answer.get("SecurityConfiguration"),
        "configurations": launched.configurations(answer.get("Configurations") or ()),
        "instance_profile": nodes.get("IamInstanceProfile"),
        "service_role": answer.get("ServiceRole"),
    }
    unread: dict[str, str] = {}
    for field, read in _READ.items():
        try:
            fields[field] = read(answers)
        except _NotToldError as reason:
            unread[field] = str(reason)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            unread[field] = f"the answer of {NEEDS[field]} is not understood ({type(error).__name__}: {error})"
    found = fields.pop("world_ports", [])
    details = (Detail("open to the world", "\n".join(map(str, found)), "world_ports"),) if found else ()
    if "world_ports" not in unread:
        fields["world_ports"] = network.merged(opening.ports for opening in found)
    return {NAME: Present(Cluster.model_construct({"name", *fields}, name=NAME, **fields), unread or None, details)}


def _told(answers: Mapping[str, Any], call: str) -> Any:
    answer = answers.get(call, Unreadable(NOT_ASKED))
    if isinstance(answer, Unreadable):
        raise _NotToldError(answer.reason)
    return answer


def _openings(answers: Mapping[str, Any]) -> list[network.Opening]:
    groups = _told(answers, "DescribeSecurityGroups")
    named = network.prefix_lists(groups)
    try:
        return network.openings(groups, _told(answers, "GetManagedPrefixListEntries") if named else {})
    except _NotToldError as reason:
        known = network.merged(one.ports for one in network.openings(groups, dict.fromkeys(named, ())))
        more = f"; open to the world by its other rules: {', '.join(known)}" if known else ""
        raise _NotToldError(f"{reason}{more}") from None


def _idle_timeout(answers: Mapping[str, Any]) -> str | None:
    limit = _told(answers, "GetAutoTerminationPolicy").get("IdleTimeout")
    return None if limit is None else words(limit)


_READ: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "world_ports": _openings,
    "idle_timeout": _idle_timeout,
    "encryption": lambda answers: launched.encryption(_told(answers, "DescribeSecurityConfiguration")),
    "bootstrap_actions": lambda answers: launched.bootstrap_actions(_told(answers, "ListBootstrapActions")),
    "masters": lambda answers: len(_told(answers, "ListInstances")),
}


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


KIND = Kind(
    name="cluster",
    section="cluster",
    resource=Cluster,
    door="aws",
    reads=f"elasticmapreduce:DescribeCluster and, where declared, {', '.join(' '.join(NEEDS.values()).split())}",
    probe=probe,
    parse=parse,
    fix=fix,
    undeclared=undeclared,
    forget=forget,
    single=NAME,
)
