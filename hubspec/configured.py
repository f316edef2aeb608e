"""A file of settings: `[tool.hubspec]` of a pyproject.toml, or hubspec.toml, checked whole before anything is done with it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from hubspec.cluster.options import DOORS, SWITCHES, Layer
from hubspec.errors import SettingsError
from hubspec.faults import nearest
from hubspec.masked import IN_URL, is_secret, masked, secret_in_url
from hubspec.printable import printable
from hubspec.unknown import variables

RUN = {
    "--baseline": "YAML file that says what the cluster ought to be (default: baselines/lab.yaml, else baselines/emr.yaml)",
    "--smoke-deadline": "seconds that one smoke test may take, with its wait for logs (default: 900)",
    "--scratch": "s3://BUCKET/PREFIX/ where a smoke test may put its script (default: hubspec/ below the cluster's log URI)",
    "--waivers": "YAML file of accepted drifts, beside those of the baseline",
    "--snapshot": "audit this saved snapshot, and look at no cluster",
    "--save-snapshot": "write what was seen to this file",
    "--remediate": "plan: print what would be changed; safe or unsafe: change it, look again, and assert then; FILE: carry out that plan",
    "--via": "how drift is put right in the container and the hub: docker (default), or step, an EMR step",
    "--sign-key": "private SSH key, or the public half of one in the agent, that signs the report",
    "--report": "formats of the report, with commas",
    "--history": "where each run leaves a file, to compare the next one with: a folder, s3://BUCKET/PREFIX/, or none"
    " (default: history/ in --results or else in the folder of the reports; none with --snapshot)",
    "--history-keep": "how many runs of the same clusters stay in the history (90), or for how many days (90d); default: all",
    "--history-kms-key": "KMS key for a history in S3 (default: encrypted with S3's own)",
    "--results": "where the report, the records and the history of a run go together at its end: a folder, or s3://BUCKET/PREFIX/",
    "--results-kms-key": "KMS key for results in S3 (default: encrypted with S3's own)",
    "--results-deadline": "seconds that bringing the results to their place may take (default: 600)",
    "--fail-on": "which drift fails the run: any (default), new, or low, medium, high, critical and what is worse",
    "--notify": "file of Apprise with the addresses of those who are told how a run ended; HUBSPEC_NOTIFY_URLS holds addresses themselves",
    "--notify-on": "when they are told, with commas: new, fixed, blind (could not look), always, never (default: new,fixed,blind)",
    "--notify-deadline": "seconds that telling them may take (default: 30)",
    "--report-link": "address of the report for the message; {run} in it is the id of the run, {name} that of its folder in --results",
    "--metrics": "file that gets the figures of the run for Prometheus, as node_exporter's textfile collector reads them",
    "--reports": "folder of the reports; this run's are in its latest/ (default: reports)",
}
"""Option -> its help, of each that takes a text and is not about the doors of a cluster."""
LISTS = ("--cluster", "--region", "--checks")
"""Options that may be repeated."""
FLEET = ("--engine", "--workers", "--shard", "--audit-deadline", "--tries", "--pace")
"""Options that `python -m hubspec fleet` has besides; an audit passes over them."""
_PATHS = {"--baseline", "--snapshot", "--save-snapshot", "--reports", "--ssh-key", "--ssh-config", "--sudo-password-file",
          "--hub-token-file", "--hub-ca", "--waivers", "--sign-key", "--checks", "--notify", "--metrics"}  # fmt: skip
"""Those that name a file or a folder: in a file it is meant from where that file is."""
_PLACES = {"--history", "--results"}
"""Those that name a folder, or s3://BUCKET/PREFIX/."""
_NUMBERS = {
    "--deadline",
    "--step-limit",
    "--smoke-deadline",
    "--notify-deadline",
    "--results-deadline",
    "--workers",
    "--audit-deadline",
    "--tries",
    "--pace",
}
_OF_A_RUN = {*LISTS, "--smoke", "--fail-on-fixed", *RUN, *FLEET} - {
    "--baseline",
    "--waivers",
    "--scratch",
    "--via",
    "--smoke-deadline",
}
"""Those that are about a run, and not about one of its clusters."""
_SECRETS = {
    "hub-token": "HUBSPEC_HUB_TOKEN, or hub-token-file",
    "notify-urls": "HUBSPEC_NOTIFY_URLS, or a file that notify names",
    "sudo-password": "HUBSPEC_SUDO_PASSWORD, or sudo-password-file",
}
_MATCH = re.compile(r"lab|j-[A-Z0-9*?\[\]!-]*|name:.+|tag:.+?=.*|ssh://.+", re.DOTALL)
NAME, TABLE = "hubspec.toml", "pyproject.toml"


