"""The AWS door: boto3, with the standard AWS variables for account, region and endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubspec.errors import DoorError, UnknownClusterError

_SETTINGS = {
    "endpoint_url": "AWS_ENDPOINT_URL",
    "region_name": "AWS_DEFAULT_REGION",
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
}


class EmrDoor:
    """The EMR API about one cluster (2009-03-31).

    `settings` are AWS variables that count instead of the environment's. `deadline` is in seconds, for each attempt.
    """

    name = "aws"

    def __init__(self, cluster_id: str, *, settings: Mapping[str, str] | None = None, deadline: float = 20) -> None:
        """Nothing is asked of AWS yet."""
        self.cluster_id, self.deadline = cluster_id, deadline
        self._settings = {name: (settings or {}).get(variable) for name, variable in _SETTINGS.items()}
        self.command = f"EMR API, {cluster_id}"
        self.trips: dict[str, int] = {}

    def describe(self) -> dict[str, Any]:
        """Return the `Cluster` of DescribeCluster.

        Raises UnknownClusterError where AWS has no such cluster, DoorError for everything else, with the permission
        or the setting that is missing.
        """
        # boto3 takes a quarter of a second to import: only where the cluster itself is audited, and beside other doors.
        import boto3
        from botocore import exceptions as refused
        from botocore.config import Config

        config = Config(
            connect_timeout=5, read_timeout=self.deadline, retries={"mode": "adaptive", "total_max_attempts": 5}
        )
        try:
            client = boto3.client("emr", config=config, **self._settings)
            self.trips["aws DescribeCluster"] = self.trips.get("aws DescribeCluster", 0) + 1
            answer: dict[str, Any] = client.describe_cluster(ClusterId=self.cluster_id)
        except (refused.NoCredentialsError, refused.PartialCredentialsError):
            raise DoorError(
                "there are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            ) from None
        except refused.NoRegionError:
            raise DoorError("no AWS region is set: set AWS_DEFAULT_REGION, or a region in the profile") from None
        except refused.ClientError as error:
            raise self._refusal(error.response["Error"]) from None
        except refused.BotoCoreError as error:
            raise DoorError(f"the EMR API does not answer: {error}") from None
        cluster: dict[str, Any] = answer["Cluster"]
        return cluster

    def _refusal(self, error: Mapping[str, str]) -> Exception:
        code, text = error["Code"], error.get("Message", "")
        if code == "InvalidRequestException":
            return UnknownClusterError(f"there is no cluster {self.cluster_id} in this account and region: {text}")
        if code in {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"}:
            return DoorError(
                f"AWS refuses to describe {self.cluster_id}: allow elasticmapreduce:DescribeCluster ({text})"
            )
        if code in {"ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId"}:
            return DoorError(f"AWS does not accept the credentials ({code}): sign in again")
        return DoorError(f"the EMR API refused DescribeCluster of {self.cluster_id}: {code}: {text}")
