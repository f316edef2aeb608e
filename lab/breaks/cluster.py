"""Breaks of the cluster, as AWS tells of it: through AWS's own calls, and behind them where it has none."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

from lab.breaks import aws
from lab.breaks.model import UNREADABLE, Break, Scene, Step
from lab.versions import VERSIONS

FIELDS = (
    *("state", "release_label", "log_uri", "applications", "tags", "termination_protected", "security_configuration"),
    *("instance_profile", "configurations", "auto_terminate", "bootstrap_actions", "masters"),
)
TAGS = {"environment": "lab", "owner": "platform"}
OPEN = "hubspec-lab-open"
WORLD = {"CidrIp": "0.0.0.0/0"}, {"CidrIpv6": "::/0"}
LEFT_OVER = {"Name": "left over", "ScriptPath": "s3://hubspec-lab-scripts/mark.sh", "Args": []}


def whole(scene: Scene) -> None:
    """Bring the cluster to what its launch made it, and its security groups with it."""
    aws.control({"restore": list(FIELDS), "allow": ["DescribeSecurityGroups"]}, scene)
    emr = aws.client(scene, "emr")
    emr.remove_auto_termination_policy(ClusterId=scene.lab.cluster_id)
    try:
        emr.delete_security_configuration(Name=OPEN)
    except emr.exceptions.InvalidRequestException as error:
        if "does not exist" not in str(error):
            raise
    close(scene)


def close(scene: Scene) -> None:
    """Take back every rule of the master's groups that lets the world in."""
    ec2 = aws.client(scene, "ec2")
    for group in ec2.describe_security_groups(GroupIds=_groups(scene))["SecurityGroups"]:
        for rule in group["IpPermissions"]:
            four = [block for block in rule["IpRanges"] if block["CidrIp"] == WORLD[0]["CidrIp"]]
            six = [block for block in rule["Ipv6Ranges"] if block["CidrIpv6"] == WORLD[1]["CidrIpv6"]]
            ports = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
            if four or six:
                ec2.revoke_security_group_ingress(
                    GroupId=group["GroupId"], IpPermissions=[{**ports, "IpRanges": four, "Ipv6Ranges": six}]
                )


def open_to_all(port: int, place: int, ranges: dict[str, Any], scene: Scene) -> None:
    """Let the world in at a port, in the master's group at that place."""
    ec2 = aws.client(scene, "ec2")
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **ranges}
    try:
        ec2.authorize_security_group_ingress(GroupId=_groups(scene)[place], IpPermissions=[rule])
    except ec2.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "InvalidPermission.Duplicate":
            raise


def unprotect(scene: Scene) -> None:
    """Let anybody end the cluster."""
    aws.client(scene, "emr").set_termination_protection(JobFlowIds=[scene.lab.cluster_id], TerminationProtected=False)


def end_when_idle(scene: Scene) -> None:
    """Let the cluster end after an idle hour."""
    aws.client(scene, "emr").put_auto_termination_policy(
        ClusterId=scene.lab.cluster_id, AutoTerminationPolicy={"IdleTimeout": 3600}
    )


def unencrypt(scene: Scene) -> None:
    """Give the cluster a security configuration without encryption in transit."""
    emr = aws.client(scene, "emr")
    told = emr.describe_security_configuration(Name="hubspec-lab")["SecurityConfiguration"]
    settings = json.loads(told)
    settings["EncryptionConfiguration"]["EnableInTransitEncryption"] = False
    settings["EncryptionConfiguration"].pop("InTransitEncryptionConfiguration", None)
    try:
        emr.create_security_configuration(Name=OPEN, SecurityConfiguration=json.dumps(settings))
    except emr.exceptions.InvalidRequestException as error:
        if "already exists" not in str(error):
            raise
    _change("security_configuration", OPEN, scene)


def install(other: dict[str, str | None], scene: Scene) -> None:
    """Tell other applications than the launch's: more of them, or without those that have no version."""
    wanted = {**VERSIONS[scene.lab.version].applications, **other}
    told = [{"name": name, "version": version} for name, version in wanted.items() if version]
    _change("applications", told, scene)


def configure(classification: str, properties: dict[str, str] | None, scene: Scene) -> None:
    """Tell other properties of one classification than the launch's, or none of it."""
    told = aws.cluster(scene)["Configurations"]
    other = [] if properties is None else [{"Classification": classification, "Properties": properties}]
    _change("configurations", [one for one in told if one["Classification"] != classification] + other, scene)


