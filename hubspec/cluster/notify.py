"""Sends a message to people through Apprise, in a process of its own that is ended at a deadline. Its addresses hold secrets.

They travel on standard input, and nothing that Apprise says of them is repeated: only how many took the message, and in our
words why others did not.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

INSTALL = "pip install 'hubspec[notify]'"
URLS = "HUBSPEC_NOTIFY_URLS"
"""The environment variable with addresses of Apprise, in place of a file or beside it."""
LARGEST = 128 * 1024
"""Bytes of a configuration that Apprise reads (apprise.config.base.ConfigBase.max_buffer_size)."""
SLACK = 3.0
"""Seconds that the process may take beyond the deadline of the services: to start, and to say how they took it."""


@dataclass(frozen=True)
class People:
    """Who is told: by the addresses in a file of Apprise, its YAML or its text, and those in the environment."""

    file: Path | None
    urls: SecretStr | None
    deadline: float = 30.0

    @property
    def where(self) -> str:
        """Return the name of their place, for a person."""
        return " and ".join([*([str(self.file)] if self.file else []), *([URLS] if self.urls else [])])

    def tell(self, title: str, text: str, kind: str) -> list[str]:
        """Send a message in Markdown to all of them. Return a sentence for everything that went wrong; it never raises.

        `kind` is Apprise's: info, success, warning or failure.
        """
        if importlib.util.find_spec("apprise") is None:
            return [f"nobody was told: Apprise, which sends messages, is not installed: {INSTALL}"]
        job: dict[str, Any] = {"title": title, "text": text, "kind": kind, "deadline": self.deadline}
        faults: list[str] = []
        if self.file:
            try:
                job["config"] = self._read(self.file)
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else str(error)
                faults.append(f"{self.file} cannot be read: {why}")
        job["urls"] = self.urls.get_secret_value() if self.urls else ""
        if faults and not job["urls"]:
            return [f"nobody was told: {faults[0]}"]
        try:
            return [*(f"not everybody was told: {fault}" for fault in faults), *self._told(job)]
        except OSError as error:
            return [f"nobody was told: the process that sends messages did not start: {error.strerror}"]

    @staticmethod
    def _read(path: Path) -> str:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ValueError(f"it is larger than {LARGEST // 1024} kB")
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise ValueError("it is no text in UTF-8") from None

    def _told(self, job: dict[str, Any]) -> list[str]:
        # The hub's token and the other secrets of an audit are nothing to a library that talks to others.
        kept = {key: value for key, value in os.environ.items() if not key.startswith("HUBSPEC_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "hubspec.cluster.notify_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback would show addresses
            env=kept,
            start_new_session=True,
        )
        try:
            out, _ = process.communicate(json.dumps(job).encode(), self.deadline + SLACK)
        except KeyboardInterrupt:
            return ["perhaps nobody was told: it was interrupted"]
        except subprocess.TimeoutExpired:
            return [f"perhaps nobody was told: sending the message did not end within {self.deadline:g} s"]
        finally:
            _end(process)
        try:
            told = json.loads(out)
        except ValueError:
            return [f"perhaps nobody was told: the process that sends messages ended with {process.returncode}"]
        return _sentences(told, self.where)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=5)


def _sentences(told: dict[str, Any], where: str) -> list[str]:
    """Return what went wrong as sentences: `faults` of the addresses, `took` how many took it, `failed` why others did not."""
    faults, failed, took = told["faults"], told["failed"], told["took"]
    if not faults and not failed and not took:
        faults = [f"there is no address in {where}"]
    whole = "not everybody was told" if took else "nobody was told"
    return [f"{whole}: {one}" for one in (*faults, *failed)]
