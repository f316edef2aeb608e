"""The lab's AWS API: moto's server behind the lab's own layer for EMR, with one cluster made by a real RunJobFlow call.

State lives in this process: a restart of the container makes the same cluster anew, without later steps and objects.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time

import aws_control
import ground
import moto.emr.models as moto_emr
from emr.api import Clusters
from emr.api_steps import Steps
from emr.cluster import Cluster
from emr.control import Control
from emr.front import Front
from emr.logs import Pusher
from emr.ssm import Commands
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

REGION = os.environ["AWS_DEFAULT_REGION"]
CLUSTER_ID = os.environ["LAB_CLUSTER_ID"]
LOG_DELAY = float(os.environ.get("LAB_LOG_DELAY", "1"))
PORT = 5000
LAUNCH_LIMIT = 30.0


def serve() -> tuple[Front, Clusters]:
    """Serve the AWS API in a thread; answer the layer in front of it, and the clusters it will have."""
    # The container's log is for what the runner has to say, not for every request.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    front = Front(DomainDispatcherApplication(create_backend_app), REGION)
    clusters = Clusters(front, Pusher(LOG_DELAY))
    Steps(front, clusters)
    Commands(front, clusters)
    # All interfaces of the container: the host publishes the port on loopback only.
    server = make_server("0.0.0.0", PORT, front, threaded=True, request_handler=MotoRequestHandler)  # noqa: S104
    threading.Thread(target=server.serve_forever, name="aws", daemon=True).start()
    return front, clusters


def launch(clusters: Clusters) -> Cluster:
    """Make the lab's own cluster under the identifier the lab promised, and wait until its launch steps are done."""
    # The name by which the machine that runs the lab reaches the master node; moto's own would not resolve.
    moto_emr.Cluster.master_public_dns_name = property(lambda _self: "localhost")
    own, moto_emr.random_cluster_id = moto_emr.random_cluster_id, lambda: CLUSTER_ID
    try:
        made = ground.make(f"http://127.0.0.1:{PORT}", REGION)
    finally:
        moto_emr.random_cluster_id = own
    cluster = clusters.all[REGION, made]
    deadline = time.monotonic() + LAUNCH_LIMIT
    with cluster.changed:
        while cluster.state != "WAITING" and time.monotonic() < deadline:
            cluster.changed.wait(0.2)
    return cluster


def main() -> None:
    """Serve until the container ends."""
    front, clusters = serve()
    cluster = launch(clusters)
    front.seen.clear()
    # Last: who is answered on this socket may rely on the cluster.
    aws_control.serve(Control(cluster, front))
    print(f"the AWS API serves {cluster.id}, {cluster.state}", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
