"""What the one message of a run says. Pure.

Whatever came from a cluster or a baseline stands in code spans, as in the Markdown summary. A chat may show the text as it is:
so nothing in it calls anybody (@here, <!channel>), and no address in it can be clicked but the link to the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hubspec.model import Outcome, Record, Run
from hubspec.notice import looked
from hubspec.printable import printable
from hubspec.report.common import about
from hubspec.report.html import answer
from hubspec.report.markdown import code, fitting, line
from hubspec.results import named
from hubspec.tally import Tally

LIMIT = 1900
"""Characters of the text: a message of Discord holds 2,000, which is the least of the common chats (Discord API, message content)."""
_ADDRESS = re.compile(r"(?i)\b(https?)://")
_CALL = re.compile(r"(?<!\w)@")


@dataclass(frozen=True)
class Message:
    """A title in plain text, a text in Markdown, and how bad it is, in the words of Apprise."""

    title: str
    text: str
    kind: Literal["failure", "warning", "success", "info"]


def message(tally: Tally, run: Run, link: str | None = None) -> Message:
    """Return the message about a run, with the link to its report.

    `{run}` in the link is the id of the run, `{name}` that of its folder at the place of the results (`--results`).
    """
    stands = answer(tally.outcomes, run)
    who = run.clusters[0] if len(run.clusters) == 1 else f"{len(run.clusters):,} clusters"
    title = f"hubspec, {who}: {stands.headline}"
    changed = {"new": tally.new if run.compared else 0, "fixed": tally.fixed}
    counts = [f"{count:,} {change}" for change, count in changed.items() if count]
    since = f" Since the last run: {', '.join(counts) or 'nothing new, nothing fixed'}." if run.last else ""
    report = f"\nReport: {_filled(link, run)}\n" if link else ""
    tail = f"\nRun {code(run.id)}, exit code {run.exit_code}, hubspec {code(run.version)}.\n"
    text = f"{stands.sentence}{since}\n"
    for head, lines, total in _sections(tally, run):
        text += fitting(head, lines, LIMIT - len(text) - len(report) - len(tail), total=total)
    title = inert(printable(f"{title}, {', '.join(counts)}" if counts else title))
    return Message(title[:200], inert(text) + report + inert(tail), _kind(tally, run))


def inert(text: str) -> str:
    """Return a text that calls nobody and leads nowhere, wherever it is shown as it is."""
    plain = text.replace("<", "\u2039").replace(">", "\u203a")
    return _ADDRESS.sub(r"\1[:]//", _CALL.sub("\uff20", plain))


def _sections(tally: Tally, run: Run) -> list[tuple[str, list[str], int]]:
    silent = list(_silent(tally, run))
    return [
        ("New drift" if run.last else "Drifted", [line(one) for one in tally.named_new], tally.new),
        ("Clusters with something that could not be looked at", silent, len(silent)),
        ("Fixed", [_fixed(one) for one in tally.named_fixed], tally.fixed),
        ("To know", [f"- {code(notice)}" for notice in run.notices], len(run.notices)),
    ]


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
    if tally.new:
        return "failure"
    if not looked(tally, run):
        return "warning"
    return "info" if tally.outcomes[Outcome.DRIFTED] else "success"
