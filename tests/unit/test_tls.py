"""What a server shows in a handshake, from real ones: which TLS it accepts, whether its certificate is trusted."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from hubspec.cluster import tls
from hubspec.errors import DoorError
from hubspec.model import Unreadable
from tests.certificates import certificate, pair

TLS = ssl.TLSVersion
Serve = Callable[[socket.socket], None]


@contextlib.contextmanager
def listening(serve: Serve) -> Iterator[str]:
    """Hand every connection to `serve` until the block ends, and yield the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    link, _ = server.accept()
                except OSError:
                    return
                with link, contextlib.suppress(OSError):
                    link.settimeout(5)
                    serve(link)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def server(folder: Path, oldest: TLS, newest: TLS = TLS.TLSv1_3, key: Any = None) -> Serve:
    key = key or ec.generate_private_key(ec.SECP256R1())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(pair(folder, key, certificate(key, names=["127.0.0.1"])))
    context.minimum_version, context.maximum_version = oldest, newest

    def serve(link: socket.socket) -> None:
        with context.wrap_socket(link, server_side=True) as secure:
            secure.read(1)

    return serve


def look(url: str, **known: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"fingerprint": None, "ca_file": None, "deadline": 5, "count": lambda: None}
    return tls.look(url, **options | known)


VERSIONS = [
    (TLS.TLSv1, TLS.TLSv1_3, "1.0"),
    (TLS.TLSv1, TLS.TLSv1, "1.0"),
    (TLS.TLSv1_1, TLS.TLSv1_2, "1.1"),
    (TLS.TLSv1_2, TLS.TLSv1_3, "1.2"),
    (TLS.TLSv1_2, TLS.TLSv1_2, "1.2"),
    (TLS.TLSv1_3, TLS.TLSv1_3, "1.3"),
]


@pytest.mark.parametrize(("oldest", "newest", "told"), VERSIONS)
def test_the_oldest_version_is_told(tmp_path: Path, oldest: TLS, newest: TLS, told: str) -> None:
    counted: list[None] = []
    with listening(server(tmp_path, oldest, newest)) as url:
        seen = look(url, count=lambda: counted.append(None), fingerprint="00" * 32)

    assert seen["oldest_tls"] == told
    assert len(counted) == 1 + ["1.0", "1.1", "1.2", "1.3"].index(told) + 1
    assert seen["host"] == "127.0.0.1"


def test_a_weak_key_is_seen(tmp_path: Path) -> None:
    with listening(server(tmp_path, TLS.TLSv1_2, key=rsa.generate_private_key(65537, 1024))) as url:
        seen = look(url, ca_file=str(tmp_path / "pair.pem"))

    assert seen["pem"].startswith("-----BEGIN CERTIFICATE-----")
    assert seen["oldest_tls"] == "1.2"


def test_what_cannot_be_offered_is_not_called_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl, "HAS_TLSv1", False)
    with listening(server(tmp_path, TLS.TLSv1_2)) as url:
        told = look(url)["oldest_tls"]

    assert told == Unreadable(
        "the OpenSSL of this machine cannot offer TLS 1.0, so whether it is accepted is not known"
    )


def test_an_old_handshake_that_is_never_answered_is_not_called_refused(tmp_path: Path) -> None:
    good, calls = server(tmp_path, TLS.TLSv1_2), list[int]()

    def serve(link: socket.socket) -> None:
        calls.append(1)
        if len(calls) == 1:
            good(link)
        else:
            link.recv(2**16)
            link.recv(2**16)

    with listening(serve) as url:
        told = look(url, fingerprint="00" * 32, deadline=0.5)["oldest_tls"]

    assert isinstance(told, Unreadable)
    assert told.reason.startswith("whether TLS 1.0 is accepted could not be tried (")


def test_a_server_that_hangs_up_on_old_versions_refuses_them(tmp_path: Path) -> None:
    good = server(tmp_path, TLS.TLSv1_2)

    def serve(link: socket.socket) -> None:
        hello = link.recv(2**16, socket.MSG_PEEK)
        if b"\x03\x03" in hello[5:12]:  # the version that a ClientHello names, RFC 5246 section 7.4.1.2
            good(link)

    with listening(serve) as url:
        assert look(url)["oldest_tls"] == "1.2"


def test_who_is_trusted(tmp_path: Path) -> None:
    with listening(server(tmp_path, TLS.TLSv1_2)) as url:
        plain = look(url)
        own = hashlib.sha256(ssl.PEM_cert_to_DER_cert(plain["pem"])).hexdigest()
        by_name = url.replace("127.0.0.1", "localhost")
        told = {
            "unknown": plain["trusted"],
            "pinned": look(url, fingerprint=own.upper())["trusted"],
            "another is pinned": look(url, fingerprint="0" * 64, ca_file=str(tmp_path / "pair.pem"))["trusted"],
            "of the CA": look(url, ca_file=str(tmp_path / "pair.pem"))["trusted"],
            "of the CA, for another name": look(by_name, ca_file=str(tmp_path / "pair.pem"))["trusted"],
            "no such CA": look(url, ca_file=str(tmp_path / "none.pem"))["trusted"],
        }

    assert told == {
        "unknown": False,
        "pinned": True,
        "another is pinned": False,
        "of the CA": True,
        "of the CA, for another name": False,
        "no such CA": Unreadable("whether it is trusted could not be tried ([Errno 2] No such file or directory)"),
    }


def test_without_tls_there_is_none_which_is_known() -> None:
    seen = look("http://127.0.0.1:1")
    assert {name: seen[name] for name in ("pem", "trusted", "oldest_tls")} == dict.fromkeys(
        ("pem", "trusted", "oldest_tls")
    )


def no_tls(link: socket.socket) -> None:
    link.recv(2**16)
    link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def hang_up(_link: socket.socket) -> None:
    pass


def say_nothing(link: socket.socket) -> None:
    while link.recv(2**16):
        pass


@pytest.mark.parametrize("serve", [no_tls, hang_up, say_nothing])
def test_where_no_certificate_is_shown_the_door_is_shut(serve: Serve) -> None:
    with listening(serve) as url, pytest.raises(DoorError, match="no certificate is shown there"):
        look(url, deadline=0.5)


def test_nobody_listening() -> None:
    with pytest.raises(DoorError, match="no certificate is shown there; is it the hub's address"):
        look("https://127.0.0.1:1")
