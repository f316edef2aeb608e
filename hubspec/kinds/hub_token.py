"""An API token of the hub: who may ask it for what, without a password, and until when."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import Field

from hubspec.duration import Duration, seconds, words
from hubspec.hub_path import API, hub_path
from hubspec.kind import REST, Kind, Observations, Undeclared
from hubspec.model import (
    Absent,
    Action,
    AtMost,
    Drift,
    Limit,
    NotApplicable,
    Observation,
    Pattern,
    Present,
    Resource,
    Text,
)
from hubspec.token_probe import script

SERVICE = "service:"
_FROM_CONFIG, _AT_STARTUP, _OF_A_SERVER = "from config", "generated at startup", "Server at "
"""The notes that the hub itself gives (JupyterHub 0.9 to 5.4, `app.py` and `user.py`)."""


class HubToken(Resource):
    """An API token (JupyterHub 0.9 and later), declared as OWNER/NOTE: all tokens of that owner and note are meant.

    What was seen is named OWNER/NOTE (ID). A service's is service:NAME/NOTE. Tokens that end by themselves are gone
    when they have; those of browser sessions, of running servers, and those that the hub makes for its own services
    at each start are none of these.
    """

    SELECTORS: ClassVar[frozenset[str]] = frozenset({"named"})
    UNORDERED: ClassVar[frozenset[str]] = frozenset({"scopes"})

    named: Text | None = Field(None, description="OWNER/NOTE, where the key here is not that; may be a pattern.")
    expires: bool | None = Field(None, description="It ends by itself.")
    left: Limit | None = Field(
        None, description="Time until it ends: {at_most: 90d}, {at_least: 7d}; null: it never does."
    )
    idle: AtMost | None = Field(None, description="Time since it was used last, or was made where it never was.")
    age: AtMost | None = Field(None, description="Time since it was made.")
    scopes: list[str] | None = Field(
        None, description="All its scopes; before JupyterHub 2.0 always [inherit]: whatever its owner may do."
    )

    @classmethod
    def canonical(cls, name: str) -> str:
        """Return the name with its owner as the hub keeps it, in lower case; a service's is left as it is."""
        owner, slash, note = name.partition("/")
        return name if name.startswith(SERVICE) else f"{owner.lower()}{slash}{note}"


class UndeclaredHubTokens(Undeclared):
    """Which tokens that nobody declared are drift: without any of the three rules, all of them."""

    eternal: bool = Field(
        default=False, description="True: none may be without an end, but a service's, which its settings keep."
    )
    idle_over: Duration | None = Field(None, description="None may be unused for longer than this: 90d.")
    owners: list[str] | None = Field(None, description="Each belongs to one of these, as shell patterns.")


def parse(answer: str) -> Observations:
    """Return the tokens by OWNER/NOTE (ID), oldest first, from the probe's JSON: `now` (epoch), `tokens`, `servers`.

    Rows are as the hub's tables have them: api_tokens (JupyterHub 0.9 to 5.4), times in UTC without a zone. One that
    has ended is left out. Of a hub that notes nothing of a token none can be told. Raises ValueError where it is no such JSON.
    """
    try:
        return _tokens(json.loads(answer))
    except (LookupError, TypeError, AttributeError, OverflowError) as error:
        message = f"it is not the JSON of the probe ({type(error).__name__})"
        raise ValueError(message) from None


def _tokens(told: Any) -> Observations:
    if told == {"unnoted": True}:
        return {REST: NotApplicable(_UNNOTED)}
    now = datetime.fromtimestamp(told["now"], UTC)
    rows = [row for row in told["tokens"] if row[1] or row[2]]  # one without an owner opens nothing
    not_people = set(_of_servers(rows, told["servers"])) | {row[0] for row in rows if row[2] and row[3] == _AT_STARTUP}
    tokens: Observations = {}
    for row in rows:
        id_, user, service, note, made, used, ends, scopes = row
        if id_ in not_people or (ends and _time(ends) <= now):
            continue
        owner = (user if user is not None else f"{SERVICE}{service}").replace("%", "%25").replace("/", "%2f")
        age = now - _time(made) if made else None
        idle = now - _time(used) if used else age
        fields: dict[str, Any] = {
            "expires": bool(ends),
            "left": words((_time(ends) - now).total_seconds()) if ends else None,
            "idle": words(idle.total_seconds()) if idle is not None else None,
            "age": words(age.total_seconds()) if age is not None else None,
            "scopes": sorted({one for line in (scopes or '["inherit"]').split("\n") for one in json.loads(line)}),
        }
        unread = {name: _OLD for name in ("idle", "age") if fields[name] is None}
        name = f"{owner}/{note or ''} (a{id_})"
        tokens[name] = Present(HubToken.model_construct({"name", *fields}, name=name, **fields), unread or None)
    return tokens


_UNNOTED = "this hub keeps neither note nor age of a token (JupyterHub before 0.9: EMR before 5.19)"
_OLD = "it was made before JupyterHub 0.9, which did not note when"


