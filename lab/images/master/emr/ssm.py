"""Systems Manager's Run Command on the instances of the lab's clusters: what is sent is run on this node, as root, by sh.

Source of fact: SSM API 2014-11-06; User Guide, 'Understanding command statuses'; amazon-ssm-agent (`sh _script.sh`, and the
keys of its output in S3).
"""

from __future__ import annotations

import re
import threading
import uuid
from typing import Any

from emr.api import ACCOUNT, Clusters
from emr.cluster import OPEN, Cluster
from emr.command import Command
from emr.errors import Refused, validation
from emr.front import Front, Request

DOCUMENT = "AWS-RunShellScript"
LARGEST = 64 * 1024
MOST_INSTANCES = 50
PARAMETERS = {"commands", "workingDirectory", "executionTimeout"}
SECONDS = re.compile(r"[1-9][0-9]{0,4}|1[0-6][0-9]{4}|17[01][0-9]{3}|172[0-7][0-9]{2}|172800")
DELIVERY = (30, 2_592_000)


class Commands:
    """The calls of Run Command. An instance is managed where it runs, and its cluster's agent was not taken away."""

    def __init__(self, front: Front, clusters: Clusters) -> None:
        """Take over the calls answered here."""
        self._clusters = clusters
        self._all: dict[tuple[str, str], Command] = {}
        self._lock = threading.Lock()
        front.answers |= {
            "SendCommand": self.send,
            "GetCommandInvocation": self.get,
            "CancelCommand": self.cancel,
            "DescribeInstanceInformation": self.describe,
        }

    def send(self, request: Request) -> dict[str, Any]:
        """Begin a command on each instance. Raises: Refused where it could not be run as it stands."""
        instances, given = request.get("InstanceIds", []), request.get("Parameters", {})
        if not 1 <= len(instances) <= MOST_INSTANCES:
            raise validation(f"Between 1 and {MOST_INSTANCES} InstanceIds must be specified.")
        if request.get("DocumentName") != DOCUMENT:
            raise Refused("InvalidDocument", f"Document {request.get('DocumentName')} does not exist.")
        _check(given)
        delivery = int(request.get("TimeoutSeconds", 3600))
        if not DELIVERY[0] <= delivery <= DELIVERY[1]:
            raise validation(f"TimeoutSeconds must be between {DELIVERY[0]} and {DELIVERY[1]}.")
        managed = self._managed(request.call.region)
        if any(one not in managed for one in instances):
            raise Refused("InvalidInstanceId", f"Instances not in a valid state for account {ACCOUNT}")
        id_ = str(uuid.uuid4())
        for one in instances:
            where = (request.get("OutputS3BucketName", ""), request.get("OutputS3KeyPrefix", ""))
            made = Command(id_, one, request.get("Comment", ""), given, delivery, where)
            with self._lock:
                self._all[id_, one] = made
            made.begin(online=lambda cluster=managed[one]: cluster.agent == "online")  # type: ignore[misc]
        told = {"CommandId": id_, "DocumentName": DOCUMENT, "Parameters": given, "InstanceIds": instances}
        return {"Command": told | {"Status": "Pending", "StatusDetails": "Pending", "TargetCount": len(instances)}}

    def get(self, request: Request) -> dict[str, Any]:
        """Answer how a command stands on an instance. Raises: Refused, for a moment after it was sent too."""
        found = self._all.get((request.get("CommandId", ""), request.get("InstanceId", "")))
        if found is None or not found.visible:
            raise Refused("InvocationDoesNotExist", "")
        return found.told()

    def cancel(self, request: Request) -> dict[str, Any]:
        """Ask for the end of a command, wherever it runs."""
        found = [one for (id_, _), one in self._all.items() if id_ == request.get("CommandId")]
        if not found:
            raise Refused("InvalidCommandId", "")
        for one in found:
            one.cancel()
        return {}

    def describe(self, request: Request) -> dict[str, Any]:
        """Answer the managed instances, all of them whatever is asked for."""
        words = {"online": "Online", "offline": "ConnectionLost"}
        managed = self._managed(request.call.region).items()
        told = [{"InstanceId": one, "PingStatus": words[cluster.agent], "PlatformType": "Linux"} for one, cluster in managed]
        return {"InstanceInformationList": told}

    def _managed(self, region: str) -> dict[str, Cluster]:
        living = [one for (of, _), one in self._clusters.all.items() if of == region and one.state in OPEN]
        return {one.ec2_instance_id: has for has in living if has.agent != "none" for one in has.moto.ec2_instances}


def _check(given: dict[str, Any]) -> None:
    if set(given) - PARAMETERS or not given.get("commands"):
        raise Refused("InvalidParameters", f"{DOCUMENT} takes {', '.join(sorted(PARAMETERS))}")
    if not all(isinstance(one, str) for words in given.values() for one in words):
        raise Refused("InvalidParameters", "every parameter is a list of texts")
    if not SECONDS.fullmatch(given.get("executionTimeout", ["3600"])[0]):
        raise Refused("InvalidParameters", "executionTimeout is not valid")
    if sum(len(one.encode()) for words in given.values() for one in words) > LARGEST:
        raise Refused("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