@dataclass(frozen=True)
class ClusterTable:
    """Settings for the clusters that one of its patterns is about."""

    patterns: tuple[str, ...]
    layer: Layer

    def fits(self, cluster: str, called: str, tags: Mapping[str, str]) -> bool:
        """Say whether it is about a cluster, by its id or address, its name and its tags."""
        return any(_fits(pattern, cluster, called, tags) for pattern in self.patterns)


@dataclass(frozen=True)
class Configured:
    """The settings of a file, and those for some of the clusters."""

    layer: Layer
    tables: tuple[ClusterTable, ...] = ()

    @property
    def asks(self) -> frozenset[str]:
        """Return what has to be known of a cluster to find its tables: name, tag."""
        words = {pattern.partition(":")[0] for table in self.tables for pattern in table.patterns}
        return frozenset(words & {"name", "tag"})

    def layers(self, cluster: str, called: str, tags: Mapping[str, str]) -> tuple[Layer, ...]:
        """Return the settings of its tables for a cluster; the last table counts first."""
        return tuple(table.layer for table in reversed(self.tables) if table.fits(cluster, called, tags))


def configured(folder: Path, named: str | None, environment: Mapping[str, str] | None = None) -> Configured:
    """Return the settings of the file that is named, or else of the one in the folder; none where there is none.

    Raises SettingsError with every fault, those of the variables too that are given.
    """
    faults = list(variables(environment or {}, _KNOWN))
    try:
        read = _found(folder, named)
    except SettingsError as error:
        faults += error.faults
    if faults:
        raise SettingsError(faults)
    return read


def _found(folder: Path, named: str | None) -> Configured:
    if named:
        found = folder / Path(named).expanduser()
        return _read(found, printable(found.name), must=True)
    for name in (NAME, TABLE):
        if (folder / name).is_file():
            read = _read(folder / name, name)
            if read.layer.source:
                return read
    return Configured(Layer("", {}))


def _read(path: Path, said: str, *, must: bool = False) -> Configured:
    try:
        data: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{said}: cannot be read: {error}"]) from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise SettingsError([f"{said}: is no TOML: {str(error) or 'it is nested too deep'}"]) from None
    if path.name == TABLE:
        tool = data.get("tool")
        data = tool.get("hubspec") if isinstance(tool, dict) else None
        if data is None and not must:
            return Configured(Layer("", {}))
        said = f"{said} [tool.hubspec]"
        if not isinstance(data, dict):
            raise SettingsError([f"{said}: there is no such table"])
    return _Reader(path.resolve().parent, said).all(data)