def _time(value: str) -> datetime:
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def _of_servers(rows: list[list[Any]], servers: list[list[Any]]) -> Iterator[int]:
    """Yield the id of the token that each running server has: the newest of its note made before it was started.

    Anybody can give a token that note, so of several just one is the server's. While it starts, `started` is that of
    the time before; then the oldest counts.
    """
    for user, base, started in servers:
        noted = [row for row in rows if row[1] == user and row[3] == f"{_OF_A_SERVER}{base}"]
        before = [row for row in noted if row[4] and started and row[4] <= started]
        yield from [row[0] for row in (before[-1:] or noted[:1])]


def _name(key: str) -> str:
    return key.rpartition(" (")[0]


def _meant(wanted: str | Pattern, name: str) -> bool:
    return re.fullmatch(wanted.matches, name) is not None if isinstance(wanted, Pattern) else wanted == name


def find(resource: Resource, observed: Observations) -> dict[str, Observation]:
    """Return every token of the declared owner and note, each under its own name; a forgotten older one counts too."""
    assert isinstance(resource, HubToken)
    wanted = resource.named or resource.name
    mine = {key: seen for key, seen in observed.items() if _meant(wanted, _name(key))}
    return {"": next(iter(mine.values()))} if len(mine) == 1 else mine


def undeclared(
    declared: Mapping[str, Resource], observed: Mapping[str, Observation], policy: Undeclared
) -> dict[str, Any]:
    """Return the tokens that no declared one is about, and that break a rule of the policy; all where it has none."""
    assert isinstance(policy, UndeclaredHubTokens)
    wanted = [one.named or one.name for one in declared.values() if isinstance(one, HubToken)]
    extra = {}
    for key, seen in observed.items():
        name = _name(key)
        if not isinstance(seen, Present) or any(_meant(one, name) for one in wanted):
            continue
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in policy.ignore):
            continue
        token = seen.resource.stated()
        broken = list(_broken(name.partition("/")[0], token, policy))
        if broken:
            extra[key] = {"expires": token["expires"], "idle": token["idle"], "rule": "; ".join(broken)}
    return extra


def _broken(owner: str, token: Mapping[str, Any], policy: UndeclaredHubTokens) -> Iterator[str]:
    if not policy.eternal and policy.idle_over is None and policy.owners is None:
        yield "not declared"
    if policy.eternal and not token["expires"] and not owner.startswith(SERVICE):
        yield "never ends"
    if policy.idle_over and token["idle"] and seconds(token["idle"]) > seconds(policy.idle_over):
        yield f"unused for {token['idle']}, more than {policy.idle_over}"
    if policy.owners is not None and not any(fnmatch.fnmatchcase(owner, one) for one in policy.owners):
        yield f"{owner} is not among those who may have one"


def fix(drift: Drift) -> list[Action]:
    """Return what revokes a token that must not be there. To make one is for a person: somebody has to be given it."""
    token, seen = drift.expected, drift.observed
    assert isinstance(token, HubToken)
    if isinstance(seen, Absent):
        wanted = token.named or token.name
        owner, _, note = wanted.partition("/") if isinstance(wanted, str) else ("NAME", "", "NOTE")
        life = seconds(token.left.at_most) if isinstance(token.left, AtMost) else "SECONDS"
        body = json.dumps({"note": note, "expires_in": life})
        request = f"POST {API}{hub_path('users', _owner(owner), 'tokens')} {body}"
        return [_do(f"make the token {wanted}, and hand it to whoever uses it", request, "manual")]
    if token.ensure == "absent":
        return forget(seen.resource.name)
    sentence = f"make one that is as declared in place of {seen.resource.name}, hand it on, then revoke the old one"
    return [_do(sentence, action.request, "manual") for action in forget(seen.resource.name)]


def forget(name: str) -> list[Action]:
    """Return what revokes a token; one that the hub's settings bring is back at its next start, so a person decides."""
    owner, _, note = _name(name).partition("/")
    id_ = name.rpartition(" (")[2].rstrip(")")
    if owner.startswith(SERVICE):
        sentence = f"take the token {name} out of the hub's settings, or the service with it, and restart the hub"
        return [_do(sentence, f"GET {API}{hub_path('services', _owner(owner.removeprefix(SERVICE)))}", "manual")]
    request = f"DELETE {API}{hub_path('users', _owner(owner), 'tokens', id_)}"
    if note == _FROM_CONFIG:
        return [_do(f"take the token {name} out of c.JupyterHub.api_tokens, then revoke it", request, "manual")]
    return [_do(f"revoke the token {name}", request, "unsafe")]


def _owner(written: str) -> str:
    return written.replace("%2f", "/").replace("%25", "%")


def _do(sentence: str, request: str, safety: Any) -> Action:
    return Action(sentence=sentence, door="hub", request=request, safety=safety)


KIND = Kind(
    name="hub_token",
    section="hub_tokens",
    resource=HubToken,
    door="container",
    reads="the hub's database, read-only: owner, note, times and scopes of each API token",
    probe=lambda _declared, _policy: script(),
    parse=parse,
    fix=fix,
    find=find,
    undeclared=undeclared,
    policy=UndeclaredHubTokens,
    forget=forget,
    smoke=(
        *("no-token", "wrong-token", "revoked-token", "expired-token"),
        *("token-of-no-admin", "token-of-too-few-scopes", "token-of-an-admin"),
    ),
)
