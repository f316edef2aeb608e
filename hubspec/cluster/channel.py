"""A websocket to a kernel, by websocket-client: trusted like the hub itself, its token in a header and in no address."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

import websocket
from pydantic import SecretStr
from urllib3.exceptions import SSLError
from urllib3.util.ssl_ import assert_fingerprint

from hubspec.cluster.hub_http import Trust, distrust, root
from hubspec.errors import AnsweredError, DoorError, SilentError


class Channel:
    """One websocket. Close it."""

    def __init__(self, url: str, token: SecretStr | None, trust: Trust, deadline: float) -> None:
        """Open it within `deadline` seconds. Raises AnsweredError, SilentError, and DoorError where it is not believed.

        The certificate is believed before anything is sent: whoever stands between is not told the token.
        """
        self._url = url
        headers = [f"Authorization: token {token.get_secret_value()}"] if token else []
        where = f"ws{url.removeprefix('http')}"
        link = connected(url, trust, deadline)
        try:
            self._socket = websocket.create_connection(
                where, timeout=deadline, socket=link, header=headers, suppress_origin=True, redirect_limit=0
            )
        except websocket.WebSocketBadStatusException as error:
            link.close()
            raise AnsweredError(
                f"the websocket {url} was refused with {error.status_code}", error.status_code
            ) from None
        except (websocket.WebSocketTimeoutException, TimeoutError):
            link.close()
            raise SilentError(f"the websocket {url} was not opened within {deadline:.0f} s") from None
        except (websocket.WebSocketException, OSError) as error:
            link.close()
            raise DoorError(f"the websocket {url} could not be opened ({root(error)})") from None

    def send(self, text: str) -> None:
        """Send a message. Raises DoorError where the connection is gone."""
        try:
            self._socket.send(text)
        except (websocket.WebSocketException, OSError) as error:
            raise DoorError(f"the websocket {self._url} broke off ({root(error)})") from None

    def receive(self, seconds: float) -> str | None:
        """Return the next message, None where none came in time. Raises DoorError where the connection is gone."""
        self._socket.settimeout(max(seconds, 0.01))
        try:
            text = self._socket.recv()
        except websocket.WebSocketTimeoutException:
            return None
        except (websocket.WebSocketException, OSError) as error:
            raise DoorError(f"the websocket {self._url} broke off ({root(error)})") from None
        return text if isinstance(text, str) else text.decode("utf-8", "backslashreplace")

    def close(self) -> None:
        """Close it, without waiting for the other side to say so."""
        self._socket.shutdown()  # type: ignore[no-untyped-call] # websocket-client has no types for it


def connected(url: str, trust: Trust, deadline: float) -> socket.socket:
    """Return a connection whose certificate is believed; nothing was sent on it. Raises DoorError."""
    where = urlsplit(url)
    secure = where.scheme == "https"
    try:
        plain = trust.connect(where.hostname or "", where.port or (443 if secure else 80), deadline)
    except OSError as error:
        raise DoorError(f"the websocket {url} could not be opened ({root(error)})") from None
    if not secure:
        return plain
    context = ssl.create_default_context(cafile=trust.ca_file)
    if trust.fingerprint or trust.insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    link: ssl.SSLSocket | None = None
    try:
        link = context.wrap_socket(plain, server_hostname=where.hostname)
        if trust.fingerprint:
            assert_fingerprint(link.getpeercert(binary_form=True), trust.fingerprint)
    except (SSLError, ssl.SSLError) as error:
        (link or plain).close()
        raise DoorError(f"the websocket {url}: {distrust(error, trust)}") from None
    except OSError as error:
        (link or plain).close()
        raise DoorError(f"the websocket {url} could not be opened ({root(error)})") from None
    return link
