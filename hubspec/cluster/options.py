"""What the doors of a cluster need to be told: from a command line, or else from the environment."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NoReturn

from pydantic import SecretStr

from hubspec.masked import IN_URL, secret_in_url

WAYS = ("auto", "docker", "ssh", "step", "ssm")
"""The doors into the container that can be named."""

DOORS = {
    "--door": "way into the container: auto (default), docker, ssh, step, or ssm",
    "--ssh-user": "user who logs in to the master node (default: hadoop)",
    "--ssh-key": "file of the private key (default: what ssh and its agent have)",
    "--ssh-config": "configuration file of ssh (default: your own)",
    "--sudo-password-file": "file with the password for sudo; HUBSPEC_SUDO_PASSWORD holds the password itself",
    "--container": "name of the hub's container (default: jupyterhub)",
    "--container-label": "KEY=VALUE: only containers with this label count as undeclared",
    "--hub-url": "address of the hub (default: https://MASTER:9443)",
    "--hub-token-file": "file with an API token of a hub admin; HUBSPEC_HUB_TOKEN holds the token itself",
    "--mint-token": "hub admin for whom a token is made inside the container, and deleted after the audit",
    "--hub-fingerprint": "SHA-256 of the hub's certificate, in hex: no other is believed",
    "--hub-ca": "file with the CA of the hub's certificate",
    "--deadline": "seconds that a door may take to answer (default: 60)",
    "--step-deadline": "seconds that the step of --door step may take, with waiting for others and for its log (default: 1800)",
    "--step-limit": "how many of the newest steps are listed (default: 5000)",
}
"""Option -> its help, of each that takes a text."""
SWITCHES = {
    "--insecure": "believe any certificate of the hub; the report says so",
    "--sudo": "use sudo on the master node, also where docker could be used without; HUBSPEC_SUDO=0: never use it",
    "--ask-sudo-password": "ask for the password for sudo on the terminal",
}
"""Option -> its help, of each without a value."""
SECRETS = {
    "HUBSPEC_HUB_TOKEN": "hub token",
    "HUBSPEC_SUDO_PASSWORD": "sudo password",
    "HUBSPEC_NOTIFY_URLS": "notify urls",
}
"""Variable -> what it holds, of each for which there is no option: argv can be read by anybody."""
CLUSTER_ID = r"j-[A-Z0-9]{1,30}"
ADDRESS = r"ssh://(?:(?P<user>[A-Za-z_][A-Za-z0-9_.-]*)@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*)(?::(?P<port>[0-9]{1,5}))?"
"""A machine with a hub that AWS knows nothing of."""
_REGION = re.compile(r"[a-z]{2,3}(-[a-z]+)+-[0-9]{1,2}")


CONFIG = "--hubspec-config"
"""The option that names a file of settings; pytest has a --config-file of its own."""

PART = "HUBSPEC_PART_OF"
"""The variable that says to an audit which fleet's run it is a part of."""
OF_THE_WHOLE = frozenset({"--notify", "--metrics", "--results", "--results-kms-key"})
"""What a fleet does once at its end, and none of its audits by itself."""


def variable(option: str) -> str:
    """Return the environment variable behind an option."""
    return "HUBSPEC_" + option.strip("-").removeprefix("hubspec-").replace("-", "_").upper()


@dataclass(frozen=True)
class Layer:
    """Settings of a file, or of a table in it: option -> value. `source` is what it is called, empty for no file."""

    source: str
    values: Mapping[str, str | list[str]] = field(default_factory=dict)


def in_environment(option: str) -> str | None:
    """Return what the environment has for an option, or None."""
    return os.environ.get(variable(option)) or None


def is_part() -> bool:
    """Say whether this is one of the audits of a fleet, which was told what is its own."""
    return bool(os.environ.get(PART))


def environment() -> dict[str, str]:
    """Return the variables of the environment that may be meant for hubspec, those that are set to something."""
    return {name: value for name, value in os.environ.items() if name.startswith("HUBSPEC_") and value}


