"""The end of a gzipped log, whatever lies in S3 in its place; the S3 API is on loopback, and boto3 is real."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hubspec.cluster import logs
from hubspec.cluster.session import Session
from hubspec.errors import DoorError

WHERE = "s3://bucket/logs/j-1/steps/s-1/"
OBJECTS: dict[str, bytes | tuple[int, str]] = {}
NOW = datetime.now(UTC)


@pytest.fixture
def session() -> Iterator[Session]:
    """Give a session that reads OBJECTS: bytes, or a status with S3's code for it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kept = OBJECTS.get(self.path.partition("?")[0].rpartition("/")[2], (404, "NoSuchKey"))
            status, body = 200, kept if isinstance(kept, bytes) else b""
            if isinstance(kept, tuple):
                status, body = kept[0], f"<Error><Code>{kept[1]}</Code><Message>no</Message></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    OBJECTS.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Session(
        settings={
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "k",
            "AWS_SECRET_ACCESS_KEY": "s",
        },
        deadline=20,
    )
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_last_lines_of_both(session: Session) -> None:
    OBJECTS["stderr.gz"] = gzip.compress("\n".join(f"line {number}" for number in range(100)).encode())
    OBJECTS["controller.gz"] = gzip.compress(b"INFO waitProcessCompletion ended with exit code 3\n")
    stderr, controller = logs.explain(session, WHERE, NOW)

    assert stderr.title == f"stderr, its last lines (789 bytes in {WHERE}stderr.gz)"
    assert stderr.text.splitlines() == [f"line {number}" for number in range(80, 100)]
    assert "exit code 3" in controller.text


def test_stdout_where_stderr_said_nothing(session: Session) -> None:
    OBJECTS["stderr.gz"] = gzip.compress(b"\n")
    OBJECTS["stdout.gz"] = gzip.compress(b"it went wrong\n") + gzip.compress(b"twice, in two members\n")
    (detail,) = logs.explain(session, WHERE, NOW)

    assert detail.text == "it went wrong\ntwice, in two members"


def test_two_hundred_megabytes_are_read_to_their_end_and_not_kept(session: Session) -> None:
    block = gzip.compress(b"x" * 99 + b"\n" * 1 + b"y" * 900_000 + b"\n")
    OBJECTS["stderr.gz"] = block * 222 + gzip.compress("the last line ends with é".encode())
    text, size = logs.tail(session, f"{WHERE}stderr.gz", 20)

    assert size > 199_000_000
    assert text.endswith("the last line ends with é")
    assert len(text) <= logs.KEPT


def test_secrets_in_a_log_are_masked(session: Session) -> None:
    OBJECTS["stderr.gz"] = gzip.compress(b"+ curl -H 'Authorization: token c4n4ry' https://hub\n")
    (detail,) = logs.explain(session, WHERE, NOW)

    assert "c4n4ry" not in detail.text


@pytest.mark.parametrize(
    "body", [b"plain text", gzip.compress(b"cut" * 1000, mtime=0)[:-20], b"", b"\x1f\x8b\x08\x00garbage"]
)
def test_what_is_no_whole_gzip_file_is_said_to_be_none(session: Session, body: bytes) -> None:
    OBJECTS["stderr.gz"] = body
    said = [detail.text for detail in logs.explain(session, WHERE, NOW)]

    assert len(said) == 1
    assert "cannot be unpacked" in said[0] or (not body and "no log is in" in said[0])


REFUSED = [
    ((403, "AccessDenied"), "allow s3:GetObject"),
    ((403, "AccessDenied"), "allow s3:ListBucket on bucket too"),
    ((404, "NoSuchBucket"), "the log bucket bucket does not exist"),
    ((400, "InvalidObjectState"), "AWS refused GetObject: InvalidObjectState"),
]


@pytest.mark.parametrize(("answer", "sentence"), REFUSED)
def test_a_refusal_says_what_is_missing(session: Session, answer: tuple[int, str], sentence: str) -> None:
    OBJECTS["stderr.gz"] = answer
    (detail,) = logs.explain(session, WHERE, NOW)

    assert sentence in detail.text


WAITING = [
    (None, "no log is in .* yet"),
    (timedelta(minutes=1), "look again after {due} UTC"),
    (timedelta(hours=1), "though they were due at .* may the cluster's instance profile write there"),
]


@pytest.mark.parametrize(("ago", "sentence"), WAITING)
def test_until_when_to_wait(session: Session, ago: timedelta | None, sentence: str) -> None:
    ended = ago and datetime.now(UTC) - ago
    (detail,) = logs.explain(session, WHERE, ended)
    sentence = sentence.format(due=f"{ended + logs.UPLOAD:%H:%M:%S}" if ended else "")
    assert re.search(sentence, detail.text)


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("s3://b/p/", "s3://b/p/j-1/steps/s-1/"),
        ("s3n://b", "s3://b/j-1/steps/s-1/"),
        ("hdfs:///x", None),
        ("", None),
        (None, None),
    ],
)
def test_where_the_logs_of_a_step_are(uri: str | None, folder: str | None) -> None:
    assert logs.folder(uri, "j-1", "s-1") == folder


def test_a_cluster_without_a_log_uri() -> None:
    (detail,) = logs.explain(Session(), None, NOW)
    assert "has no log URI" in detail.text


def test_a_log_that_takes_too_long(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    OBJECTS["stderr.gz"] = gzip.compress(b"x")
    assert logs.tail(session, f"{WHERE}stderr.gz", 20) == ("x", 1)
    monkeypatch.setattr(session, "deadline", -1)
    with pytest.raises(DoorError, match=r"aws s3 cp s3://bucket/.*/stderr\.gz - \| gunzip \| tail"):
        logs.tail(session, f"{WHERE}stderr.gz", 20)
