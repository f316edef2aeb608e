"""EMR calls about clusters, where moto has none or answers otherwise than EMR. Calls about steps are in api_steps.py."""

from __future__ import annotations

import threading
from typing import Any

from moto.emr.models import emr_backends

from emr import checks, life, shapes
from emr.cluster import OPEN, TERMINATED_BY_USER, Cluster
from emr.errors import invalid, no_cluster, validation
from emr.front import Front, Request
from emr.logs import Pusher

ACCOUNT = "123456789012"
PAGE = 50
NOT_FLEETS = (
    "Instance groups and instance fleets are mutually exclusive. The EMR cluster specified in the request uses instance"
    " groups. The ListInstanceFleets operation does not support clusters that use instance groups. Use the"
    " ListInstanceGroups operation instead."
)
PROTECTED = "Could not shut down one or more job flows since they are termination protected."


class Clusters:
    """Every cluster of the lab, by region and id, and the calls that concern them."""

    def __init__(self, front: Front, pusher: Pusher) -> None:
        """Take over the calls answered here."""
        self.all: dict[tuple[str, str], Cluster] = {}
        self._pusher = pusher
        self._launch = threading.Lock()
        front.guard = self.guard
        front.answers |= {
            "RunJobFlow": self.run_job_flow,
            "DescribeCluster": self.describe_cluster,
            "ListClusters": self.list_clusters,
            "ModifyCluster": self.modify_cluster,
            "TerminateJobFlows": self.terminate_job_flows,
            "SetKeepJobFlowAliveWhenNoSteps": self.keep_alive,
            "ListInstances": self.list_instances,
            "ListInstanceFleets": self.list_instance_fleets,
            "ListBootstrapActions": self.list_bootstrap_actions,
            "PutAutoTerminationPolicy": self.put_policy,
            "GetAutoTerminationPolicy": self.get_policy,
            "RemoveAutoTerminationPolicy": self.remove_policy,
            "CreateSecurityConfiguration": self.create_security,
        }

    def guard(self, request: Request) -> None:
        """Refuse a call about a cluster that is not there, which moto meets with an error of its own making."""
        for key in ("ClusterId", "ResourceId"):
            if key in request.given and (request.call.region, request.given[key]) not in self.all:
                raise no_cluster(request.given[key])
        flows = request.get("JobFlowIds", []) + ([request.given["JobFlowId"]] if "JobFlowId" in request.given else [])
        if any((request.call.region, flow) not in self.all for flow in flows):
            raise validation("Specified job flow ID not valid.")

    def of(self, request: Request) -> Cluster:
        """Answer the cluster a call is about; the guard has let it pass. Raises: Refused where it names none."""
        found = self.all.get((request.call.region, request.get("ClusterId") or request.get("JobFlowId")))
        if found is None:
            raise no_cluster(request.get("ClusterId"))
        return found

    def run_job_flow(self, request: Request) -> dict[str, Any]:
        """Let moto make the cluster without its steps and its end, which are the lab's own, and let it live."""
        given, region = request.given, request.call.region
        level = checks.level(request.get("StepConcurrencyLevel", 1))
        steps = checks.new_steps(request.get("Steps", []), level, at_launch=True)
        if len(steps) > checks.ACTIVE_LIMIT:
            raise validation(checks.TOO_MANY)
        security = given.get("SecurityConfiguration")
        if security and security not in emr_backends[ACCOUNT][region].security_configurations:
            raise invalid(f"Security configuration with name '{security}' does not exist.")
        if given.get("AutoTerminationPolicy"):
            checks.idle(given["AutoTerminationPolicy"])
        instances = {**request.get("Instances", {}), "KeepJobFlowAliveWhenNoSteps": True}
        if "MasterInstanceType" in instances and "InstanceGroups" not in instances:
            instances["InstanceGroups"] = shapes.groups(instances)
        onward = {key: value for key, value in given.items() if key != "Steps"} | {"Instances": instances}
        with self._launch:
            answer = request.moto(onward)
        moto = emr_backends[ACCOUNT][region].clusters[answer["JobFlowId"]]
        self.all[region, moto.id] = cluster = Cluster(moto, given, steps, self._pusher)
        life.begin(cluster)
        return answer

    def describe_cluster(self, request: Request) -> dict[str, Any]:
        """Answer moto's Cluster with the reason of its state and the parts that moto leaves out."""
        cluster, answer = self.of(request), request.moto()
        answer["Cluster"]["Status"]["StateChangeReason"] = cluster.reason
        # EMR tells what has a value; moto, of an application, also what has none.
        applications = answer["Cluster"].get("Applications", [])
        answer["Cluster"]["Applications"] = [{key: one[key] for key in one if one[key]} for one in applications]
        answer["Cluster"] |= {"InstanceCollectionType": "INSTANCE_GROUP"} | cluster.told
        return answer

    def list_clusters(self, request: Request) -> dict[str, Any]:
        """Answer the clusters of the region, newest first, 50 a page."""
        mine = [cluster for (region, _), cluster in self.all.items() if region == request.call.region]
        mine.sort(key=lambda cluster: cluster.moto.creation_datetime, reverse=True)
        after, before = request.get("CreatedAfter", 0), request.get("CreatedBefore", float("inf"))
        states = request.get("ClusterStates") or None
        told = [shapes.summary(cluster) for cluster in mine if states is None or cluster.moto.state in states]
        told = [one for one in told if after <= one["Status"]["Timeline"]["CreationDateTime"] <= before]
        first = int(request.get("Marker", 0))
        more = {"Marker": str(first + PAGE)} if len(told) > first + PAGE else {}
        return {"Clusters": told[first : first + PAGE]} | more

    def modify_cluster(self, request: Request) -> dict[str, Any]:
        """Change how many steps may run at once."""
        cluster, level = self.of(request), checks.level(request.get("StepConcurrencyLevel"))
        with cluster.changed:
            cluster.moto.step_concurrency_level = level
            cluster.changed.notify_all()
        return {"StepConcurrencyLevel": level}

    def keep_alive(self, request: Request) -> dict[str, Any]:
        """Let clusters live on after their last step, or end then: at once where no step runs."""
        for flow in request.get("JobFlowIds", []):
            cluster = self.all[request.call.region, flow]
            with cluster.changed:
                cluster.keep_alive = bool(request.get("KeepJobFlowAliveWhenNoSteps"))
                cluster.moto.keep_job_flow_alive_when_no_steps = cluster.keep_alive
                cluster.told.pop("AutoTerminate", None)
                cluster.changed.notify_all()
        return {}

    def terminate_job_flows(self, request: Request) -> dict[str, Any]:
        """End the clusters that are not protected. Raises: Refused where one is, after the others were told to end."""
        mine = [self.all[request.call.region, flow] for flow in request.get("JobFlowIds", [])]
        for cluster in mine:
            if cluster.state in OPEN and not cluster.moto.termination_protected:
                cluster.terminate(*TERMINATED_BY_USER)
        if any(cluster.state in OPEN and cluster.moto.termination_protected for cluster in mine):
            raise validation(PROTECTED)
        return {}

    def list_instances(self, request: Request) -> dict[str, Any]:
        """Answer the instances, by group, kind of group and state."""
        found = [shapes.instance(one) for one in self.of(request).moto.ec2_instances if shapes.wanted(one, request)]
        states = request.get("InstanceStates") or None
        return {"Instances": [one for one in found if states is None or one["Status"]["State"] in states]}

    def list_instance_fleets(self, request: Request) -> dict[str, Any]:
        """Refuse: every cluster of the lab has instance groups."""
        self.of(request)
        raise invalid(NOT_FLEETS)

    def list_bootstrap_actions(self, request: Request) -> dict[str, Any]:
        """Answer the bootstrap actions as they were given."""
        return {"BootstrapActions": self.of(request).bootstrap}

    def put_policy(self, request: Request) -> dict[str, Any]:
        """Keep an auto-termination policy; the lab tells of it and does not act on it."""
        policy = request.get("AutoTerminationPolicy", {})
        checks.idle(policy)
        self.of(request).idle_policy = policy
        return {}

    def get_policy(self, request: Request) -> dict[str, Any]:
        """Answer the auto-termination policy, if there is one."""
        policy = self.of(request).idle_policy
        return {"AutoTerminationPolicy": policy} if policy else {}

    def remove_policy(self, request: Request) -> dict[str, Any]:
        """Forget the auto-termination policy."""
        self.of(request).idle_policy = None
        return {}

    @staticmethod
    def create_security(request: Request) -> dict[str, Any]:
        """Let moto keep it; where there is one of that name, moto refuses without saying why."""
        if request.get("Name") in emr_backends[ACCOUNT][request.call.region].security_configurations:
            raise invalid(f"Security configuration with name '{request.get('Name')}' already exists.")
        return request.moto()
