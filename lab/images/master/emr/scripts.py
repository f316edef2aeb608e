"""Which program a step's jar and arguments mean: the two runners that EMR brings itself, and nothing else."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from moto.core.exceptions import ServiceException
from moto.s3.models import s3_backends

from emr.step import Step

COMMAND_RUNNER = "command-runner.jar"
SCRIPT_RUNNER = re.compile(r"s3://([a-z0-9-]+)\.elasticmapreduce/libs/script-runner/script-runner\.jar")
S3_URI = re.compile(r"s3[an]?://([^/]+)/(.+)")
HEAD = 8192


class CannotRunError(Exception):
    """A step that has no program to run: the reason in a few words, and the sentence for its log."""

    def __init__(self, reason: str, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.reason, self.message = reason, message


def program(step: Step, account: str, region: str, folder: Path, path: str) -> list[str]:
    """Answer the argument list to run for a step; a script in S3 is put into `folder` first. Raises: CannotRunError.

    Source of fact: EMR Release Guide, 'Run commands and scripts on an Amazon EMR cluster'.
    """
    if step.jar == COMMAND_RUNNER:
        if not step.args:
            raise CannotRunError("No command was given.", "command-runner.jar needs the command as its arguments")
        if shutil.which(step.args[0], path=path) is None:
            words = f'Cannot run program "{step.args[0]}" (in directory "."): error=2, No such file or directory'
            raise CannotRunError("The command was not found.", words)
        return step.args
    runner = SCRIPT_RUNNER.fullmatch(step.jar)
    if runner is None:
        words = (
            f"{step.jar}: unknown jar; this node has command-runner.jar, and {region}'s script-runner.jar by its S3 URI"
        )
        raise CannotRunError("The jar was not found.", words)
    if runner[1] != region:
        words = f"{step.jar}: the bucket is that of region {runner[1]}, and this cluster is in {region}"
        raise CannotRunError("The jar is in the bucket of another region.", words)
    if not step.args:
        raise CannotRunError("No script was given.", "script-runner.jar needs a script as its first argument")
    return [*script(step.args[0], account, folder), *step.args[1:]]


def script(where: str, account: str, folder: Path) -> list[str]:
    """Answer how to run a script that lies in S3 or on the node. Raises: CannotRunError where it is no script.

    One with a first line `#!` runs by itself, any other text is bash's.
    """
    path = fetch(where, account, folder) if S3_URI.fullmatch(where) else Path(where.removeprefix("file://"))
    if not path.is_file():
        raise CannotRunError(
            "The script was not found.", f'Cannot run program "{where}": error=2, No such file or directory'
        )
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(b"#!"):
        return [str(path)]
    if b"\0" in head:
        words = f'Cannot run program "{where}": error=8, Exec format error: neither a line #! nor text'
        raise CannotRunError("The script is not executable text.", words)
    return ["bash", str(path)]


def fetch(uri: str, account: str, folder: Path) -> Path:
    """Put an object of S3 into a folder as a program and answer its path. Raises: CannotRunError where S3 has none."""
    bucket, key = S3_URI.fullmatch(uri).groups()  # type: ignore[union-attr]
    try:
        found = s3_backends[account]["aws"].get_object(bucket, key)
    except ServiceException as error:
        raise CannotRunError("The script was not found in S3.", f"{uri} cannot be read: {error}") from None
    if found is None:
        raise CannotRunError("The script was not found in S3.", f"{uri} does not exist")
    path = folder / (Path(key).name or "script")
    path.write_bytes(found.value)
    path.chmod(0o755)
    return path
