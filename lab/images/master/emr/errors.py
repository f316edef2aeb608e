"""A refusal, as AWS words and encodes it: JSON for EMR, XML for EC2 and S3."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

Start = Callable[..., Any]
WORDS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 503: "Service Unavailable"}
JSON = "application/x-amz-json-1.1"


class Refused(Exception):  # noqa: N818 - what EMR does
    """A call that EMR refuses, with EMR's code and sentence; the status is 400, as for all of EMR's own."""

    def __init__(self, code: str, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.code, self.message = code, message


def invalid(message: str) -> Refused:
    """Answer the refusal of calls that speak of a ClusterId."""
    return Refused("InvalidRequestException", message)


def validation(message: str) -> Refused:
    """Answer the refusal of calls that speak of a JobFlowId, and of values beyond their limits."""
    return Refused("ValidationException", message)


def no_cluster(given: object) -> Refused:
    """Answer what EMR says of a cluster it does not know."""
    return invalid(f"Cluster id '{given}' is not valid.")


def reply(start: Start, status: int, kind: str, body: bytes) -> Iterable[bytes]:
    """Send one answer through WSGI."""
    head = [("Content-Type", kind), ("Content-Length", str(len(body))), ("x-amzn-RequestId", str(uuid.uuid4()))]
    start(f"{status} {WORDS[status]}", head)
    return [body]


def json_reply(start: Start, answer: dict[str, Any], status: int = 200) -> Iterable[bytes]:
    """Send an answer in the protocol JSON 1.1."""
    return reply(start, status, JSON, json.dumps(answer).encode())


def refusal(start: Start, protocol: str, status: int, code: str, message: str) -> Iterable[bytes]:
    """Send a refusal in the protocol of the service that was called: json, ec2, s3 or query."""
    if protocol == "json":
        return json_reply(start, {"__type": code, "Message": message}, status)
    error = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    texts = {
        "s3": f"<Error>{error}</Error>",
        "ec2": f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{uuid.uuid4()}</RequestID></Response>",
    }
    text = texts.get(protocol, f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error></ErrorResponse>")
    return reply(start, status, "text/xml", b'<?xml version="1.0" encoding="UTF-8"?>\n' + text.encode())
