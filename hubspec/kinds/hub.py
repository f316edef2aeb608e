"""The hub itself: its version, who lets people in and starts their servers, and what it shows on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, Field, StringConstraints

from hubspec import certificate
from hubspec.kind import Kind, Observations, Undeclared
from hubspec.model import Action, AtLeast, AtLeastNumber, Detail, Drift, Present, Resource, Text, Unreadable

NAME = "hub"
ABOUT, INFO, WIRE = "/", "/info", "certificate"
"""What is asked: what it tells everybody, what it tells an admin, and the handshakes."""


def _specifiers(text: str) -> SpecifierSet:
    try:
        return SpecifierSet(f"=={Version(text)}")
    except InvalidVersion:
        return SpecifierSet(text)


def _comparable(text: str) -> str:
    try:
        _specifiers(text)
    except InvalidSpecifier:
        message = f"{text!r} is neither a version, such as 1.5.0, nor a specifier of versions, such as >=1.5,<2"
        raise ValueError(message) from None
    return text


def _hex(text: str) -> str:
    return text.replace(":", "").lower()


Fingerprint = Annotated[str, StringConstraints(pattern=r"^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$"), AfterValidator(_hex)]


class Hub(Resource):
    """The hub (JupyterHub 0.8 and later): its REST API, and what its address shows in a TLS handshake."""

    UNORDERED: ClassVar[frozenset[str]] = frozenset({"certificate_names"})

    version: Annotated[str, AfterValidator(_comparable)] | None = Field(
        None, description="Version of JupyterHub: 1.5.0, or a version specifier: >=1.5,<2."
    )
    authenticator: Text | None = Field(None, description="Class that lets people in: jupyterhub.auth.PAMAuthenticator.")
    spawner: Text | None = Field(
        None, description="Class that starts their servers: jupyterhub.spawner.LocalProcessSpawner."
    )
    certificate_state: Literal["valid", "expired", "not yet valid"] | None = Field(
        None, description="valid, expired or not yet valid; of a hub without TLS, every field from here on is null."
    )
    certificate_left: AtLeast | None = Field(None, description="Time until it ends: {at_least: 30d}.")
    certificate_names: list[str] | None = Field(
        None, description="All its subject alternative names (DNS and addresses), its common name where it has none."
    )
    certificate_fits: bool | None = Field(
        None, description="The host of the hub's address is one of its subject alternative names."
    )
    certificate_issuer: Text | None = Field(None, description="Who issued it (RFC 4514): CN=Some CA,O=Example.")
    certificate_self_signed: bool | None = Field(None, description="Its own key signed it.")
    certificate_trusted: bool | None = Field(
        None,
        description="It is the one of --hub-fingerprint; without that option, a CA of --hub-ca or of the system signed it"
        " for this host.",
    )
    certificate_fingerprint: Fingerprint | None = Field(None, description="Its SHA-256, in hex.")
    key: Text | None = Field(None, description="Its key: RSA 2048, EC secp256r1, Ed25519.")
    key_strength: AtLeastNumber | None = Field(
        None,
        description="Security strength of the key in bits (NIST SP 800-57, table 2): {at_least: 112}. RSA 2048 has 112, RSA"
        " 3072 and EC secp256r1 have 128, RSA 1024 has 80.",
    )
    oldest_tls: Text | None = Field(
        None, description="The oldest version of TLS that it still accepts, in quotes: '1.2', {matches: '1\\.[23]'}."
    )

    def accepts(self, field: str, found: Any) -> bool:
        """Compare versions as pip does."""
        if field == "version" and self.version is not None and isinstance(found, str):
            try:
                return _specifiers(self.version).contains(found, prereleases=True)
            except ValueError:  # what was found is no version
                return False
        return super().accepts(field, found)


_TOLD = ("authenticator", "spawner")
_SHOWN = (*certificate.FIELDS, "certificate_trusted", "oldest_tls")


def probe(declared: Iterable[Resource], _policy: Undeclared) -> str:
    """Return what the declared fields need: the version always, an admin's answer or handshakes only for theirs."""
    stated = {field for resource in declared for field in resource.stated()}
    return " ".join([ABOUT, *([INFO] if stated & {*_TOLD} else []), *([WIRE] if stated & {*_SHOWN} else [])])


