"""What the one message of a run says. Pure.

Whatever came from a cluster or a baseline stands in code spans, as in the Markdown summary. A chat may show the text as it is:
so nothing in it calls anybody (@here, <!channel>), and no address in it can be clicked but the link to the report.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from hubspec.model import Outcome, Record, Run
from hubspec.notice import looked
from hubspec.printable import printable
from hubspec.report.common import about
from hubspec.report.html import answer
from hubspec.report.markdown import code, line
from hubspec.results import Whereabouts, named
from hubspec.tally import NAMED, Found, Tally

LIMIT = 1900
"""Characters of the text: a message of Discord holds 2,000, which is the least of the common chats (Discord API, message content)."""
SHARE = 0.6
"""How much of the room that is left one section may take where others follow."""
_ADDRESS = re.compile(r"(?i)\b(https?)://")
_CALL = re.compile(r"(?<!\w)@")


@dataclass(frozen=True)
class Message:
    """A title in plain text, a text in Markdown, and how bad it is, in the words of Apprise."""

    title: str
    text: str
    kind: Literal["failure", "warning", "success", "info"]


def message(tally: Tally, run: Run, link: str | None = None, at: Whereabouts | None = None) -> Message:
    """Return the message about a run, with the link to its report, and where its results are if they have a place.

    `{run}` in the link is the id of the run, `{name}` that of its folder at the place of the results (`--results`). Such a
    link is left out where they are not there.
    """
    lost = bool(at and at.trouble)
    stands = answer(tally.outcomes, run)
    who = run.clusters[0] if len(run.clusters) == 1 else f"{len(run.clusters):,} clusters"
    title = f"hubspec, {who}: {stands.headline}"
    changed = {"new": tally.new.checks if run.compared else 0, "fixed": tally.fixed.checks}
    counts = [f"{count:,} {change}" for change, count in changed.items() if count]
    since = f" Since the last run: {', '.join(counts) or 'nothing new, nothing fixed'}." if run.last else ""
    report = f"\nReport: {_filled(link, run)}\n" if link and not (lost and _filled(link, run) != link) else ""
    ended = at.code(run.exit_code) if at else run.exit_code
    tail = f"\nRun {code(run.id)}, exit code {ended}, hubspec {code(run.version)}.\n"
    text = f"{stands.sentence}{since}\n{_whereabouts(at)}"
    room = LIMIT - len(text) - len(report) - len(tail)
    sections = [one for one in _sections(tally, run) if one.lines]
    for number, section in enumerate(sections, 1):
        # What comes first may not take the room of all that follows.
        told = section.within(room if number == len(sections) else int(room * SHARE))
        text, room = text + told, room - len(told)
    title = ", ".join([title, *counts, *(["results NOT at their place"] if lost else [])])
    kind = _kind(tally, run)
    return Message(
        inert(printable(title))[:200],
        inert(text) + report + inert(tail),
        "warning" if lost and kind != "failure" else kind,
    )


def _whereabouts(at: Whereabouts | None) -> str:
    if at is None:
        return ""
    if not at.trouble:
        return f"\nResults: {code(at.where)}\n"
    kept = f" They are kept in {code(at.kept)}." if at.kept else ""
    return f"\n**The results are NOT in {code(at.where)}**: {code(at.trouble)}.{kept}\n"


def inert(text: str) -> str:
    """Return a text that calls nobody and leads nowhere, wherever it is shown as it is."""
    plain = text.replace("<", "\u2039").replace(">", "\u203a")
    return _ADDRESS.sub(r"\1[:]//", _CALL.sub("\uff20", plain))


@dataclass(frozen=True)
class _Section:
    """A headline, how many things it is about, and its lines, each with how many of them it tells."""

    headline: str
    total: int
    lines: list[tuple[str, int]]

    def within(self, room: int) -> str:
        """Return it with as many lines as there is room for, and how many things are left out."""
        head, left = f"\n### {self.headline} ({self.total:,})\n\n", "- and {:,} more\n"
        room -= len(head) + len(left) + 8
        text, told = "", 0
        for one, things in self.lines:
            if len(text) + len(one) + 1 > room:
                break
            text, told = f"{text}{one}\n", told + things
        rest = left.format(self.total - told) if told < self.total else ""
        return head + text + rest if room >= 0 else ""


def _sections(tally: Tally, run: Run) -> Iterator[_Section]:
    new = "New drift" if run.last else "Drifted"
    silent, notices = [(one, 1) for one in _silent(tally, run)], [(f"- {code(one)}", 1) for one in run.notices]
    yield _Section(new, tally.new.checks, list(_named(tally.new, line)))
    yield _Section("Clusters with something that could not be looked at", len(silent), silent)
    yield _Section("Fixed", tally.fixed.checks, list(_named(tally.fixed, _fixed)))
    yield _Section("To know", len(notices), notices)


def _named(found: Found, say: Callable[[Record], str]) -> Iterator[tuple[str, int]]:
    """Yield the lines of each control: its few records, or of many the first, and how many more there are."""
    for group in found.worst():
        named = group.named if group.checks <= NAMED else group.named[:1]
        yield from ((say(one), 1) for one in named)
        if rest := group.checks - len(named):
            where = f", on {len(group.clusters):,} clusters" if len(group.clusters) > 1 else ""
            yield f"- and {rest:,} more of {code(group.control)}{where}", rest


def _silent(tally: Tally, run: Run) -> Iterator[str]:
    """Yield a line for each cluster of which something is not known, those of which nothing is known first."""
    for name, reason in sorted(run.missing.items()):
        yield f"- {code(name, 40)}: nothing: {code(reason)}"
    blind = {name: one.outcomes[Outcome.UNREADABLE] for name, one in tally.clusters.items() if one.blind}
    for name in sorted(blind, key=lambda name: (-blind[name], name)):
        yield f"- {code(name, 40)}: {_checks(blind[name])}: {code(tally.clusters[name].blind)}"


def _filled(link: str, run: Run) -> str:
    return link.replace("{run}", run.id).replace("{name}", named(run.started, run.id))


def _checks(count: int) -> str:
    return f"{count:,} check{'s' * (count != 1)}"


def _fixed(record: Record) -> str:
    return f"- {code(record.control)} {code(about(record), 80)} on {code(record.cluster, 40)}"


def _kind(tally: Tally, run: Run) -> Literal["failure", "warning", "success", "info"]:
    if tally.new.checks:
        return "failure"
    if not looked(tally, run):
        return "warning"
    return "info" if tally.outcomes[Outcome.DRIFTED] else "success"
