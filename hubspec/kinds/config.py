"""What a configuration file of the hub, its servers or sparkmagic sets, read without running it."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints, field_validator

from hubspec.kind import REST, Kind, Observations, Undeclared
from hubspec.model import Absent, Action, Detail, Drift, IsSet, Observation, Pattern, Present, Resource, Unreadable
from hubspec.settings import LARGEST, Settings, in_order, is_secret_setting, read_json
from hubspec.settings_python import read_python

Path = Annotated[str, StringConstraints(pattern=r"^/[^\x00-\x1f\x7f]*$")]
_FIELD = "settings"


class Config(Resource):
    """A configuration file by its path: Python as Jupyter reads it, or JSON where its name ends with .json."""

    OPEN: ClassVar[frozenset[str]] = frozenset({_FIELD})

    name: Path
    settings: dict[str, Any] | None = Field(
        None,
        description="Setting -> value, {matches: REGEX}, {set: true} or {set: false}; null: it is not set. Only those named are compared.",
    )

    @field_validator("settings", mode="before")
    @classmethod
    def _forms(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        for name, one in value.items():
            if isinstance(name, str) and is_secret_setting(name) and one is not None and not _is_form(one, "set"):
                message = (
                    f"{name}: may hold a secret, which is never shown: write {{set: true}}, {{set: false}} or null"
                )
                raise ValueError(message)
        return {name: in_order(name, _form(one)) if isinstance(name, str) else one for name, one in value.items()}


def _is_form(value: Any, key: str) -> bool:
    return isinstance(value, IsSet) or (isinstance(value, dict) and set(value) == {key})


def _form(value: Any) -> Any:
    """Return a declared value with its value forms. Raises ValueError where it is none, or JSON has no such value."""
    if isinstance(value, dict):
        if len(value) > 1 and isinstance(value.get("set"), bool):  # a nearer layer says more than that it is set
            value = {key: one for key, one in value.items() if key != "set"}
        if set(value) == {"matches"}:
            return Pattern.model_validate(value)
        if set(value) == {"set"}:
            return IsSet.model_validate(value)
        return {str(key): _form(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_form(one) for one in value]
    if value is None or isinstance(value, bool | int | float | str | Pattern | IsSet):
        return value
    message = f"{value}: write it in quotes: no setting is a {type(value).__name__}"
    raise ValueError(message)


class UndeclaredSettings(Undeclared):
    """What to make of settings that the declared files make, and nobody declared."""

    forbid: list[str] | None = Field(
        None, description="Only these are drift, as shell patterns of names; without it every one that is not declared."
    )


def probe(declared: Iterable[Resource], _policy: Undeclared) -> str:
    """Return the script that reads the declared files, each as one line of base64."""
    names = " ".join(shlex.quote(file.name) for file in declared)
    if not names:
        return ":"
    return (
        f'for f in {names}; do if [ ! -e "$f" ]; then printf "m:%s\\n" "$f"; elif [ ! -f "$f" ]; then printf "x:%s\\n" "$f"; '
        f'else printf "t:%s:" "$f"; head -c {LARGEST + 1} -- "$f" | base64 -w 0 || exit 1; echo; fi; done'
    )


def parse(answer: str) -> Observations:
    """Return the declared files by path: `m:` missing, `x:` no file, `t:` its text. No secret in it comes any further."""
    files: Observations = {}
    more = []
    for line in answer.split("\n"):
        mark, _, rest = line.partition(":")
        if mark == "m":
            files[rest] = Absent()
        elif mark == "x":
            files[rest] = Unreadable("it is there, and no regular file")
        elif mark == "t":
            path, _, text = rest.rpartition(":")
            try:
                found = _read(path, base64.b64decode(text, validate=True))
            except ValueError as error:
                files[path] = Unreadable(f"{path} could not be understood: {error}")
                continue
            files[path] = _present(path, found)
            more += [f"{path}: {why}" for why in found.more[:1]]
    if more:
        files[REST] = Unreadable(f"what else is set is not known: {'; '.join(more)}")
    return files


def _read(path: str, raw: bytes) -> Settings:
    if len(raw) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not text in UTF-8") from None
    return read_json(text) if path.endswith(".json") else read_python(text)


def _present(path: str, found: Settings) -> Present:
    unread = {f"{_FIELD}.{name}": why for name, why in found.unread.items()}
    if found.more:
        unread[f"{_FIELD}.*"] = found.more[0]
    lines = "\n".join(f"line {line}: {name}" for name, line in found.lines.items())
    fields: dict[str, Any] = {_FIELD: found.values}
    details = (Detail(path, lines, _FIELD),) if lines else ()
    return Present(Config.model_construct({"name", *fields}, name=path, **fields), unread or None, details)


def undeclared(
    declared: Mapping[str, Resource], observed: Mapping[str, Observation], policy: Undeclared
) -> dict[str, Any]:
    """Return `PATH: SETTING` -> value, of what the declared files set, was not declared, and is forbidden or all is."""
    forbid = policy.forbid if isinstance(policy, UndeclaredSettings) else None
    found: dict[str, Any] = {}
    for path, seen in observed.items():
        if not isinstance(seen, Present):
            continue
        stated = (declared[path].stated().get(_FIELD) if path in declared else None) or {}
        settings: dict[str, Any] = dict(getattr(seen.resource, _FIELD, None) or {})
        by_code = {key.removeprefix(f"{_FIELD}."): "set by code" for key in seen.unread or {} if key != f"{_FIELD}.*"}
        for name, value in (settings | by_code).items():
            if name not in stated and (forbid is None or any(fnmatchcase(name, one) for one in forbid)):
                found[f"{path}: {name}"] = {"value": value}
    return found


_READ_AGAIN = {
    "jupyterhub_config.py": "the hub reads it at its start only, so restart the container then",
    "config.json": "sparkmagic reads it when a kernel starts",
}


def fix(drift: Drift) -> list[Action]:
    """Return what a person has to do: which settings, in which lines, and who must be started anew to read them."""
    path = drift.name
    if drift.expected.ensure == "absent":
        return [_do(f"see who reads {path}, then take it away", f"ls -l {shlex.quote(path)}")]
    if isinstance(drift.observed, Absent):
        return [
            _do(
                f"put {path} back from where it is kept; with a `source` in `files` that can be done for you",
                f"ls -l {shlex.quote(path)}",
            )
        ]
    lines = _lines(drift.observed)
    told = []
    for one in drift.differences:
        name = one.field.removeprefix(f"{_FIELD}.")
        setting = next((known for known in lines if name == known or name.startswith(f"{known}.")), None)
        where = f" (line {lines[setting]})" if setting else ""
        wanted = "nothing: take it out" if one.wanted is None else one.wanted
        told.append(f"{name}{where} to {wanted}")
    return [_do(f"set in {path}: {', '.join(told)}; {_again(path)}", f"vi {shlex.quote(path)}")]


def _lines(seen: Present) -> dict[str, str]:
    """Return setting -> line, from what the file says of itself."""
    told = [line.removeprefix("line ").partition(": ") for detail in seen.details for line in detail.text.split("\n")]
    return {name: number for number, _, name in told}


def _again(path: str) -> str:
    return _READ_AGAIN.get(path.rpartition("/")[2], "servers that run read it when they are started anew")


def forget(name: str) -> list[Action]:
    """Return what a person has to do about a setting that nobody declared."""
    path, _, setting = name.partition(": ")
    return [_do(f"take {setting} out of {path}, or declare it; {_again(path)}", f"vi {shlex.quote(path)}")]


def _do(sentence: str, command: str) -> Action:
    return Action(sentence=sentence, door="container", request=command, safety="manual")


KIND = Kind(
    name="config",
    section="configs",
    resource=Config,
    door="container",
    reads="the text of the declared configuration files, which is not run",
    probe=probe,
    parse=parse,
    fix=fix,
    undeclared=undeclared,
    forget=forget,
    policy=UndeclaredSettings,
    complete=False,
)
