"""A baseline from what is there now: written beside what it replaces, judged as an audit would, and then given its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import relpath
from typing import TYPE_CHECKING

from hubspec.baseline import Baseline, load
from hubspec.check import checks, undeclared_check
from hubspec.draft import Draft, draft
from hubspec.errors import BaselineError, DoorError, HubspecError
from hubspec.kinds import KINDS
from hubspec.masked import masked
from hubspec.model import Outcome, Unreadable
from hubspec.printable import printable
from hubspec.snapshot import Snapshot
from hubspec.verdict import Verdict, judge
from hubspec.written import Entry, Page

if TYPE_CHECKING:
    from datetime import datetime

ROOT = Path(__file__).resolve().parent.parent
BASE = ROOT / "baselines" / "emr.yaml"
SCHEMA = ROOT / "docs" / "schemas" / "baseline.schema.json"
DONE, COULD_NOT_LOOK = 0, 11


@dataclass(frozen=True)
class Written:
    """A baseline that was written: its file, what it holds, how it came about, and what an audit of the same state says with it."""

    path: Path
    baseline: Baseline
    draft: Draft
    verdicts: list[Verdict]

    @property
    def code(self) -> int:
        """Return the exit code: 11 where something could not be read."""
        return COULD_NOT_LOOK if self.draft.told("unread") else DONE

    def telling(self) -> list[str]:
        """Return what a person should know of it, a line each."""
        drifted = [_shown(one) for one in self.verdicts if one.outcome is Outcome.DRIFTED]
        waived = [_shown(one) for one in self.verdicts if one.outcome is Outcome.WAIVED]
        parts = {
            "not taken over, so the first audit with it shows": drifted,
            "not taken over, and waived": waived,
            f"taken as it is, though {self.draft.base.file.name} demands otherwise": self.draft.told("taken"),
            "left out, for a baseline cannot state it": self.draft.told("left out"),
            "could not be read, and is a comment there": self.draft.told("unread"),
        }
        counts = ", ".join(
            f"{len(mine)} {KINDS[kind].section}" for kind, mine in self.baseline.resources.items() if mine
        )
        lines = [f"{self.path}: {counts}"]
        for title, sentences in parts.items():
            lines += [f"{title}:", *(f"  {sentence}" for sentence in sentences)] if sentences else []
        return lines


def write(snapshot: Snapshot, path: Path, *, watch: Sequence[str] | None = None, base: Path = BASE) -> Written:
    """Write the baseline over `base` that the snapshot meets to `path`, in place of what is there.

    `watch`: the folders in which files were listed, None where that is not known. Raises DoorError where nothing at all
    was read, HubspecError where the file cannot be written: then `path` is as it was.
    """
    if not any(isinstance(snapshot.reading(kind).seen, dict) for kind in KINDS):
        raise DoorError(f"{snapshot.cluster}: nothing could be read, so there is nothing to write:\n" + _why(snapshot))
    made = draft(snapshot, load(base), _page(snapshot, path, base), watch)
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(str(made.page), encoding="utf-8")
        try:
            baseline = load(part)
            verdicts = judged(baseline, snapshot)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except BaselineError as error:
        raise HubspecError(f"{path}: what was seen cannot be written as a baseline: {error}") from None
    except OSError as error:
        raise HubspecError(f"{path}: cannot be written: {error}") from None
    return Written(path, baseline, made, verdicts)


def judged(baseline: Baseline, snapshot: Snapshot) -> list[Verdict]:
    """Return the verdict on each check of a baseline, as an audit of this snapshot would give it."""
    every = [check for kind in KINDS for check in [*checks(baseline, kind), undeclared_check(baseline, kind)] if check]
    return [judge(check, baseline, snapshot) for check in every]


def _page(snapshot: Snapshot, path: Path, base: Path) -> Page:
    at = max((reading.started for reading in snapshot.readings.values()), default=None)
    when = _day(at) if at else "an unknown time"
    comments = [
        f"yaml-language-server: $schema={_from(path, SCHEMA)}",
        f"What {snapshot.cluster} was at {when}, written by `python -m hubspec init`. It is yours now: edit it.",
        "What changes by itself is left out (docs/init.md); what is not stated is not compared.",
    ]
    title = f"{snapshot.cluster} as it was at {when}".encode("utf-8", "backslashreplace").decode()
    return Page(comments, {"extends": Entry(_from(path, base)), "title": Entry(title)})


def _from(path: Path, target: Path) -> str:
    """Return the way from where a file lies to another file, which must be true for both as they really lie."""
    return relpath(str(target.resolve()), str(path.parent.resolve()))


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _why(snapshot: Snapshot) -> str:
    reasons: dict[str, list[str]] = {}
    for kind in KINDS:
        seen = snapshot.reading(kind).seen
        if isinstance(seen, Unreadable):
            reasons.setdefault(seen.reason, []).append(KINDS[kind].section)
    return "\n".join(f"  {', '.join(sections)}: {printable(reason)}" for reason, sections in reasons.items())


def _shown(verdict: Verdict) -> str:
    # A step's name, which somebody chose, may hold a secret; "undeclared hub_tokens:", which is ours, announces none.
    own = f"{verdict.check.about}: " if verdict.check.sort == "undeclared" else ""
    rest = verdict.reason.removeprefix(own)
    return printable(f"{verdict.reason.removesuffix(rest)}{masked(rest)} [{verdict.check.control_id}]")