def parse(answers: Mapping[str, Any]) -> Observations:
    """Return the one hub, from what it tells everybody, what it tells an admin, and its handshakes.

    A field whose answer is missing, was refused or is not understood is unread, with the reason.
    """
    fields: dict[str, Any] = {}
    unread: dict[str, str] = {}
    about, info = answers.get(ABOUT, _NOT_ASKED), answers.get(INFO, _NOT_ASKED)
    for field, answer in (("version", about), *((field, info) for field in _TOLD)):
        value = answer.get(field) if isinstance(answer, Mapping) else None
        name = value.get("class") if isinstance(value, Mapping) else value
        if isinstance(answer, Unreadable):
            unread[field] = answer.reason
        elif isinstance(name, str):
            fields[field] = name
        else:
            unread[field] = f"the hub does not tell it: {str(answer)[:80]!r}"
    shown = answers.get(WIRE, _NOT_ASKED)
    if isinstance(shown, Unreadable):
        unread |= dict.fromkeys(_SHOWN, shown.reason)
        shown = {"pem": None}
    elif shown["pem"] is None:
        fields |= dict.fromkeys(_SHOWN)
    else:
        for field, key in (("certificate_trusted", "trusted"), ("oldest_tls", "oldest_tls")):
            (unread if isinstance(shown[key], Unreadable) else fields)[field] = getattr(
                shown[key], "reason", shown[key]
            )
    details = _certificate(shown, fields, unread) if shown["pem"] is not None else ()
    return {NAME: Present(Hub.model_construct({"name", *fields}, name=NAME, **fields), unread or None, details)}


_NOT_ASKED = Unreadable("not asked for: the baseline of that look did not declare it; look again with this one")


def _certificate(shown: Mapping[str, Any], fields: dict[str, Any], unread: dict[str, str]) -> tuple[Detail, ...]:
    """Add what the certificate says to the fields, and return what a person would ask of it."""
    try:
        read, missing = certificate.read(shown["pem"], shown["host"], shown["now"])
        details = (Detail("certificate", certificate.told(shown["pem"])),)
    except ValueError as error:
        unread |= dict.fromkeys(certificate.FIELDS, f"what is shown there is no certificate ({str(error)[:80]})")
        return ()
    fields |= read
    unread |= missing
    return details


def fix(drift: Drift) -> list[Action]:
    """Return what a person would do, for each part that differs: all of it is settled when the hub starts."""
    found = {one.field for one in drift.differences}
    return [action for fields, action in _MANUAL if found & fields]


def _do(sentence: str, request: str, door: Literal["engine", "container"] = "engine") -> Action:
    return Action(sentence=sentence, door=door, request=request, safety="manual")


_RESTART = "docker restart jupyterhub"
_CONFIG = "/etc/jupyter/conf/jupyterhub_config.py"
_MANUAL: tuple[tuple[set[str], Action], ...] = (
    (
        {"version", "ensure"},
        _do(
            "the hub's version comes with the EMR release: launch on a release that has the declared one",
            "aws emr create-cluster --release-label RELEASE ...",
        ),
    ),
    (
        {*_TOLD},
        _do(
            f"put c.JupyterHub.authenticator_class and spawner_class in {_CONFIG} right, the last line counts, then restart"
            " the container",
            _RESTART,
        ),
    ),
    (
        {"certificate_trusted", "certificate_fingerprint", "certificate_issuer"},
        _do(
            "find out who changed the hub's certificate, and whether what stands there is the hub; only then pin the new one",
            "openssl x509 -noout -subject -issuer -dates -fingerprint -sha256 -in /etc/jupyter/conf/server.crt",
            "container",
        ),
    ),
    (
        {*certificate.FIELDS, "certificate_trusted"} - {"certificate_fingerprint", "certificate_issuer"},
        _do(
            "put a key and a certificate that are as declared in place of server.key (mode 0600) and server.crt in"
            " /etc/jupyter/conf, then restart the container",
            _RESTART,
        ),
    ),
    (
        {"oldest_tls"},
        _do(
            f"take out of {_CONFIG} what allows another TLS (NODE_OPTIONS, options of c.ConfigurableHTTPProxy.command),"
            " then restart the container",
            _RESTART,
        ),
    ),
)
"""Fields -> what puts them right."""


KIND = Kind(
    name="hub",
    section="hub",
    resource=Hub,
    door="hub",
    reads="GET /hub/api, GET /hub/api/info, and TLS handshakes with the hub's address",
    probe=probe,
    parse=parse,
    fix=fix,
    single=NAME,
    scopes=lambda stated: ["read:hub"] if stated & {*_TOLD} else [],
    parts=True,
    listed=False,
)