class DoorOptions(ABC):
    """The options of the doors. Whoever reads a command line derives one, and says how it refuses a value.

    The command line counts first, then the environment, then the tables of a file that are for this cluster, then that file.
    """

    @abstractmethod
    def given(self, option: str) -> str | None:
        """Return the value of an option on the command line, or None."""

    @abstractmethod
    def switched(self, option: str) -> bool:
        """Say whether an option without a value stands on the command line."""

    @abstractmethod
    def refuse(self, message: str) -> NoReturn:
        """Raise the usage error of this command line."""

    @property
    @abstractmethod
    def folder(self) -> Path:
        """Return the folder in which relative paths are meant."""

    @property
    def config_file(self) -> str | None:
        """Return the name of the file of settings, None where none is named."""
        return self.given(CONFIG) or os.environ.get(variable(CONFIG)) or None

    @property
    def layers(self) -> Sequence[Layer]:
        """Return the settings of files, the first that has one counts."""
        return ()

    def text(self, option: str) -> str | None:
        """Return the value of an option, or None. Refuses a URL with a secret in it."""
        if option in OF_THE_WHOLE and is_part():
            return None
        given = self.given(option)
        if given and secret_in_url(given):
            self.refuse(f"{option}: {IN_URL}")
        return given or in_environment(option) or self._written(option)

    def on(self, option: str) -> bool:
        """Say whether an option without a value was given, or is said to be on (1) where it is first said."""
        return self.switched(option) or (os.environ.get(variable(option)) or self._written(option)) == "1"

    def source(self, option: str) -> str:
        """Return where the value of an option comes from, empty where it has its default."""
        if self.repeated(option) or self.switched(option):
            return "command line"
        if os.environ.get(variable(option)):
            return variable(option)
        return next((layer.source for layer in self.layers if layer.values.get(option)), "")

    def _written(self, option: str) -> str | None:
        for layer in self.layers:
            value = layer.values.get(option)
            if value:
                return value if isinstance(value, str) else ",".join(value)
            # Who says for a cluster how a token is made does not mean the one that is written for all.
            if option == "--hub-token-file" and "--mint-token" in layer.values:
                return None
        return None

    def repeated(self, option: str) -> list[str]:  # noqa: ARG002 - of a command line without it
        """Return the values of an option that may stand on the command line more than once."""
        return []

    def many(self, option: str) -> list[str]:
        """Return the values of such an option, each once; its variable holds them with commas between."""
        given = self.repeated(option) or os.environ.get(variable(option), "").split(",")
        values = [value.strip() for value in given if value.strip()]
        written: list[str] = next((list(layer.values[option]) for layer in self.layers if option in layer.values), [])
        return list(dict.fromkeys(values or written))

    @property
    def regions(self) -> list[str]:
        """Return where clusters are looked for, none for where the standard variables say. Refuses what is no region."""
        regions = self.many("--region")
        for region in regions:
            if not _REGION.fullmatch(region):
                self.refuse(f"--region: wanted a region such as us-east-1, found {region!r}")
        return regions

    def path(self, option: str) -> Path | None:
        """Return the value of an option as a path, or None."""
        value = self.text(option)
        return self.as_path(value) if value else None

    def as_path(self, value: str) -> Path:
        """Return a path as it was meant where the command was called."""
        return self.folder / Path(value).expanduser()

    @property
    def secret(self) -> SecretStr | None:
        """Return the hub's API token from the environment; there is no option, for argv can be read by anybody."""
        # A secret that was kept from a file ends with its line.
        value = os.environ.get("HUBSPEC_HUB_TOKEN", "").strip()
        return SecretStr(value) if value else None

    @property
    def notify_urls(self) -> SecretStr | None:
        """Return the addresses of those who are told, from the environment; there is no option, for they hold secrets."""
        value = os.environ.get("HUBSPEC_NOTIFY_URLS", "").strip()
        return SecretStr(value) if value else None

    @property
    def door(self) -> str:
        """Return which way into the container is wanted. Refuses what is none."""
        return self.one_of("--door", WAYS)

    @property
    def curious(self) -> bool:
        """Say whether the container is looked into for a word more on a hub that is silent: through a step that would take minutes."""
        return self.door != "step"

    @property
    def sudo(self) -> Literal["auto", "always", "never"]:
        """Return how root's rights are had on the master node: always by sudo, never, or as needed."""
        if self.on("--sudo"):
            return "always"
        return "never" if (os.environ.get(variable("--sudo")) or self._written("--sudo")) == "0" else "auto"

    @property
    def sudo_password(self) -> SecretStr | None:
        """Return the password for sudo, from the environment or a file. Refuses a file that cannot be read."""
        value = os.environ.get("HUBSPEC_SUDO_PASSWORD")
        path = self.path("--sudo-password-file")
        if path and not (value and not self.given("--sudo-password-file")):
            try:
                value = path.read_text(encoding="utf-8").split("\n")[0]
            except (OSError, UnicodeDecodeError) as error:
                self.refuse(f"--sudo-password-file {path}: cannot be read: {error}")
        return SecretStr(value) if value else None

    def one_of(self, option: str, words: tuple[str, ...]) -> str:
        """Return the value of an option of which the first word is the default. Refuses any other."""
        value = self.text(option) or words[0]
        if value not in words:
            self.refuse(f"{option}: wanted {', '.join(words[:-1])} or {words[-1]}, found {value!r}")
        return value

    @property
    def deadline(self) -> float:
        """Return the seconds that a door may take. Refuses what is no positive number."""
        return self.seconds("--deadline", "60")

    @property
    def step_deadline(self) -> float:
        """Return the seconds that the step of the step door may take. Refuses what is no positive number."""
        return self.seconds("--step-deadline", "1800")

    def seconds(self, option: str, default: str) -> float:
        """Return the value of an option as seconds. Refuses what is no positive number."""
        value = self.text(option) or default
        try:
            seconds = float(value)
        except ValueError:
            seconds = 0
        if not 0 < seconds < 86400:
            self.refuse(f"{option}: wanted a number of seconds above 0, found {value!r}")
        return seconds

    @property
    def step_limit(self) -> int:
        """Return how many of the newest steps are listed. Refuses what is no whole number above 0."""
        value = self.text("--step-limit") or "5000"
        if not value.isascii() or not value.isdigit() or not int(value):
            self.refuse(f"--step-limit: wanted a whole number above 0, found {value!r}")
        return int(value)

    @property
    def insecure(self) -> bool:
        """Say whether any certificate of the hub is believed."""
        return self.on("--insecure")
