"""The verdict on a hub's certificate: whether it is believed, why not, and the line that would pin it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubspec import certificate
from hubspec.doctor.model import Finding, fails, mind, works
from hubspec.model import Unreadable

ROW = "hub.tls"


def verdict(shown: Mapping[str, Any], pinned: str | None, ca_file: str | None, *, insecure: bool) -> Finding:
    """Return what is said of what handshakes showed (`cluster/tls.py`)."""
    if shown["pem"] is None:
        return mind(ROW, "the address is http: the token and every answer are open to whoever is on the way")
    try:
        about, _ = certificate.read(shown["pem"], shown["host"], shown["now"])
    except ValueError as error:
        return fails(ROW, f"the certificate is not understood ({error})")
    if insecure:
        told = f"any certificate is believed (--insecure); this one is {_reason(about, shown['host'])}"
        return mind(ROW, told, f"--hub-fingerprint {about.get('certificate_fingerprint')}")
    if isinstance(shown["trusted"], Unreadable):
        return fails(ROW, shown["trusted"].reason)
    return _believed(shown, about, pinned, ca_file)


def _believed(shown: Mapping[str, Any], about: Mapping[str, Any], pinned: str | None, ca_file: str | None) -> Finding:
    fingerprint = about.get("certificate_fingerprint", "")
    if shown["trusted"]:
        by = "it is the pinned one" if pinned else f"{ca_file or 'a CA of this machine'} signed it"
        return works(ROW, f"{by}; {about.get('certificate_left', 'no time')} left")
    if pinned:
        told = f"the certificate is not the pinned one: it has SHA-256 {fingerprint}"
        return fails(ROW, told, f"find out who changed it; then --hub-fingerprint {fingerprint}")
    told = f"the certificate is not believed: it is {_reason(about, shown['host'])}; SHA-256 {fingerprint}"
    return fails(ROW, told, _pin(fingerprint))


def _reason(about: Mapping[str, Any], host: str) -> str:
    if about.get("certificate_state") != "valid":
        return str(about.get("certificate_state"))
    if about.get("certificate_self_signed"):
        return "self-signed"
    if not about.get("certificate_fits"):
        names = ", ".join(about.get("certificate_names", [])) or "nobody"
        return f"made out to {names}, and not to {host}"
    return f"signed by {about.get('certificate_issuer', '?')}"


def _pin(fingerprint: str) -> str:
    return (
        f"--hub-fingerprint {fingerprint}, once it is the same on the master node: sudo openssl x509 -in"
        " /etc/jupyter/conf/server.crt -noout -fingerprint -sha256; or name its CA with --hub-ca FILE"
    )
