"""Why SSM did not run what it was given, in words, with the next step.

Source of fact: SSM API 2014-11-06 (SendCommand, GetCommandInvocation), User Guide 'Understanding command statuses' and
'Troubleshooting managed node availability'.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubspec.cluster.session import DENIED, RefusedError
from hubspec.errors import DoorError

TOLD = 24_000
"""Characters of stdout that an invocation tells."""
_SEE = "see: aws ssm describe-instance-information --filters Key=InstanceIds,Values={instance}"
_REFUSED = {
    "InvalidInstanceId": (
        "SSM does not know the master instance {instance}, or it does not run: its role needs AmazonSSMManagedInstanceCore, its"
        f" agent has to run, and reach SSM ({_SEE}); or give --door step"
    ),
    "InvalidDocument": "there is no document AWS-RunShellScript in this region: give --door step",
    "UnsupportedPlatformType": "{instance} does not run Linux, says SSM: is it the master node of an EMR cluster?",
    "MaxDocumentSizeExceeded": "what is to be run is longer than SSM takes: give --door step",
}
_ENDED = {
    "undeliverable": f"SSM cannot deliver to {{instance}}: its agent does not answer; {_SEE}; or give --door step",
    "deliverytimedout": f"the SSM agent of {{instance}} did not take the command in time: does it run? {_SEE}; or give --door step",
    "executiontimedout": "SSM ended the command on {instance}, which ran for longer than {limit:g} s: give it more with --deadline",
    "terminated": "SSM ended the command on {instance} before it came to it: too many others failed",
    "cancelled": "somebody cancelled the command on {instance}",
    "canceled": "somebody cancelled the command on {instance}",
    "accessdenied": "SSM let nobody run the command on {instance} (Access Denied): ask who manages its documents and roles",
    "invalidplatform": "{instance} does not run Linux, says SSM: is it the master node of an EMR cluster?",
}


def refused(error: RefusedError, instance: str) -> DoorError:
    """Return the error of a command that SSM did not take."""
    known = _REFUSED.get(error.code)
    if known:
        return RefusedError(f"{known.format(instance=instance)} ({error})", error.code)
    if error.code in DENIED:
        return RefusedError(f"{error}; or give another --door", error.code)
    return error


def ended(told: Mapping[str, Any], instance: str, limit: float) -> DoorError:
    """Return the error of a command that ended otherwise than with success."""
    details = str(told.get("StatusDetails") or told["Status"])
    known = _ENDED.get(details.replace(" ", "").lower())
    if known:
        return DoorError(known.format(instance=instance, limit=limit))
    code = told.get("ResponseCode")
    return DoorError(f"the command of SSM on {instance} ended as {details} (status {code}; {_last(told)})")


def late(instance: str, status: str, seconds: float) -> DoorError:
    """Return the error of a command of which no end is told."""
    if status == "Pending":
        return DoorError(_ENDED["deliverytimedout"].format(instance=instance) + f" ({seconds:.0f} s were given to it)")
    return DoorError(f"the command of SSM on {instance} is still {status} after {seconds:.0f} s, and was cancelled")


def no_answer(told: Mapping[str, Any]) -> DoorError:
    """Return the error of a command that printed none of what it was sent for."""
    return DoorError(f"the command of SSM printed no answer ({_last(told)})")


def no_place() -> DoorError:
    """Return the error of an answer of which only the beginning is told, and the rest is nowhere."""
    return DoorError(
        f"the answer is longer than the {TOLD:,} characters that SSM tells, and there is no place in S3 for it: the cluster has"
        " no log URI there; give --scratch s3://BUCKET/PREFIX/"
    )


def not_in_s3(uri: str, seconds: float) -> DoorError:
    """Return the error of an answer of which only the beginning is told, and the rest did not come to S3."""
    return DoorError(
        f"the answer is longer than the {TOLD:,} characters that SSM tells, and {uri} was not there within {seconds:g} s: may the"
        " cluster's instance profile write there (s3:PutObject)? Give --scratch s3://BUCKET/PREFIX/ where it may, or --door step"
    )


def _last(told: Mapping[str, Any]) -> str:
    lines = str(told.get("StandardErrorContent") or "").strip().splitlines()
    return lines[-1][-200:] if lines else "nothing on standard error"
