"""A package in a conda environment of the container, installed by conda or by pip."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from pydantic import Field, StringConstraints, model_validator
from rattler import BuildString, MatchSpec, PackageRecord
from rattler.exceptions import InvalidMatchSpecError, InvalidVersionError

from hubspec.kind import Kind, Observations, Undeclared, beyond_declared
from hubspec.model import Observation, Present, Resource, Text
from hubspec.package_actions import PREFIX, fix, forget, spec, split
from hubspec.pins import read, wanted

PackageName = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_.-]+/)?(pip:)?[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Package(Resource):
    """A package by `[ENVIRONMENT/][pip:]NAME`; in YAML a text alone is its version."""

    name: PackageName
    version: str | None = Field(
        None,
        description="For conda a version of its MatchSpec (2.12.*, >=2,<3); for pip a version specifier (==1.5.*).",
    )
    build: str | None = Field(None, description="Build string or a glob of it (conda only).")
    channel: Text | None = Field(None, description="The channel it came from, as its record names it (conda only).")
    requested: bool | None = Field(None, description="True: a person asked for it by name; not just a dependency.")

    pinned: bool | str | None = Field(
        None,
        description="Held by the environment's conda-meta/pinned: true at the declared version (and build), or at this version; false: not held (conda only).",
    )

    @model_validator(mode="before")
    @classmethod
    def _text_is_version(cls, value: Any) -> Any:
        if isinstance(value, dict) and set(value) == {"name", "="}:
            return {"name": value["name"], "version": value["="]}
        return value

    @model_validator(mode="after")
    def _versions_parse(self) -> Package:
        pip = split(self.name)[1] == "pip"
        if pip and (self.build is not None or self.channel is not None or self.pinned is not None):
            message = "build, channel and pinned are conda's: a pip package has none of them"
            raise ValueError(message)
        if self.pinned is True and self.version is None:
            message = "pinned: true holds the declared version, and none is declared"
            raise ValueError(message)
        if isinstance(self.pinned, str) and _pin(self.pinned) is None:
            message = f"pinned: wanted true, false, or a version of conda, such as 2.12.*; found {self.pinned!r}"
            raise ValueError(message)
        try:
            if pip:
                SpecifierSet(self.version or "")
            elif any(character.isspace() for character in f"{self.version}{self.build}"):
                raise InvalidMatchSpecError("a blank separates version and build")
            else:
                MatchSpec(spec(self.name, self.version, self.build))
        except (InvalidSpecifier, InvalidMatchSpecError) as error:
            language = "pip version specifier, such as ==1.5.*" if pip else "conda version or build, such as >=2,<3"
            message = f"version {self.version!r}, build {self.build!r}: not a {language} ({error})"
            raise ValueError(message) from None
        return self

    @classmethod
    def canonical(cls, name: str) -> str:
        """Return the name as conda (lower case) or pip (PEP 503) writes it."""
        environment, manager, package = split(name)
        prefix = "" if environment == "base" else f"{environment}/"
        return prefix + (f"pip:{canonicalize_name(package)}" if manager == "pip" else package.lower())

    def accepts(self, field: str, found: Any) -> bool:
        """Compare `version`, `build` and `pinned` as the package's own manager does; the rest by value."""
        if field == "pinned":
            pin = wanted(self.stated())
            return found is pin or (isinstance(found, str) and pin is not None and _pin(found) == _pin(pin) is not None)
        if field not in {"version", "build"} or not isinstance(found, str):
            return super().accepts(field, found)
        _, manager, package = split(self.name)
        try:
            if manager == "pip":
                return SpecifierSet(self.version or "").contains(found, prereleases=True)
            version, build = (found, "0") if field == "version" else ("0", found)
            stated = {"version": None, "build": None, field: getattr(self, field)}
            record = PackageRecord(package, version, BuildString(build), 0, "noarch")
            return MatchSpec(spec(self.name, **stated)).matches(record)
        except (ValueError, InvalidVersionError):  # what was found is no version, or no build string
            return False


def _pin(text: str) -> str | None:
    """Return a pin as it is compared, however it is written; None where conda would not understand it."""
    try:
        return str(MatchSpec(f"x{text if text[:1] in '[=<>!~' else f' {text}'}")) if text.isprintable() else None
    except InvalidMatchSpecError:
        return None


