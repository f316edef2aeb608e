"""`summary.md`: how a run ended, in what fits a chat message or a job summary; the worst first, and how much is left out.

Whatever came from a cluster or a baseline stands in code spans: there it is no link, no mention, no picture and no markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hubspec.framework import Standing, coverage
from hubspec.model import Outcome, Record, Run, Severity
from hubspec.printable import printable
from hubspec.report.common import about
from hubspec.report.html import answer
from hubspec.report.overview import Overview, of

LIMIT = 3500
"""Characters of the whole: a chat message of Slack or Teams holds 4,000."""
_SPAN = 160
_CLUSTERS = 8
_OPEN = {Outcome.DRIFTED: "Drifted", Outcome.UNREADABLE: "Could not be looked at"}


def render(records: Sequence[Record], run: Run) -> Iterator[str]:
    """Yield the summary, of at most LIMIT characters."""
    tally = of(records)
    open_ = {outcome: [line(record) for record in _worst(records, outcome)] for outcome in _OPEN}
    yield _page(tally, run, {outcome: (len(lines), lines) for outcome, lines in open_.items()})


def summed(tally: Overview, run: Run) -> Iterator[str]:
    """Yield the same of records too many to be held: of each control that is open, some of its records."""
    open_ = {}
    for outcome in _OPEN:
        kept = [record for one in tally.worst() if one.outcome is outcome for record in one.samples]
        open_[outcome] = tally.outcomes[outcome], [line(record) for record in _worst(kept, outcome)]
    yield _page(tally, run, open_)


def _page(tally: Overview, run: Run, open_: Mapping[Outcome, tuple[int, list[str]]]) -> str:
    stands = answer(tally.outcomes, run)
    text = f"## {stands.headline}\n\n{stands.sentence}{_changed(tally, run)}\n\n{table(tally)}"
    failed, notices = list(_failed(tally, run)), [f"- {code(notice)}" for notice in run.notices]
    sections = [
        *((title, *open_[outcome]) for outcome, title in _OPEN.items()),
        ("Requirements that failed", len(failed), failed),
        ("To know", len(notices), notices),
    ]
    tail = f"\nRun {code(run.id)}, exit code {run.exit_code}, hubspec {code(run.version)}.\n"
    for title, total, lines in sections:
        text += fitting(title, lines, LIMIT - len(text) - len(tail), total=total)
    return text + tail


def table(tally: Overview) -> str:
    """Return a row for each of the first clusters, those with drift before, with the number of checks by outcome."""
    counts = {name: one.outcomes for name, one in tally.clusters.items()}
    order = sorted(counts, key=lambda name: (-counts[name][Outcome.DRIFTED], -counts[name][Outcome.UNREADABLE], name))
    rows = [["cluster", *map(str, Outcome)], ["---"] * (len(Outcome) + 1)]
    rows += [[code(name, 40), *(str(counts[name][outcome]) for outcome in Outcome)] for name in order[:_CLUSTERS]]
    if rest := sum((counts[name] for name in order[_CLUSTERS:]), Counter[Outcome]()):
        rows.append([f"{len(order) - _CLUSTERS} more", *(str(rest[outcome]) for outcome in Outcome)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def line(record: Record) -> str:
    """Return one record as an item of a list, with the first thing to do next."""
    change = f", {record.change}" if record.change in {"new", "regressed"} else ""
    what = f"- **{record.severity}{change}** {code(record.control)} {code(about(record), 80)} on {code(record.cluster, 40)}: "
    return what + code(record.message) + (f"; next: {_next(record.actions[0])}" if record.actions else "")


def _next(action: Mapping[str, Any]) -> str:
    # A command is copied and run: half of one, or one with other quotes, is none. The whole is in the other reports.
    command, shown = str(action["command"]), code(action["command"])
    return shown if shown == f"`{command}`" else code(action["sentence"])


def code(text: object, most: int = _SPAN) -> str:
    """Return a text as a code span of one line, cut after `most` characters; a bar would end a cell of a table."""
    plain = printable(text).replace("`", "'").replace("|", "\u00a6").strip() or "-"
    return f"`{plain}`" if len(plain) <= most else f"`{plain[: most - 1]}\u2026`"


def _worst(records: Iterable[Record], outcome: Outcome) -> list[Record]:
    order = list(reversed(Severity))
    mine = [record for record in records if record.outcome is outcome]
    return sorted(
        mine,
        key=lambda record: (
            order.index(record.severity),
            record.change == "still",
            record.control,
            record.cluster,
            record.resource,
        ),
    )


def _changed(tally: Overview, run: Run) -> str:
    return f" Since the last run: {tally.changed or 'nothing changed'}." if run.last else ""


def _failed(tally: Overview, run: Run) -> Iterator[str]:
    failed: dict[str, list[str]] = {}
    for point in coverage(tally.spoken.values(), run.frameworks):
        if point.standing is Standing.FAILED:
            failed.setdefault(point.framework, []).append(point.requirement)
    for framework, ids in failed.items():
        yield f"- {code(framework)}: {code(', '.join(ids), 300)}"


def fitting(title: str, lines: Sequence[str], room: int, *, total: int = 0) -> str:
    """Return a section with as many lines as there is room for, and how many of `total` (default: of these) are left out."""
    total = total or len(lines)
    head, left = f"\n### {title} ({total})\n\n", "- and {} more\n"
    room -= len(head) + len(left) + 8
    if not lines or room < 0:
        return ""
    kept = 0
    for one in lines:
        room -= len(one) + 1
        if room < 0:
            break
        kept += 1
    rest = left.format(total - kept) if kept < total else ""
    return head + "".join(f"{one}\n" for one in lines[:kept]) + rest
