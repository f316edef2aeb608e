"""In front of moto: every call is named and remembered, refused where the lab was told to, and answered by whom it concerns."""

from __future__ import annotations

import io
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from emr import errors, names
from emr.errors import Refused, Start

Application = Callable[[dict[str, Any], Start], Iterable[bytes]]

OURS = {"elasticmapreduce", "ssm"}
REMEMBERED = 50_000
NOT_ALLOWED = (
    "User: arn:aws:iam::123456789012:user/lab is not authorized to perform: {name}"
    " because no identity-based policy allows the {name} action"
)
# What each protocol says to a caller without the permission, and to one who asks too often.
DENIED = {
    "json": (400, "AccessDeniedException", NOT_ALLOWED),
    "ec2": (403, "UnauthorizedOperation", "You are not authorized to perform this operation."),
    "s3": (403, "AccessDenied", "Access Denied"),
    "query": (403, "AccessDenied", NOT_ALLOWED),
}
SLOWER = {
    "json": (400, "ThrottlingException", "Rate exceeded"),
    "ec2": (503, "RequestLimitExceeded", "Request limit exceeded."),
    "s3": (503, "SlowDown", "Please reduce your request rate."),
    "query": (400, "Throttling", "Rate exceeded"),
}


class Request:
    """One call of a service with answers of ours: its input, its region, and the way on to moto."""

    def __init__(self, call: names.Call, given: dict[str, Any], onward: Callable[[dict[str, Any]], dict[str, Any]]):
        """Keep them."""
        self.call, self.given, self._onward = call, given, onward

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - a JSON value
        """Answer a field of the input."""
        value = self.given.get(key)
        return default if value is None else value

    def moto(self, given: dict[str, Any] | None = None) -> dict[str, Any]:
        """Answer what moto answers to this call, or to the same call with another input. Raises: Refused as moto does."""
        return self._onward(self.given if given is None else given)


class Front:
    """The WSGI application of the lab's AWS end point."""

    def __init__(self, moto: Application, region: str) -> None:
        """Put itself in front of moto's; `answers` is filled by the API's modules."""
        self._moto, self._region = moto, region
        self.answers: dict[str, Callable[[Request], dict[str, Any]]] = {}
        self.guard: Callable[[Request], None] = lambda _request: None
        self.denied: set[str] = set()
        self.throttled: dict[str, int] = {}
        self.seen: deque[str] = deque(maxlen=REMEMBERED)
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer one request."""
        call = names.name(environ, self._region)
        if call is None:
            return self._moto(environ, start)
        self.seen.append(call.name)
        refused = self._refused(call)
        if refused:
            status, code, sentence = refused
            return errors.refusal(start, call.protocol, status, code, sentence.format(name=call.name))
        if call.service not in OURS:
            return self._moto(environ, start)
        return self._own(call, environ, start)

    def _refused(self, call: names.Call) -> tuple[int, str, str] | None:
        if self.denied & {call.name, call.action}:
            return DENIED[call.protocol]
        with self._lock:
            for name in (call.name, call.action):
                if self.throttled.get(name, 0) > 0:
                    self.throttled[name] -= 1
                    return SLOWER[call.protocol]
        return None

    def _own(self, call: names.Call, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        try:
            given = json.loads(names.body(environ) or b"{}")
        except ValueError:
            return errors.refusal(start, "json", 400, "SerializationException", "the body is not JSON")
        request = Request(call, given, lambda other: self._onward(environ, other))
        answer = self.answers.get(call.action)
        try:
            self.guard(request)
            if answer is None:
                return self._moto(environ, start)
            return errors.json_reply(start, answer(request))
        except Refused as refused:
            return errors.refusal(start, "json", 400, refused.code, refused.message)

    def _onward(self, environ: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps(given).encode()
        told: list[str] = []
        inner = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        text = b"".join(self._moto(inner, lambda status, *_: told.append(status)))
        answer: dict[str, Any] = json.loads(text or b"{}")
        if not told[0].startswith("200"):
            raise Refused(answer.get("__type", "InternalFailure"), answer.get("message") or answer.get("Message", ""))
        return answer
