"""One call to AWS: boto3's clients, made when first needed, and every refusal as a sentence with the next step."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from hubspec.cluster import proxies
from hubspec.cluster.apart import apart, refused
from hubspec.cluster.calls import CALLS
from hubspec.cluster.clients import Clients
from hubspec.errors import DoorError, UnknownClusterError

SETTINGS = {
    "endpoint_url": "AWS_ENDPOINT_URL",
    "region_name": "AWS_DEFAULT_REGION",
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
}
NO_REGION = "no AWS region is set: set AWS_DEFAULT_REGION or AWS_REGION, or a region in the profile"
ROUNDS, PAUSE = 3, 4.0
"""botocore asks `ATTEMPTS` times. While AWS throttles it begins anew, after that many seconds: ten refusals in a row are
lived through, and a network that is down is still told of within seconds."""
DENIED = {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "403"}
EXPIRED = {"ExpiredTokenException", "ExpiredToken", "RequestExpired", "UnrecognizedClientException",
           "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthFailure"}  # fmt: skip
THROTTLED = {"ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown"}


class RefusedError(DoorError):
    """AWS answered, and refused. `code` is its own word for why."""

    def __init__(self, sentence: str, code: str) -> None:
        """Take the sentence for a person, and AWS's code."""
        super().__init__(sentence)
        self.code = code


class NoAnswerError(DoorError):
    """AWS did not answer in time, so nobody knows whether it did what was asked."""


class Session:
    """Calls to AWS; `trips` counts them by name, `apart` is by how many seconds AWS's clock was before ours at the last answer.

    `settings` are AWS variables that count instead of the environment's. `deadline` is in seconds, for one call with its
    attempts. `clients` are lent by others.
    """

    def __init__(
        self,
        *,
        settings: Mapping[str, str] | None = None,
        deadline: float = 20,
        progress: Callable[[str], None] = lambda _line: None,
        clients: Clients | None = None,
    ) -> None:
        """Nothing is asked of AWS yet."""
        self.deadline, self._patience, self._progress = deadline, deadline, progress
        self.trips: Counter[str] = Counter()
        self.apart: float | None = None
        self._settings = {name: (settings or {}).get(variable) for name, variable in SETTINGS.items()}
        self._settings["region_name"] = self._settings["region_name"] or _region()
        self._clients = clients or Clients()

    def call(self, name: str, *, once: bool = False, **arguments: Any) -> dict[str, Any]:
        """Return the answer of one call of `CALLS`. `once`: it is not repeated, for it changes something.

        Raises RefusedError, NoAnswerError, UnknownClusterError, and DoorError where there is no way to ask.
        """
        rewind = getattr(arguments.get("Body"), "seek", None)
        for left in reversed(range(1 if once else ROUNDS)):
            if rewind:
                rewind(0)  # botocore rewinds between its own attempts alone
            try:
                return self._call(name, arguments, once=once)
            except RefusedError as error:
                if error.code not in THROTTLED or not left:
                    raise
                self._progress(f"AWS throttles {name}: trying again")
                time.sleep(PAUSE)
        raise AssertionError  # the last round returns or raises

    def described(self, cluster: str, *, lend: bool = False) -> dict[str, Any]:
        """Return the `Cluster` of DescribeCluster; with `lend` also for the next session of the same settings, which then need not ask. Raises as `call`."""
        key = (cluster, *self._settings.values())
        told = None if lend else self._clients.take(key)
        if told is None:
            told = dict(self.call("DescribeCluster", ClusterId=cluster)["Cluster"])
        else:
            self.trips["aws DescribeCluster"] += 1  # it was made, and is counted nowhere else
        if lend:
            self._clients.keep(key, told)
        return told

    @property
    def region(self) -> str:
        """Return the region that is asked. Raises DoorError where none is set."""
        from botocore.exceptions import NoRegionError

        try:
            return str(self._client("emr", once=False).meta.region_name)
        except NoRegionError:
            raise DoorError(NO_REGION) from None

    def _call(self, name: str, arguments: dict[str, Any], *, once: bool) -> dict[str, Any]:
        # boto3 takes a quarter of a second to import: only where AWS is asked, and beside the other doors.
        from botocore import exceptions as raised

        about = CALLS[name]
        self.trips[f"aws {name}"] += 1
        try:
            answer: dict[str, Any] = getattr(self._client(about.client, once=once), about.method)(**arguments)
        except (raised.NoCredentialsError, raised.PartialCredentialsError):
            raise DoorError(
                "there are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            ) from None
        except raised.NoRegionError:
            raise DoorError(NO_REGION) from None
        except raised.ParamValidationError as error:
            raise DoorError(f"{name} was not asked: {error}") from None
        except raised.ClientError as error:
            date = self._heard(error.response)
            why = error.response["Error"]
            raise refused(why["Code"], why.get("Message", ""), date) or _refusal(name, why, arguments) from None
        except raised.BotoCoreError as error:
            service = "EMR API" if about.client == "emr" else f"{about.client.upper()} API"
            proxy = proxies.blamed(self.endpoint(about.client))
            raise NoAnswerError(f"the {service} does not answer: {error}{proxy}") from None
        self._heard(answer)
        return answer

    def endpoint(self, service: str) -> str:
        """Return the address that a service is asked at. Raises DoorError where no region is set."""
        from botocore.exceptions import NoRegionError

        try:
            return str(self._client(service, once=False).meta.endpoint_url)
        except NoRegionError:
            raise DoorError(NO_REGION) from None

    def _heard(self, answer: Mapping[str, Any]) -> str | None:
        date: str | None = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        self.apart = apart(date)
        return date

    def _client(self, service: str, *, once: bool) -> Any:
        return self._clients.client(service, self._settings, self._patience, once=once)


def _region() -> str | None:
    """Return the region that botocore passes over: it reads AWS_DEFAULT_REGION, and AWS's other tools AWS_REGION too (AWS SDKs and Tools Reference)."""
    return None if os.environ.get("AWS_DEFAULT_REGION") else os.environ.get("AWS_REGION") or None


def _refusal(name: str, error: Mapping[str, str], arguments: Mapping[str, Any]) -> DoorError | UnknownClusterError:
    code, text, action = error["Code"], error.get("Message", ""), CALLS[name].action
    cluster = arguments.get("ClusterId") or arguments.get("JobFlowId")
    # The older calls, which say JobFlowId, have words of their own.
    older = code == "ValidationException" and "job flow id" in text.lower()
    newer = code == "InvalidRequestException" and (name == "DescribeCluster" or f"id '{cluster}'" in text)
    if cluster and (older or newer):
        return UnknownClusterError(f"there is no cluster {cluster} in this account and region: {text}")
    if code in DENIED:
        return RefusedError(f"AWS refuses {name}: allow {action} ({text})", code)
    if code in EXPIRED:
        return RefusedError(f"AWS does not accept the credentials ({code}): sign in again", code)
    if code in THROTTLED:
        sentence = f"AWS throttled {name}: something else in this account asks too much; try again later"
        return RefusedError(sentence, code)
    return RefusedError(f"AWS refused {name}: {code}: {text}", code)
