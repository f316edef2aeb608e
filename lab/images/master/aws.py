"""The lab's AWS API: moto's server with one cluster made by a real RunJobFlow call.

What moto does not implement answers as moto answers. Steps can be submitted and listed but nothing runs them yet.
State lives in this process: a restart of the container makes the same cluster anew, without its steps and objects.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import aws_control
import boto3
import moto.emr.models as emr
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

REGION = os.environ["AWS_DEFAULT_REGION"]
CLUSTER_ID = os.environ["LAB_CLUSTER_ID"]
PORT = 5000
LOGS = "hubspec-lab-logs"
CLUSTER: dict[str, Any] = {
    "Name": "hubspec lab",
    "ReleaseLabel": "emr-7.1.0",
    "LogUri": f"s3://{LOGS}/",
    "ServiceRole": "EMR_DefaultRole",
    "JobFlowRole": "EMR_EC2_DefaultRole",
    "VisibleToAllUsers": True,
    "Applications": [
        {"Name": "Hadoop", "Version": "3.3.6"},
        {"Name": "Spark", "Version": "3.5.0"},
        {"Name": "Livy", "Version": "0.8.0"},
        {"Name": "JupyterHub", "Version": "1.5.0"},
    ],
    "Instances": {
        "InstanceGroups": [
            {
                "Name": "master",
                "InstanceRole": "MASTER",
                "InstanceType": "m5.xlarge",
                "InstanceCount": 1,
                "Market": "ON_DEMAND",
            }
        ],
        "KeepJobFlowAliveWhenNoSteps": True,
        "TerminationProtected": True,
    },
    "Tags": [{"Key": "environment", "Value": "lab"}, {"Key": "owner", "Value": "platform"}],
}


def make_cluster(endpoint: str) -> Any:  # noqa: ANN401 - moto's own object
    """Create the log bucket and the cluster through the API, under the identifier the lab promised.

    Answers: moto's object of the cluster. Raises: botocore's ClientError where moto refuses the call.
    """
    keys = {"region_name": REGION, "endpoint_url": endpoint}
    boto3.client("s3", **keys).create_bucket(Bucket=LOGS)
    emr.random_cluster_id = lambda: CLUSTER_ID
    # The name by which the machine that runs the lab reaches the master node; moto's own would not resolve.
    emr.Cluster.master_public_dns_name = property(lambda _self: "localhost")
    answer = boto3.client("emr", **keys).run_job_flow(**CLUSTER)
    account = boto3.client("sts", **keys).get_caller_identity()["Account"]
    return emr.emr_backends[account][REGION].clusters[answer["JobFlowId"]]


def main() -> None:
    """Serve until the container ends."""
    server = ThreadedMotoServer(ip_address="0.0.0.0", port=PORT, verbose=False)  # noqa: S104 - the host publishes it on loopback only
    server.start()
    cluster = make_cluster(f"http://127.0.0.1:{PORT}")
    aws_control.serve(cluster)
    print(f"the AWS API serves {cluster.id}", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
