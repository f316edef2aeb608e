"""Who is told how a run ended, and where its figures are put: `--notify` and `--metrics`, for an audit and for a whole fleet.

Neither changes how the run ended: what went wrong with them is a sentence for its notices and the terminal.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hubspec import __version__
from hubspec.cluster.keep import Folder
from hubspec.cluster.notify import URLS, People
from hubspec.cluster.options import DoorOptions
from hubspec.errors import DoorError, HubspecError
from hubspec.interrupts import sentence
from hubspec.masked import masked_sentence
from hubspec.metrics import before, render
from hubspec.model import Run
from hubspec.notice import DEFAULT, WHEN, due
from hubspec.results import Whereabouts
from hubspec.tally import Tally

_LINK = re.compile(r"https?://[^\s\x00-\x1f<>\"`]+")
OPTIONS = ("--notify", "--notify-on", "--notify-deadline", "--report-link", "--metrics")
"""Those of a whole run: the parts of a fleet's run are not told of one by one."""


WRONG_USE, COULD_NOT_LOOK, INTERRUPTED = 4, 11, 130
"""Exit codes of a command: the first two as an audit has them."""
FOR_ALL = 0o644
"""The rights of the metrics: another user's program reads them. They hold counts and the names of clusters."""


@dataclass(frozen=True)
class Begun:
    """What is known of a run from its beginning: its id and time (UTC), how its clusters were named, and its command line without a secret."""

    id: str
    started: datetime
    clusters: list[str]
    command: str


@dataclass(frozen=True)
class Telling:
    """What is to be done at the end of a run."""

    people: People | None = None
    on: tuple[str, ...] = DEFAULT
    link: str | None = None
    metrics: Path | None = None

    def __bool__(self) -> bool:
        """Say whether anything is to be done."""
        return bool(self.people or self.metrics)

    def tell(self, tally: Tally, run: Run, at: Whereabouts | None = None) -> list[str]:
        """Write the metrics, and send the one message where it is due. Return what went wrong, a sentence each.

        `at`: where the results are, of a run that has a place for them. Those that are not there are a reason to tell, as what could not be looked at is.
        """
        faults = self._measure(tally, run, at)
        run = run.model_copy(update={"notices": [*faults, *run.notices]})
        if self.people and due(tally, run, self.on, lost=bool(at and at.trouble)):
            # Its words come from the reports, which a run that is only beginning does not wait for.
            from hubspec.message import message

            told = message(tally, run, self.link if tally.checks else None, at)
            faults += [f"--notify: {one}" for one in self.people.tell(told.title, told.text, told.kind)]
        return faults

    @contextlib.contextmanager
    def early(self, begun: Begun, say: Callable[[str], None]) -> Iterator[None]:
        """Tell of a command's run whose block ends by an error or an interrupt, before there is anything else to tell of."""
        try:
            yield
        except (HubspecError, KeyboardInterrupt) as error:
            if isinstance(error, KeyboardInterrupt):
                code, reason = INTERRUPTED, sentence(error)
            else:
                code, reason = COULD_NOT_LOOK if isinstance(error, DoorError) else WRONG_USE, str(error)
            for line in self.tell_early(begun, code, reason):
                say(f"notice: {line}")
            raise

    def tell_early(self, begun: Begun, code: int, reason: str) -> list[str]:
        """Tell of a run that ended before its first record, with its exit code and why. Return what went wrong, a sentence each."""
        if not self:
            return []
        notices = [masked_sentence(reason)] if reason else []
        run = Run(
            id=begun.id,
            started=begun.started,
            finished=datetime.now(UTC),
            clusters=[masked_sentence(one) for one in begun.clusters],
            baselines=[],
            version=__version__,
            command=begun.command,
            exit_code=code,
            notices=notices,
            round_trips={},
        )
        return self.tell(Tally(), run)

    def _measure(self, tally: Tally, run: Run, at: Whereabouts | None) -> list[str]:
        if self.metrics is None:
            return []
        # A name that begins with a dot and does not end with .prom, until it is whole: the textfile collector leaves it alone.
        folder, name = Folder(self.metrics.parent), self.metrics.name
        try:
            past = before((folder.there(name) or b"").decode(errors="replace"))
            code = at.code(run.exit_code) if at else run.exit_code
            folder.write(name, render(tally, run, past, code).encode(errors="backslashreplace"), rights=FOR_ALL)
        except DoorError as error:
            return [f"--metrics: {error}; the figures of this run are not in it"]
        return []


def telling(options: DoorOptions) -> Telling:
    """Return what these options ask for. Refuses what cannot be meant, and never repeats an address."""
    named = options.text("--notify")
    if named and "://" in named:
        options.refuse(
            f"--notify: wanted a file of Apprise. Addresses hold secrets: put them into a file, or into {URLS}; a command line can be read by anybody"
        )
    link = options.text("--report-link")
    if link and (not _LINK.fullmatch(link) or "@" in link.split("/")[2]):
        options.refuse("--report-link: wanted an address, https://HOST/PATH, without a name or a password in it")
    on = [one.strip() for one in (options.text("--notify-on") or ",".join(DEFAULT)).split(",") if one.strip()]
    unknown = [one for one in on if one not in WHEN]
    if unknown or not on:
        options.refuse(f"--notify-on: wanted {', '.join(WHEN)}, with commas; found {', '.join(unknown) or 'nothing'}")
    deadline = options.seconds("--notify-deadline", "30")
    file, urls = options.path("--notify"), options.notify_urls
    people = People(file, urls, deadline) if file or urls else None
    return Telling(people, tuple(on), link, options.path("--metrics"))
