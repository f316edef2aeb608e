"""Every AWS API call of hubspec: the client and method of boto3, the IAM action and what it is allowed on.

No other file names a method of a client, so the policies in docs/iam/ are made from this table.
Source of fact: Service Authorization Reference for Amazon EMR, EC2, S3 and Systems Manager; botocore's service models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Need = Literal["audit", "smoke", "remediate", "door-step", "door-ssm", "results"]
NEEDS: tuple[Need, ...] = get_args(Need)
_AUDITS: tuple[Need, ...] = NEEDS[:-1]
Scope = Literal["cluster", "any", "security group", "command", "logs", "scratch", "history", "results bucket"]


@dataclass(frozen=True)
class Call:
    """One call. `scope`: what its IAM action is allowed on. `needs`: what makes it; what an audit makes, they all do.

    A door that only AWS is needed for is more than an audit needs: what it does is root's on the master node.

    What only 'remediate' needs is made by nobody here: it is what the actions ask for that an audit ends in.
    'results' is no audit's: it is allowed beside one of the others.
    """

    client: Literal["emr", "ec2", "s3", "ssm", "sts"]
    method: str
    action: str
    scope: Scope
    needs: tuple[Need, ...] = _AUDITS


_STEPS: tuple[Need, ...] = ("smoke", "remediate", "door-step")
_SSM: tuple[Need, ...] = ("door-ssm",)
_REMEDY: tuple[Need, ...] = ("remediate",)


def _emr(action: str, method: str, needs: tuple[Need, ...] = _AUDITS, scope: Scope = "cluster") -> Call:
    return Call("emr", method, f"elasticmapreduce:{action}", scope, needs)


CALLS: dict[str, Call] = {
    "ListClusters": _emr("ListClusters", "list_clusters", scope="any"),
    # Anybody with credentials may ask it, and no policy has to allow it (STS API reference).
    "GetCallerIdentity": Call("sts", "get_caller_identity", "sts:GetCallerIdentity", "any", ()),
    "DescribeCluster": _emr("DescribeCluster", "describe_cluster"),
    "ListSteps": _emr("ListSteps", "list_steps"),
    "ListInstances": _emr("ListInstances", "list_instances"),
    "ListBootstrapActions": _emr("ListBootstrapActions", "list_bootstrap_actions"),
    "GetAutoTerminationPolicy": _emr("GetAutoTerminationPolicy", "get_auto_termination_policy"),
    "DescribeSecurityConfiguration": _emr(
        "DescribeSecurityConfiguration", "describe_security_configuration", scope="any"
    ),
    "DescribeSecurityGroups": Call("ec2", "describe_security_groups", "ec2:DescribeSecurityGroups", "any"),
    "GetManagedPrefixListEntries": Call(
        "ec2", "get_managed_prefix_list_entries", "ec2:GetManagedPrefixListEntries", "any"
    ),
    "GetObject": Call("s3", "get_object", "s3:GetObject", "logs"),
    "AddJobFlowSteps": _emr("AddJobFlowSteps", "add_job_flow_steps", _STEPS),
    "CancelSteps": _emr("CancelSteps", "cancel_steps", _STEPS),
    "PutObject": Call("s3", "put_object", "s3:PutObject", "scratch", _STEPS),
    "DeleteObject": Call("s3", "delete_object", "s3:DeleteObject", "scratch", (*_STEPS, *_SSM)),
    "SendCommand": Call("ssm", "send_command", "ssm:SendCommand", "command", _SSM),
    "GetCommandInvocation": Call("ssm", "get_command_invocation", "ssm:GetCommandInvocation", "any", _SSM),
    "DescribeInstanceInformation": Call(
        "ssm", "describe_instance_information", "ssm:DescribeInstanceInformation", "any", _SSM
    ),
    "CancelCommand": Call("ssm", "cancel_command", "ssm:CancelCommand", "any", _SSM),
    "ListObjectsV2": Call("s3", "list_objects_v2", "s3:ListBucket", "history", ()),
    "GetPublicAccessBlock": Call(
        "s3", "get_public_access_block", "s3:GetBucketPublicAccessBlock", "results bucket", ("results",)
    ),
    "GetBucketPolicyStatus": Call(
        "s3", "get_bucket_policy_status", "s3:GetBucketPolicyStatus", "results bucket", ("results",)
    ),
    "AddTags": _emr("AddTags", "add_tags", _REMEDY),
    "RemoveTags": _emr("RemoveTags", "remove_tags", _REMEDY),
    "SetTerminationProtection": _emr("SetTerminationProtection", "set_termination_protection", _REMEDY),
    "SetKeepJobFlowAliveWhenNoSteps": _emr(
        "SetKeepJobFlowAliveWhenNoSteps", "set_keep_job_flow_alive_when_no_steps", _REMEDY
    ),
    "PutAutoTerminationPolicy": _emr("PutAutoTerminationPolicy", "put_auto_termination_policy", _REMEDY),
    "RemoveAutoTerminationPolicy": _emr("RemoveAutoTerminationPolicy", "remove_auto_termination_policy", _REMEDY),
    "RevokeSecurityGroupIngress": Call(
        "ec2", "revoke_security_group_ingress", "ec2:RevokeSecurityGroupIngress", "security group", _REMEDY
    ),
}
"""Name of the call in AWS's documentation -> how it is made."""
