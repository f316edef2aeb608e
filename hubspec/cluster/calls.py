"""Every AWS API call that hubspec can make: the client and method of boto3, the IAM action and what it is allowed on.

No other file names a method of a client, so the policies in docs/iam/ are made from this table.
Source of fact: Service Authorization Reference for Amazon EMR, EC2 and S3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Need = Literal["audit", "smoke"]
Scope = Literal["cluster", "any", "logs", "log bucket", "scratch"]


@dataclass(frozen=True)
class Call:
    """One call. `scope`: what its IAM action is allowed on. `need`: what of hubspec makes it."""

    client: Literal["emr", "ec2", "s3"]
    method: str
    action: str
    scope: Scope
    need: Need = "audit"


CALLS: dict[str, Call] = {
    "DescribeCluster": Call("emr", "describe_cluster", "elasticmapreduce:DescribeCluster", "cluster"),
    "ListSteps": Call("emr", "list_steps", "elasticmapreduce:ListSteps", "cluster"),
    "ListInstances": Call("emr", "list_instances", "elasticmapreduce:ListInstances", "cluster"),
    "ListBootstrapActions": Call("emr", "list_bootstrap_actions", "elasticmapreduce:ListBootstrapActions", "cluster"),
    "GetAutoTerminationPolicy": Call(
        "emr", "get_auto_termination_policy", "elasticmapreduce:GetAutoTerminationPolicy", "cluster"
    ),
    "DescribeSecurityConfiguration": Call(
        "emr", "describe_security_configuration", "elasticmapreduce:DescribeSecurityConfiguration", "any"
    ),
    "DescribeSecurityGroups": Call("ec2", "describe_security_groups", "ec2:DescribeSecurityGroups", "any"),
    "GetManagedPrefixListEntries": Call(
        "ec2", "get_managed_prefix_list_entries", "ec2:GetManagedPrefixListEntries", "any"
    ),
    "GetObject": Call("s3", "get_object", "s3:GetObject", "logs"),
    "AddJobFlowSteps": Call("emr", "add_job_flow_steps", "elasticmapreduce:AddJobFlowSteps", "cluster", "smoke"),
    "CancelSteps": Call("emr", "cancel_steps", "elasticmapreduce:CancelSteps", "cluster", "smoke"),
    "PutObject": Call("s3", "put_object", "s3:PutObject", "scratch", "smoke"),
    "DeleteObject": Call("s3", "delete_object", "s3:DeleteObject", "scratch", "smoke"),
}
"""Name of the call in AWS's documentation -> how it is made. S3 says 403 instead of 404 without s3:ListBucket."""
