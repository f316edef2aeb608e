"""What the doors of a cluster need to be told: from a command line, or else from the environment."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import NoReturn

from pydantic import SecretStr

DOORS = {
    "--container": "name of the hub's container (default: jupyterhub)",
    "--container-label": "KEY=VALUE: only containers with this label count as undeclared",
    "--hub-url": "address of the hub (default: https://MASTER:9443)",
    "--hub-token-file": "file with an API token of a hub admin; HUBSPEC_HUB_TOKEN holds the token itself",
    "--mint-token": "hub admin for whom a token is made inside the container, and deleted after the audit",
    "--hub-fingerprint": "SHA-256 of the hub's certificate, in hex: no other is believed",
    "--hub-ca": "file with the CA of the hub's certificate",
    "--deadline": "seconds that a door may take to answer (default: 60)",
    "--step-limit": "how many of the newest steps are listed (default: 5000)",
}
"""Option -> its help, of each that takes a text."""
INSECURE = "believe any certificate of the hub; the report says so"
CLUSTER_ID = r"j-[A-Z0-9]{1,30}"


def variable(option: str) -> str:
    """Return the environment variable behind an option."""
    return "HUBSPEC_" + option.strip("-").replace("-", "_").upper()


class DoorOptions(ABC):
    """The options of the doors. Whoever reads a command line derives one, and says how it refuses a value."""

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

    def text(self, option: str) -> str | None:
        """Return the value of an option, or None."""
        return self.given(option) or os.environ.get(variable(option)) or None

    def on(self, option: str) -> bool:
        """Say whether an option without a value was given, or its variable is 1."""
        return self.switched(option) or os.environ.get(variable(option)) == "1"

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
        value = os.environ.get("HUBSPEC_HUB_TOKEN")
        return SecretStr(value) if value else None

    @property
    def deadline(self) -> float:
        """Return the seconds that a door may take. Refuses what is no positive number."""
        return self.seconds("--deadline", "60")

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
