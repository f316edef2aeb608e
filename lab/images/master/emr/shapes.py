"""moto's objects of a cluster, in the shapes of the EMR API."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from emr.cluster import Cluster
from emr.front import Request


def summary(cluster: Cluster) -> dict[str, Any]:
    """Answer a ClusterSummary."""
    moto = cluster.moto
    times = {
        "CreationDateTime": moto.creation_datetime,
        "ReadyDateTime": moto.ready_datetime,
        "EndDateTime": moto.end_datetime,
    }
    status = {"State": moto.state, "StateChangeReason": cluster.reason, "Timeline": _timeline(times)}
    about = {"Id": moto.id, "Name": moto.name, "ClusterArn": moto.arn}
    return about | {"Status": status, "NormalizedInstanceHours": moto.normalized_instance_hours}


def instance(one: Any) -> dict[str, Any]:  # noqa: ANN401 - moto's own object
    """Answer an Instance, without what has no value."""
    group = one.instance_group
    times = {
        "CreationDateTime": group.creation_date_time,
        "ReadyDateTime": group.ready_date_time,
        "EndDateTime": group.end_date_time,
    }
    told = {
        "Id": one.id,
        "Ec2InstanceId": one.ec2_instance_id,
        "PublicDnsName": one.public_dns_name,
        "PublicIpAddress": one.public_ip_address,
        "PrivateDnsName": one.private_dns_name,
        "PrivateIpAddress": one.private_ip_address,
        "Status": {"State": group.state, "StateChangeReason": {}, "Timeline": _timeline(times)},
        "InstanceGroupId": group.id,
        "Market": group.market,
        "InstanceType": group.instance_type,
        "EbsVolumes": one.ebs_volumes,
    }
    return {key: value for key, value in told.items() if value is not None}


def wanted(one: Any, request: Request) -> bool:  # noqa: ANN401 - moto's own object
    """Answer whether an instance is of the group, and of the kinds of group, that a call asks for."""
    group, kinds = request.get("InstanceGroupId"), request.get("InstanceGroupTypes") or None
    return group in {None, one.instance_group.id} and (kinds is None or one.instance_group.role in kinds)


def groups(instances: dict[str, Any]) -> list[dict[str, Any]]:
    """Answer InstanceGroups that mean the same as MasterInstanceType, SlaveInstanceType and InstanceCount."""
    master = {"InstanceRole": "MASTER", "InstanceType": instances.pop("MasterInstanceType"), "InstanceCount": 1}
    others = int(instances.get("InstanceCount", 1)) - 1
    core = {"InstanceRole": "CORE", "InstanceType": instances.pop("SlaveInstanceType", ""), "InstanceCount": others}
    return [master, core] if others > 0 and core["InstanceType"] else [master]


def _timeline(times: dict[str, datetime | None]) -> dict[str, float]:
    """moto keeps UTC without a zone."""
    return {key: when.replace(tzinfo=timezone.utc).timestamp() for key, when in times.items() if when is not None}
