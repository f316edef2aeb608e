"""An EMR API that refuses: an error with the missing permission or setting, and exit code 11; 4 for no such cluster."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.conftest import Audit

KEYS = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def refusing() -> Iterator[tuple[ThreadingHTTPServer, dict[str, str]]]:
    """Serve one error of the EMR API, as its JSON 1.1 protocol says it, on loopback."""
    error = {"__type": "", "message": "not this time"}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.dumps(error).encode()
            self.send_response(400)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server, error
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("code", "exit_code", "sentence"),
    [
        ("AccessDeniedException", 11, "allow elasticmapreduce:DescribeCluster"),
        ("ExpiredTokenException", 11, "does not accept the credentials (ExpiredTokenException): sign in again"),
        ("InternalServerException", 11, "AWS refused DescribeCluster: InternalServerException"),
        ("InvalidRequestException", 4, "there is no cluster j-A in this account and region"),
    ],
)
def test_refused(
    audit: Audit, refusing: tuple[ThreadingHTTPServer, dict[str, str]], code: str, exit_code: int, sentence: str
) -> None:
    server, error = refusing
    error["__type"] = code
    endpoint = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}
    run = audit("--cluster", "j-A", checks="checks/test_cluster.py", env={**KEYS, **endpoint})

    assert sentence in run.text
    assert run.code == exit_code


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"AWS_DEFAULT_REGION": "us-east-1"}, "there are no AWS credentials: set AWS_PROFILE"),
        ({"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}, "no AWS region is set"),
        (KEYS | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "the EMR API does not answer"),
    ],
)
def test_no_way_to_ask(audit: Audit, env: dict[str, str | None], sentence: str) -> None:
    nowhere: dict[str, str | None] = {"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"}
    run = audit("--cluster", "j-A", checks="checks/test_cluster.py", env={**nowhere, **env})

    assert sentence in run.text
    assert run.code == 11
