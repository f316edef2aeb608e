"""An answer that only who asked can read: what is printed where others look, in logs in S3 or the history of commands, is sealed.

What a look shows holds secrets: settings of the hub, the environment of its container. So the program for the master node
comes with a certificate that is made for this one look; the answer is encrypted there to it, by openssl, and its key
never leaves this process. Source of fact: OpenSSL 1.0.2 and later (Amazon Linux 1 to 2023), smime(1); RFC 5652.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import secrets
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

from hubspec.cluster.answer import Said
from hubspec.errors import DoorError

AFTER = 5
"""Seconds after which what runs on the master node is killed there, when its own limit in the container did not end it."""
_TOOLS = "base64 gzip openssl timeout"
# The two streams, the certificate and the program are in memory, in files that have no name any more: a kill leaves nothing.
# It always ends well: an audit that found a fault leaves no failed step.
_SCRIPT = r"""#!/bin/sh
# Made by hubspec, to look at the container of the hub. It changes nothing, and seals what it answers: only who asked can read it.
set -u
umask 077
LC_ALL=C; export LC_ALL
lacks() {{ printf '\n%s lacks %s .\n' {nonce} "$1"; exit 0; }}
for one in {tools}; do command -v "$one" >/dev/null || lacks "$one"; done
d=$(mktemp -d /dev/shm/hubspec.XXXXXX 2>/dev/null || mktemp -d) || lacks 'a folder for temporary files'
exec 3<>"$d/out" 4<>"$d/err" 5<>"$d/for" 6<>"$d/program"
rm -r "$d"
cat >&5 <<'end-of-{nonce}'
{certificate}
end-of-{nonce}
base64 -d <<'end-of-{nonce}' | gzip -dc >&6
{program}
end-of-{nonce}
began=$(date +%s)
timeout -s KILL {limit} {command} </proc/self/fd/6 >&3 2>&4
code=$?
printf '\n%s begin .\n' {nonce}
{{ echo "$code $(($(date +%s) - began)) $(wc -c </proc/self/fd/3)"; cat /proc/self/fd/3 /proc/self/fd/4; }} |
  gzip -c | openssl smime -encrypt -binary -aes256 -outform DER /proc/self/fd/5 | base64
printf '\n%s end .\n' {nonce}
exit 0
"""


class Seal:
    """The key to one answer, and the word by which that is found in what else is printed."""

    def __init__(self) -> None:
        """Make both."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import rsa
        from cryptography.x509.oid import NameOID

        self.nonce = secrets.token_hex(16)
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hubspec")]), datetime.now(UTC)
        made = x509.CertificateBuilder(name, name, self._key.public_key(), x509.random_serial_number())
        self._certificate = (
            made.not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self._key, hashes.SHA256())
        )

    def script(self, command: str, given: bytes, limit: int) -> str:
        """Return what runs a command line with this standard input for at most so many seconds, and prints its answer sealed."""
        from cryptography.hazmat.primitives.serialization import Encoding

        return _SCRIPT.format(
            nonce=self.nonce,
            tools=_TOOLS,
            certificate=self._certificate.public_bytes(Encoding.PEM).decode().strip(),
            program=base64.encodebytes(gzip.compress(given, mtime=0)).decode().strip(),
            limit=limit + AFTER,
            command=command.removeprefix("exec "),
        )

    def begun(self, printed: str) -> bool:
        """Say whether an answer begins in what was printed."""
        return f"\n{self.nonce} begin .\n" in printed

    def opened(self, printed: str) -> Said | None:
        """Return the answer in what was printed, None as long as it is not there whole. Raises DoorError where there can be none."""
        lacks = re.search(rf"^{self.nonce} lacks (.*) \.$", printed, re.MULTILINE)
        if lacks:
            raise DoorError(f"the master node has no {lacks[1]}, so its answer cannot be sealed, and it was not asked")
        _, begun, rest = printed.partition(f"\n{self.nonce} begin .\n")
        body, ended, _ = rest.partition(f"\n{self.nonce} end .")
        if not begun or not ended:
            return None
        try:
            head, _, streams = self._unsealed(body).partition(b"\n")
            code, took, size = map(int, head.split())
        except (ValueError, TypeError, EOFError, OSError, zlib.error, binascii.Error) as error:
            raise DoorError(
                "the answer of the master node was not sealed for us, or came to harm on its way"
                f" ({type(error).__name__}); what openssl said is in the standard error of what was run"
            ) from None
        return Said(code, streams[:size], streams[size:], took)

    def _unsealed(self, body: str) -> bytes:
        from cryptography.hazmat.primitives.serialization import pkcs7

        options: list[Any] = []
        packed = pkcs7.pkcs7_decrypt_der(base64.b64decode(body), self._certificate, self._key, options)
        return gzip.decompress(packed)