@dataclass
class _Reader:
    folder: Path
    said: str
    faults: list[str] = field(default_factory=list)

    def all(self, data: Mapping[str, Any]) -> Configured:
        own = {key: value for key, value in data.items() if key != "clusters"}
        layer = Layer(self.said, self.values(own, "", _KNOWN))
        tables = self.tables(data.get("clusters", []))
        if self.faults:
            raise SettingsError(self.faults)
        return Configured(layer, tables)

    def tables(self, data: Any) -> tuple[ClusterTable, ...]:
        if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
            self.faults.append(f"{self.said}: clusters: wanted tables, [[clusters]]; found {_sort(data)}")
            return ()
        tables = []
        for number, one in enumerate(data, 1):
            where = f"clusters[{number}]."
            match = one.get("match")
            patterns = match if isinstance(match, list) else [match]
            if not patterns or not all(isinstance(word, str) and _MATCH.fullmatch(word) for word in patterns):
                self.faults.append(
                    f"{self.said}: {where}match: wanted an id (j-*), name:PATTERN, tag:KEY=PATTERN, ssh://HOST or lab, or a list of them"
                )
                continue
            values = self.values({key: value for key, value in one.items() if key != "match"}, where, _OF_A_CLUSTER)
            if any(map(secret_in_url, patterns)):
                self.faults.append(f"{self.said}: {where}match: {IN_URL}")
            told = printable(", ".join(map(masked, patterns)))
            tables.append(ClusterTable(tuple(patterns), Layer(f"{self.said}, {told}", values)))
        return tuple(tables)

    def values(self, data: Mapping[str, Any], where: str, known: Mapping[str, str]) -> dict[str, str | list[str]]:
        values: dict[str, str | list[str]] = {}
        for key, value in data.items():
            if key in known:
                try:
                    values[f"--{key}"] = self.value(f"--{key}", known[key], value)
                except ValueError as error:
                    self.faults.append(f"{self.said}: {where}{key}: {error}")
            else:
                self.faults.append(f"{self.said}: {where}{printable(masked(key))}: {_unknown(key, known)}")
        return values

    def value(self, option: str, sort: str, value: Any) -> str | list[str]:
        if sort == "switch" and isinstance(value, bool):
            return "1" if value else "0"
        if sort == "number" and isinstance(value, int | float) and not isinstance(value, bool):
            return f"{value}"
        if sort == "smoke" and isinstance(value, bool):
            return "1" if value else ""
        many = [value] if isinstance(value, str) else value
        if sort in {"list", "smoke", "words"} and isinstance(many, list) and all(isinstance(one, str) for one in many):
            if any(map(secret_in_url, many)):
                raise ValueError(IN_URL)
            named = [str(self.folder / Path(one).expanduser()) for one in many] if option in _PATHS else many
            return named if sort == "list" else ",".join(named)
        if option == "--history-keep" and isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if sort == "text" and isinstance(value, str):
            if option == "--hub-url" and re.match(r"[a-z]+://[^/]*@", value):
                raise ValueError("holds a name or a password; hubspec needs a token alone")
            if secret_in_url(value):
                raise ValueError(IN_URL)
            place = option in _PATHS or (option in _PLACES and value != "none" and "://" not in value)
            return str(self.folder / Path(value).expanduser()) if place and value else value
        raise ValueError(f"wanted {_WANTED[sort]}; found {_sort(value)}")


def _unknown(key: str, known: Mapping[str, str]) -> str:
    plain = key.replace("_", "-").lower()
    if plain in _SECRETS:
        return f"a secret does not belong into a file of settings; use {_SECRETS[plain]}"
    if plain not in known and is_secret(plain):
        return "this looks like a secret, which does not belong into a file of settings; take it out, and make it a new one where others have seen it"
    if f"--{key}" in _OF_A_RUN:
        return "is about a whole run, and cannot be said of some of its clusters"
    return f"unknown setting; {nearest(key, known)}"


def _fits(pattern: str, cluster: str, called: str, tags: Mapping[str, str]) -> bool:
    if pattern.startswith("name:"):
        return bool(called) and _like(called, pattern.removeprefix("name:"))
    if pattern.startswith("tag:"):
        key, _, value = pattern.removeprefix("tag:").partition("=")
        return key in tags and _like(tags[key], value)
    return _like(cluster, pattern)


def _like(text: str, pattern: str) -> bool:
    return text == pattern or fnmatchcase(text, pattern)


def _sort(value: Any) -> str:
    """Return what a value is, and never what it says."""
    words = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "a table"}
    return words.get(type(value), "a date or time")


_WANTED = {
    "text": "text, in quotes",
    "number": "a number",
    "switch": "true or false",
    "list": "a list of texts",
    "smoke": "true, or a list of names",
    "words": "a list of names",
}
_KNOWN = {
    **{option[2:]: "number" if option in _NUMBERS else "text" for option in (*RUN, *DOORS, *FLEET)},
    **dict.fromkeys([option[2:] for option in (*SWITCHES, "--fail-on-fixed")], "switch"),
    **dict.fromkeys([option[2:] for option in LISTS], "list"),
    "smoke": "smoke",
    "report": "words",
    "notify-on": "words",
}
"""Setting -> what it takes."""
_OF_A_CLUSTER = {key: sort for key, sort in _KNOWN.items() if f"--{key}" not in _OF_A_RUN}
