"""Where the report of a run that ends is to go: `--results`, for an audit and for what is joined of many."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from hubspec.cluster.keep import S3, keep
from hubspec.cluster.options import DoorOptions
from hubspec.errors import DoorError
from hubspec.masked import masked_sentence
from hubspec.results import NOT_BROUGHT, Brought, Report, UnfitError, Whereabouts, bring, report

OPTIONS = ("--results", "--results-kms-key", "--results-deadline")


@dataclass(frozen=True)
class Destination:
    """A place of results, its key, and the seconds that bringing a report there may take."""

    place: str
    kms_key: str | None
    deadline: float

    def bring(self, of: Report) -> Brought:
        """Bring the report of a run that ends now. Raises DoorError, also where it was interrupted."""
        try:
            return bring(of, keep(self.place, self.kms_key), ended_now=True, deadline=self.deadline)
        except KeyboardInterrupt:
            raise DoorError("it was interrupted") from None
        except OSError as error:
            raise DoorError(error.strerror or str(error)) from None

    def brought(self, folder: Path, code: int) -> tuple[list[str], Whereabouts]:
        """Bring what is in a folder that nobody replaces. Return what is to be said, and where it is then."""
        try:
            found = self.bring(report(folder))
        except (DoorError, UnfitError) as error:
            there = f"the report is in {folder}; to bring it: {self.command(folder)}"
            at = self.lost(str(error), folder)
            return [self.failed(str(error)), there, self.code(code)], at
        return told(found), Whereabouts(found.where)

    def lost(self, why: str, kept: Path) -> Whereabouts:
        """Return where results are that are not at this place, and why."""
        return Whereabouts(self.place, masked_sentence(_plain(why)), str(kept))

    def failed(self, why: str) -> str:
        """Return the line that says that it is not there."""
        return f"results: NOT in {self.place}: {_plain(why)}"

    def command(self, *folders: Path) -> str:
        """Return what brings folders there later."""
        return shlex.join(["python", "-m", "hubspec", "upload", *map(str, folders), self.place])

    @staticmethod
    def code(own: int) -> str:
        """Return the line about the exit code of a run with this one, whose results are not there."""
        return f"exit code {NOT_BROUGHT + own}: {NOT_BROUGHT} for that, and {own} of the audit itself"


def _plain(why: str) -> str:
    return re.sub(r"[.;: ]+$", "", why)


def told(brought: Brought) -> list[str]:
    """Return the lines about a report that is there."""
    return [f"results: {brought.where}", *(f"notice: {line}" for line in brought.notices)]


def destination(options: DoorOptions) -> Destination | None:
    """Return where the results go, None where nobody said. Refuses what cannot be meant."""
    place, kms_key = options.text("--results"), options.text("--results-kms-key")
    remote = bool(place) and ("://" in str(place) or str(place).startswith("s3:"))
    if place == "none":
        return None
    if kms_key and not remote:
        options.refuse("--results-kms-key: is for --results s3://BUCKET/PREFIX/")
    if not place:
        return None
    if remote and not re.fullmatch(S3, place):
        options.refuse(f"--results: wanted a folder or s3://BUCKET/PREFIX/, found {place!r}")
    return Destination(
        place if remote else str(options.as_path(place)), kms_key, options.seconds("--results-deadline", "600")
    )
