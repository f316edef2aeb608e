"""An AWS end point on loopback whose answers a test writes: call -> what it answers, one after the other, the last for ever."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

from hubspec.cluster.session import Session

LOST = "lost"
"""An answer that never comes: the call was taken, and the connection breaks."""


S3_QUERIES = {
    "policyStatus": "GetBucketPolicyStatus",
    "publicAccessBlock": "GetPublicAccessBlock",
    "list-type": "ListObjectsV2",
}
"""A word in the query of a request to S3 -> the call; without one it is GetObject."""


class Refusal(dict[str, str]):
    """An error of an API, as EMR's JSON 1.1 protocol says it, and as the XML of the others does."""

    def __init__(self, code: str, message: str = "not this time") -> None:
        super().__init__(__type=code, message=message)

    @property
    def xml(self) -> str:
        """Return it as EC2, STS and S3 say it, each of which reads what it knows."""
        one = f"<Code>{self['__type']}</Code><Message>{self['message']}</Message>"
        return f"<Response><Errors><Error>{one}</Error></Errors><Error>{one}</Error>{one}</Response>"


def sent(stream: BinaryIO, headers: Mapping[str, str]) -> bytes:
    """Return the body of a request, also from the chunks in which botocore sends what it signs while it reads."""
    if "Content-Length" in headers:
        return stream.read(int(headers["Content-Length"]))
    whole = b""
    while size := int(stream.readline().split(b";")[0], 16):
        whole += stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass  # the checksum behind the chunks
    return whole


@contextlib.contextmanager
def serving(
    answers: dict[str, list[Any]], ahead: float = 0
) -> Iterator[tuple[dict[str, str], list[tuple[str, dict[str, Any]]]]]:
    """Serve the answers; yield the AWS variables that lead there, and what was asked so far: (call, arguments).

    The clock there is so many seconds `ahead` of this machine's.
    """
    asked: list[tuple[str, dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # or botocore waits a second for "100 Continue" before it sends an object

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            if "X-Amz-Target" in self.headers:
                call, given = self.headers["X-Amz-Target"].rpartition(".")[2], json.loads(raw)
            else:
                given = dict(parse_qsl(raw.decode()))
                call = given["Action"]
            self._answer(call, given)

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            call = next((name for word, name in S3_QUERIES.items() if word in query), "GetObject")
            self._answer(call, {"Key": path})

        def do_PUT(self) -> None:
            body = sent(self.rfile, self.headers)
            self._answer("PutObject", {"Key": self.path.partition("?")[0], "Body": body, **self.headers})

        def _answer(self, call: str, given: dict[str, Any]) -> None:
            asked.append((call, given))
            mine = answers[call]
            answer = mine.pop(0) if len(mine) > 1 else mine[0]
            answer = answer(given) if callable(answer) else answer
            if answer == LOST:
                self.close_connection = True
                return
            if "X-Amz-Target" in self.headers:
                body, mime = json.dumps(answer), "application/x-amz-json-1.1"
            else:
                body, mime = answer.xml if isinstance(answer, Refusal) else str(answer), "text/xml"
            self.send_response(400 if isinstance(answer, Refusal) else 200)
            self.send_header("Content-Type", mime)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string((timestamp or time.time()) + ahead)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    variables = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
    }
    try:
        yield variables, asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def session(variables: dict[str, str]) -> Session:
    """Return a session that asks there."""
    return Session(settings=variables, deadline=5)
