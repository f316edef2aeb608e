"""Breaks of what the hub is and shows: its certificate, its TLS, the classes that it runs with."""

from __future__ import annotations

import hashlib
import ssl
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lab import containers, hub, inside, provision, state
from lab.breaks import service
from lab.breaks.model import Break, Scene, Step
from lab.model import HUB, MASTER, LabError

CONF = "/etc/jupyter/conf"
KEPT = f"{state.KEPT}/tls"
"""Where the master node, which has the hub's settings too, keeps the hub's own pair while another is shown."""
UP = """python3 -c '
import ssl, urllib.request
urllib.request.urlopen("https://127.0.0.1:9443/hub/api", timeout=2, context=ssl._create_unverified_context())'"""
START_LIMIT = 60.0
# The proxy takes its TLS from node, which has no setting of the hub's for it. OpenSSL 3 has the old versions at its lowest
# level of security only.
OLD_TLS = """import os
os.environ["NODE_OPTIONS"] = "--tls-min-v1.0"
c.ConfigurableHTTPProxy.command = ["configurable-http-proxy", "--ssl-ciphers=ALL:@SECLEVEL=0"]
"""
OTHER_CLASS = 'c.JupyterHub.authenticator_class = "jupyterhub.auth.LocalAuthenticator"\n'


def restart(scene: Scene) -> None:
    """Restart the hub in its running container, with its proxy, and wait until it answers, whatever it shows."""
    box = containers.found(scene.client, HUB)
    if box is None:
        raise LabError("the hub container is not there", then="python -m lab up")
    if not containers.wake(box):
        service.stop_hub(scene)
        inside.must(scene.client, HUB, f"rm -f {service.HOLD}")
    wait(scene)


def wait(scene: Scene) -> None:
    """Wait until the hub answers, whatever it shows."""
    deadline = time.monotonic() + START_LIMIT
    while inside.run(scene.client, HUB, UP).code:
        if time.monotonic() > deadline:
            raise LabError("the hub did not start again", then="python -m lab shell jupyterhub")
        time.sleep(0.2)


def settings(text: str) -> Step:
    """Return what adds lines to the hub's settings and restarts it."""

    def apply(scene: Scene) -> None:
        have = inside.must(scene.client, HUB, f"cat {CONF}/jupyterhub_config.py")
        if text not in have:
            inside.must(scene.client, HUB, f"cat >> {CONF}/jupyterhub_config.py", stdin=text)
            restart(scene)

    return apply


def mend_settings(scene: Scene) -> None:
    """Put the declared settings back, and restart the hub with them."""
    if inside.run(scene.client, HUB, f"cmp -s /opt/lab/etc/jupyterhub_config.py {CONF}/jupyterhub_config.py").code:
        provision.files(scene.client)
        restart(scene)


def shows(*, size: int = 2048, days: tuple[int, int] = (-1, 800), pinned: bool = True) -> Step:
    """Return what has the hub show a certificate of another key, or another time in days from now.

    `pinned`: the lab knows it, so that it differs in nothing but that.
    """

    def apply(scene: Scene) -> None:
        keep = f"[ -e {KEPT} ] || {{ install -d -m 700 {KEPT}.new && cp {CONF}/server.* {KEPT}.new && mv {KEPT}.new {KEPT}; }}"
        inside.must(scene.client, MASTER, keep)
        key, certificate = _pair(size, *days)
        _use(scene, key, certificate, pinned=pinned)

    return apply


def mend_certificate(scene: Scene) -> None:
    """Have the hub show its own certificate again; a new one where that is lost, which the lab then pins."""
    kept = [inside.run(scene.client, MASTER, f"cat {KEPT}/{name}") for name in ("server.key", "server.crt")]
    if all(one.out for one in kept):
        _use(scene, kept[0].out, kept[1].out, pinned=True)
        inside.must(scene.client, MASTER, f"rm -r {KEPT}")
    elif not hub.answers(scene.lab):
        _use(scene, *_pair(2048, -1, 800), pinned=True)


def _use(scene: Scene, key: str, certificate: str, *, pinned: bool) -> None:
    for name, text in (("server.key", key), ("server.crt", certificate)):
        inside.must(scene.client, MASTER, f"cat > {CONF}/{name}", stdin=text)
    if pinned:
        state.keep(scene.client, "server.crt", certificate.encode())
        fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()
        state.save(scene.client, replace(scene.lab, hub_fingerprint=fingerprint))
    restart(scene)


def _pair(size: int, begin: int, end: int) -> tuple[str, str]:
    """Return a key and a certificate as the image makes them, signed by itself, valid between two days from now."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(65537, size)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    more = [x509.DNSName("localhost"), x509.DNSName("emr-master"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=begin))
        .not_valid_after(now + timedelta(days=end))
        .add_extension(x509.SubjectAlternativeName(more), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), made.public_bytes(serialization.Encoding.PEM).decode()


def _shown(name: str, sentence: str, apply: Step, field: str) -> Break:
    return Break(name, sentence, "hub", "hub", apply, mend_certificate, field)


TABLE = (
    _shown("tls-expired", "the hub's certificate has expired", shows(days=(-90, -1)), "certificate_state"),
    _shown("tls-not-yet-valid", "the hub's certificate is not valid yet", shows(days=(1, 90)), "certificate_state"),
    _shown("tls-ending", "the hub's certificate ends within a week", shows(days=(-90, 7)), "certificate_left"),
    _shown("tls-weak-key", "the hub's certificate has a key of 1024 bits", shows(size=1024), "key_strength"),
    _shown("tls-other", "the hub shows a certificate that is not pinned", shows(pinned=False), "certificate_trusted"),
    Break("tls-old", "the hub accepts TLS 1.0", "hub", "hub", settings(OLD_TLS), mend_settings, "oldest_tls"),
    Break(
        "hub-authenticator",
        "another class lets people in",
        *("hub", "hub", settings(OTHER_CLASS), mend_settings, "authenticator"),
    ),
)
