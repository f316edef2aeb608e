"""What the lab's own cluster is made of, through the AWS API: buckets, scripts, network, encryption, and RunJobFlow."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3

LOGS, SCRIPTS, NOTEBOOKS = "hubspec-lab-logs", "hubspec-lab-scripts", "hubspec-lab-notebooks"
SECURITY = "hubspec-lab"
INSIDE = "10.0.0.0/8"
WHO = """#!/bin/bash
# Who runs a step, where, and with which arguments.
echo "$(id -un) on $(hostname): $*"
"""
MARK = """#!/bin/bash
# A bootstrap action: leaves a mark by which it can be seen that it ran.
date --utc +%FT%TZ > "$HOME/bootstrapped"
"""
# The shape that EMR stores and DescribeSecurityConfiguration tells (Management Guide, 'Create a security configuration').
ENCRYPTION = {
    "EncryptionConfiguration": {
        "EnableAtRestEncryption": True,
        "EnableInTransitEncryption": True,
        "AtRestEncryptionConfiguration": {
            "S3EncryptionConfiguration": {"EncryptionMode": "SSE-S3"},
            "LocalDiskEncryptionConfiguration": {
                "EncryptionKeyProviderType": "AwsKms",
                "AwsKmsKey": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
            },
        },
        "InTransitEncryptionConfiguration": {
            "TLSCertificateConfiguration": {
                "CertificateProviderType": "PEM",
                "S3Object": f"s3://{SCRIPTS}/certificates.zip",
            }
        },
    }
}


def make(endpoint: str, region: str) -> str:
    """Make all of it and launch the cluster; answer its id. Raises: botocore's ClientError where a call is refused."""
    keys = {"region_name": region, "endpoint_url": endpoint}
    s3, emr = boto3.client("s3", **keys), boto3.client("emr", **keys)
    for bucket in (LOGS, SCRIPTS, NOTEBOOKS):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=SCRIPTS, Key="who.sh", Body=WHO.encode())
    s3.put_object(Bucket=SCRIPTS, Key="mark.sh", Body=MARK.encode())
    emr.create_security_configuration(Name=SECURITY, SecurityConfiguration=json.dumps(ENCRYPTION))
    network = _network(boto3.client("ec2", **keys), region)
    return str(emr.run_job_flow(**_cluster(region, network))["JobFlowId"])


def _network(ec2: Any, region: str) -> dict[str, Any]:  # noqa: ANN401 - a boto3 client
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone=f"{region}a")["Subnet"]["SubnetId"]
    names = (
        "ElasticMapReduce-Master-Private",
        "ElasticMapReduce-Slave-Private",
        "ElasticMapReduce-ServiceAccess",
        "hubspec-lab-admins",
    )
    groups = [ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in names]
    for port in (22, 9443):
        ec2.authorize_security_group_ingress(
            GroupId=groups[0],
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": INSIDE}]}],
        )
    return {
        "Ec2SubnetId": subnet,
        "EmrManagedMasterSecurityGroup": groups[0],
        "EmrManagedSlaveSecurityGroup": groups[1],
        "ServiceAccessSecurityGroup": groups[2],
        "AdditionalMasterSecurityGroups": [groups[3]],
    }


def _cluster(region: str, network: dict[str, Any]) -> dict[str, Any]:
    runner = f"s3://{region}.elasticmapreduce/libs/script-runner/script-runner.jar"
    docker = ["sudo", "docker", "version", "--format", "{{.Client.Version}}"]
    master = {
        "Name": "master",
        "InstanceRole": "MASTER",
        "InstanceType": "m5.xlarge",
        "InstanceCount": 1,
        "Market": "ON_DEMAND",
    }
    applications = json.loads(os.environ["LAB_APPLICATIONS"])
    configurations = {
        "jupyter-s3-conf": {"s3.persistence.enabled": "true", "s3.persistence.bucket": NOTEBOOKS},
        "livy-conf": {"livy.impersonation.enabled": "true"},
        "core-site": {"hadoop.proxyuser.livy.groups": "*", "hadoop.proxyuser.livy.hosts": "*"},
    }
    return {
        "Name": "hubspec lab",
        "ReleaseLabel": os.environ["LAB_RELEASE"],
        "LogUri": f"s3://{LOGS}/",
        "ServiceRole": "EMR_DefaultRole",
        "JobFlowRole": "EMR_EC2_DefaultRole",
        "VisibleToAllUsers": True,
        "Applications": [{"Name": name, "Version": version} for name, version in applications.items()],
        "Configurations": [{"Classification": name, "Properties": values} for name, values in configurations.items()],
        "SecurityConfiguration": SECURITY,
        "BootstrapActions": [{"Name": "mark the node", "ScriptBootstrapAction": {"Path": f"s3://{SCRIPTS}/mark.sh"}}],
        "Instances": {
            "InstanceGroups": [master],
            "KeepJobFlowAliveWhenNoSteps": True,
            "TerminationProtected": True,
            **network,
        },
        "Steps": [
            _step("lab: docker client", "command-runner.jar", docker),
            _step("lab: who runs steps", runner, [f"s3://{SCRIPTS}/who.sh", "lab"]),
        ],
        "Tags": [{"Key": "environment", "Value": "lab"}, {"Key": "owner", "Value": "platform"}],
    }


def _step(name: str, jar: str, args: list[str]) -> dict[str, Any]:
    return {"Name": name, "ActionOnFailure": "CONTINUE", "HadoopJarStep": {"Jar": jar, "Args": args}}
