"""The settings of `python -m hubspec COMMAND`, as an audit has them."""

from __future__ import annotations

import argparse
from copy import copy
from pathlib import Path
from typing import NoReturn, Self

from hubspec.cluster.options import DoorOptions, Layer, environment
from hubspec.configured import configured
from hubspec.errors import HubspecError
from hubspec.masked import masked_sentence


class Arguments(DoorOptions):
    """The options of one of its commands: from the command line, or else the environment, or else a file."""

    def __init__(self, asked: argparse.Namespace) -> None:
        """Take the parsed command line. Raises SettingsError."""
        self._asked = asked
        self.configured = configured(self.folder, self.config_file, environment())
        self.tables: tuple[Layer, ...] = ()

    def of(self, tables: tuple[Layer, ...]) -> Self:
        """Return these options for a cluster that has these tables of the file."""
        mine = copy(self)
        mine.tables = tables
        return mine

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the settings of files, the first that has one counts."""
        return (*self.tables, self.configured.layer)

    def given(self, option: str) -> str | None:
        """Return the value of an option on the command line, or None; not every option of an audit is one of each command."""
        value: str | None = getattr(self._asked, option.strip("-").replace("-", "_"), None)
        return value

    def repeated(self, option: str) -> list[str]:
        """Return the values of an option that may stand on the command line more than once."""
        values: list[str] | str | None = getattr(self._asked, option.strip("-").replace("-", "_"), None)
        return values if isinstance(values, list) else [values] if values else []

    def switched(self, option: str) -> bool:
        """Say whether an option without a value stands on the command line."""
        return bool(self.given(option))

    def refuse(self, message: str) -> NoReturn:
        """Raise HubspecError."""
        raise HubspecError(masked_sentence(message))

    @property
    def folder(self) -> Path:
        """Return the folder in which the command was called."""
        return Path.cwd()