# Names of files say name, version and build, so no record is opened but for two of its fields: they may be megabytes.
_SCRIPT = r"""
read_environment() {
  printf 'e:%s\n' "$1"
  ( cd "$1/conda-meta" && ls && grep -oHm1 '"requested_specs\{0,1\}": *\(\[ *\)\{0,1\}"[^"]\{1,\}"' -- *.json
    grep -oHm1 '"channel": *"[^"]*"' -- *.json; : ) | sed 's/^/c:/'
  [ ! -e "$1/conda-meta/pinned" ] || awk '{print "p:" $0}' "$1/conda-meta/pinned" || exit 1
  for d in "$1"/lib/python*/site-packages/*.dist-info "$1"/lib/python*/site-packages/*.egg-info; do
    [ -e "$d" ] || continue
    installer=; [ -f "$d/INSTALLER" ] && read -r installer < "$d/INSTALLER"
    asked=0; [ -f "$d/REQUESTED" ] && asked=1
    printf 'd:%s:%s:%s\n' "$asked" "$installer" "${d##*/}"
  done
}
"""


def probe(_declared: Iterable[Resource], _policy: Undeclared) -> str:
    """Return the script that lists what conda and pip installed in the base environment and in each below envs/."""
    prefix = shlex.quote(PREFIX)
    return (
        f"{_SCRIPT}[ -d {prefix}/conda-meta ] || {{ echo 'no conda environment at {PREFIX}' >&2; exit 1; }}\n"
        f'for e in {prefix} {prefix}/envs/*; do [ -d "$e/conda-meta" ] && read_environment "$e"; done; :\n'
    )


@dataclass
class _Environment:
    """The lines about one environment: conda's records by file name, pip's packages, and the pins."""

    prefix: str
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    pip: list[tuple[str, str, str]] = field(default_factory=list)
    pins: list[str] = field(default_factory=list)

    def take(self, mark: str, rest: str) -> None:
        """Take one line."""
        if mark == "c" and ".json" in rest:
            stem, _, text = rest.partition(".json")
            if stem.count("-") >= 2:
                self.records.setdefault(stem, {}).update(_record_field(text))
        elif mark == "p":
            self.pins.append(rest)
        elif mark == "d":
            self.pip.append(_pip_line(rest))

    def packages(self) -> Observations:
        """Return its packages by their whole names."""
        found: Observations = {}
        pins, of_conda = read(self.pins), set()
        for stem, fields in self.records.items():
            name, version, build = stem.rsplit("-", 2)
            of_conda.add((canonicalize_name(name), version))
            about = {"version": version, "build": build, "channel": None, "requested": False} | fields
            _add(found, self.prefix + name, about | ({"pinned": pins[name]} if name in pins else {}))
        for directory, installer, asked in self.pip:
            name, _, version = directory.partition("-")
            version = version.split("-py")[0]
            if installer != "conda" and (canonicalize_name(name), version) not in of_conda:
                fields = {"version": version, "requested": asked == "1"}
                _add(found, f"{self.prefix}pip:{canonicalize_name(name)}", fields)
        return found


def parse(answer: str) -> Observations:
    """Return every package by `[ENVIRONMENT/][pip:]NAME` from the probe's lines.

    They begin with `e:` environment, `c:` conda, `p:` a line of its pins, `d:` pip.
    """
    environments = [_Environment("")]
    for line in answer.split("\n"):
        mark, _, rest = line.partition(":")
        if mark == "e":
            environments.append(_Environment("" if rest == PREFIX else rest.rpartition("/")[2] + "/"))
        else:
            environments[-1].take(mark, rest)
    return {name: seen for environment in environments for name, seen in environment.packages().items()}


def _pip_line(rest: str) -> tuple[str, str, str]:
    asked, *others = rest.split(":", 2)
    if len(others) < 2:
        message = f"the list of pip's packages has a line that is none: {rest!r}"
        raise ValueError(message)
    installer, directory = others
    return directory.removesuffix(".dist-info").removesuffix(".egg-info"), installer, asked


def _record_field(text: str) -> dict[str, Any]:
    key, _, value = text.lstrip(":").partition(":")
    value = value.strip().strip("[").strip().strip('"')
    if key.startswith('"requested_spec'):
        return {"requested": value not in {"", "None"}}
    return {"channel": value} if key == '"channel"' else {}


def _add(packages: Observations, name: str, fields: dict[str, Any]) -> None:
    packages[name] = Present(Package.model_construct({"name", *fields}, name=name, **fields))


def undeclared(
    declared: Mapping[str, Resource], observed: Mapping[str, Observation], policy: Undeclared
) -> dict[str, Any]:
    """Return the packages that a person asked for and nobody declared; dependencies are no drift."""
    return {name: seen for name, seen in beyond_declared(declared, observed, policy).items() if seen["requested"]}


KIND = Kind(
    name="package",
    section="packages",
    resource=Package,
    door="container",
    reads=f"conda-meta (pins too) and site-packages of {PREFIX} and its environments",
    probe=probe,
    parse=parse,
    fix=fix,
    undeclared=undeclared,
    forget=forget,
)