def add_bootstrap(scene: Scene) -> None:
    """Tell of one more bootstrap action."""
    told = aws.client(scene, "emr").list_bootstrap_actions(ClusterId=scene.lab.cluster_id)["BootstrapActions"]
    if LEFT_OVER not in told:
        _change("bootstrap_actions", [*told, LEFT_OVER], scene)


def deny(calls: list[str], scene: Scene) -> None:
    """Let AWS refuse these calls."""
    aws.control({"deny": calls}, scene)


def _groups(scene: Scene) -> list[str]:
    about = aws.cluster(scene)["Ec2InstanceAttributes"]
    return [about["EmrManagedMasterSecurityGroup"], *about["AdditionalMasterSecurityGroups"]]


def _change(what: str, value: object, scene: Scene) -> None:
    aws.control({"change": {what: value}}, scene)


def _break(name: str, sentence: str, field: str, apply: Step) -> Break:
    return Break(name, sentence, "cluster", "cluster", apply, whole, field)


def _told(name: str, sentence: str, field: str, value: object) -> Break:
    return _break(name, sentence, field, partial(_change, field.split(".", maxsplit=1)[0], value))


def _stray(name: str, sentence: str, what: str, value: object) -> Break:
    return replace(_told(name, sentence, what, value), resource="*", field="")


_NO_PERSISTENCE = {"s3.persistence.enabled": "false", "s3.persistence.bucket": "hubspec-lab-notebooks"}
_OPENS_22, _OPENS_9443 = {"Ipv6Ranges": [WORLD[1]]}, {"IpRanges": [WORLD[0]]}

TABLE = (
    _told("cluster-terminated", "the cluster is terminated", "state", "TERMINATED"),
    _told("cluster-release", "the cluster runs another release", "release_label", "emr-6.15.0"),
    _break(
        "cluster-application-missing",
        "Livy is not installed on the cluster",
        "applications.Livy",
        partial(install, {"Livy": None}),
    ),
    _told("cluster-log-uri", "the cluster's logs go elsewhere", "log_uri", "s3://somewhere-else/"),
    _told("cluster-tag-missing", "the tag owner is missing", "tags.owner", {"environment": "lab"}),
    _stray("cluster-tag-stray", "a tag nobody declared", "tags", {**TAGS, "left-over": "yes"}),
    Break(
        "cluster-application-stray",
        "an application nobody declared",
        "cluster",
        "*",
        partial(install, {"Hue": "4.11.0"}),
        whole,
    ),
    _break(
        "cluster-open-9443",
        "the world reaches the hub's port",
        "world_ports",
        partial(open_to_all, 9443, 0, _OPENS_9443),
    ),
    _break(
        "cluster-open-22-v6",
        "the world reaches SSH over IPv6, by the additional security group",
        "world_ports",
        partial(open_to_all, 22, 1, _OPENS_22),
    ),
    _break("cluster-unprotected", "anybody may end the cluster", "termination_protected", unprotect),
    _told("cluster-auto-terminates", "the cluster ends after its last step", "auto_terminate", value=True),
    _break("cluster-idle-timeout", "the cluster ends after an idle hour", "idle_timeout", end_when_idle),
    _break("cluster-unencrypted", "nothing is encrypted in transit", "encryption.transit", unencrypt),
    _break(
        "cluster-persistence-off",
        "notebooks are not kept in S3",
        "configurations.jupyter-s3-conf.s3.persistence.enabled",
        partial(configure, "jupyter-s3-conf", _NO_PERSISTENCE),
    ),
    _break(
        "cluster-impersonation-off",
        "Livy runs everybody's code as one user",
        "configurations.livy-conf.livy.impersonation.enabled",
        partial(configure, "livy-conf", None),
    ),
    _break("cluster-bootstrap-added", "a bootstrap action nobody declared", "bootstrap_actions", add_bootstrap),
    _told("cluster-profile", "notebooks have another role", "instance_profile", "EMR_EC2_AdminRole"),
    _told("cluster-masters", "there are three master nodes", "masters", 3),
    Break(
        "cluster-groups-denied",
        "AWS refuses to describe the security groups",
        "cluster",
        "cluster",
        partial(deny, ["DescribeSecurityGroups"]),
        whole,
        exit_code=UNREADABLE,
    ),
)
