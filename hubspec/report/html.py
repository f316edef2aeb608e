"""The HTML report: one file that shows an audit to a person, and asks the network for nothing.

The template writes everything; the script only filters, copies and opens. What many checks share, the reasons of a
control and the evidence of a round trip, stands in the page once, so that 6,000 checks stay one small file.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hubspec.model import Outcome, Record, Run, Severity
from hubspec.printable import printable
from hubspec.report.cells import code, copyable, lines, shown, slug, ticked
from hubspec.report.fields import fields
from hubspec.report.parts import Bodies, asked, frameworks, number, trend

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

HERE = Path(__file__).parent
OUTCOMES = {
    Outcome.DRIFTED: "not as declared",
    Outcome.UNREADABLE: "could not look",
    Outcome.WAIVED: "drift accepted",
    Outcome.FIXED: "drift put right",
    Outcome.NOT_APPLICABLE: "no meaning here",
    Outcome.COMPLIANT: "as declared",
}
"""What each outcome means, in the order in which a reader needs them."""
CHANGES = ("new", "regressed", "still", "fixed")
"""Against the run before, in the order in which a reader needs them."""
SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
WORST = 5
"""How many controls the list of the most severe names."""


@dataclass(frozen=True)
class Check:
    """A record with what the page adds: its anchor, its place in each filter, and the numbers of what it shares."""

    record: Record
    id: str
    places: str
    control: int
    evidence: int


@dataclass(frozen=True)
class Matrix:
    """A summary: for each name, the number of checks by outcome; `key` is the filter that the names belong to."""

    key: str
    lines: list[tuple[str, Counter[Outcome]]]


@dataclass(frozen=True)
class Verdict:
    """The answer on top: the outcome whose colour it takes, the headline, and the sentence below."""

    outcome: Outcome
    headline: str
    sentence: str


def render(records: Sequence[Record], run: Run) -> str:
    """Return the whole report as the text of one HTML file.

    Comes in: the records of a run in any order, and the run. The same input gives the same text.
    Raises nothing that depends on what a record says.
    """
    ordered = sorted(records, key=_urgency)
    names = {
        "outcome": list(map(str, OUTCOMES)),
        "severity": list(map(str, SEVERITIES)),
        "kind": sorted({printable(r.kind) for r in ordered}),
        "cluster": sorted({printable(name) for name in [*run.clusters, *(r.cluster for r in ordered)]}),
        "control": sorted({printable(r.control) for r in ordered}),
        "change": list(CHANGES),
    }
    place = {key: {name: i for i, name in enumerate(values)} for key, values in names.items()}
    controls, of_control = _once(ordered, lambda r: (r.control, r.title, r.severity, r.why, repr(r.tags)))
    evidence, of_evidence = _once(ordered, lambda r: (r.door, r.evidence, r.started, r.took))
    checks = [
        Check(
            record=record,
            id=anchor,
            places=" ".join(
                [
                    *(str(where.get(printable(getattr(record, key)), "-")) for key, where in place.items()),
                    str(of_control[i]),
                ]
            ),
            control=of_control[i],
            evidence=of_evidence[i],
        )
        for i, (record, anchor) in enumerate(zip(ordered, _anchors(ordered), strict=True))
    ]
    bodies = Bodies()
    standing = frameworks(ordered, run)
    spoken = {asked(point.framework, point.requirement): point for one in standing for point in one.points}
    names["requirement"] = [name for name, point in spoken.items() if point.outcomes]
    requirement = {name: i for i, name in enumerate(names["requirement"])}
    style, script = ((HERE / name).read_text("utf-8") for name in ("report.css", "report.js"))
    page = _environment().get_template("report.html.j2")
    return page.render(
        run=run,
        verdict=verdict(ordered, run),
        checks=checks,
        names=names,
        counts={key: Counter(printable(getattr(r, key)) for r in ordered) for key in place}
        | {"requirement": Counter({name: point.outcomes.total() for name, point in spoken.items()})},
        changed=Counter(r.change for r in ordered if r.change),
        bodies=bodies,
        trend=trend(run.trend),
        last=datetime.fromisoformat(run.last["seen"]) if run.last else None,
        standing=standing,
        number=number,
        asks=[
            " ".join(str(requirement[asked(name, id_)]) for name, ids in r.tags.items() for id_ in ids)
            for r in controls
        ],
        asked=asked,
        worst=worst(ordered),
        matrices=[_matrix(ordered, key, names[key]) for key in ("severity", "kind", "cluster")],
        controls=controls,
        evidence=evidence,
        style=Markup(style),  # noqa: S704 - a file of this package, not input
        script=Markup(script),  # noqa: S704 - the same
        digests={"style": _digest(style), "script": _digest(script)},
    )


def verdict(records: Sequence[Record], run: Run) -> Verdict:
    """Return the answer to 'are we compliant?' of records."""
    return answer(Counter(r.outcome for r in records), run)


def answer(count: Counter[Outcome], run: Run) -> Verdict:
    """Return the answer to 'are we compliant?': yes only when a check held, none drifted and all could look."""
    total, drifted, blind = count.total(), count[Outcome.DRIFTED], count[Outcome.UNREADABLE]
    gone = f"of {_clusters(len(run.missing))} nothing is known" if run.missing else ""
    if drifted:
        looked = f"{blind:,} could not look" if blind else "" if gone or run.unseen else "all others could look"
        unseen = "clusters may be missing" if run.unseen else ""
        rest = "; ".join(filter(None, [f"{drifted:,} of {_checks(total)} found drift", looked, gone, unseen]))
        return Verdict(Outcome.DRIFTED, "Not compliant", f"{rest}.")
    if blind or run.exit_code:
        reason = f"{blind:,} of {_checks(total)} could not look" if blind else ""
        ended = f"the run ended with exit code {run.exit_code}" if run.exit_code else ""
        both = " and ".join(filter(None, [reason, gone, ended]))
        return Verdict(Outcome.UNREADABLE, "Compliance not shown", f"No check found drift, but {both}.")
    applied = total - count[Outcome.NOT_APPLICABLE]
    if not applied:
        return Verdict(Outcome.NOT_APPLICABLE, "Nothing was checked", f"{_checks(total)} ran, and none applied.")
    waived, fixed = count[Outcome.WAIVED], count[Outcome.FIXED]
    headline = f"Compliant, with {waived:,} waived" if waived else "Compliant"
    more = f" {fixed:,} held only after a fix in this run." if fixed else ""
    sentence = f"{count[Outcome.COMPLIANT] + fixed:,} of {_checks(applied)} that apply hold.{more}"
    return Verdict(Outcome.WAIVED if waived else Outcome.COMPLIANT, headline, sentence)


def worst(records: Iterable[Record]) -> list[tuple[Record, int]]:
    """Return the most severe controls that drifted or could not be looked at: one record each, and how many alike."""
    open_ = [r for r in records if r.outcome in {Outcome.DRIFTED, Outcome.UNREADABLE}]
    alike = Counter((r.outcome, r.control) for r in open_)
    one = {(r.outcome, r.control): r for r in reversed(open_)}
    order = sorted(one, key=lambda key: (SEVERITIES.index(one[key].severity), key[0] != Outcome.DRIFTED, -alike[key]))
    return [(one[key], alike[key]) for key in order[:WORST]]


def _utc(when: datetime) -> str:
    aware = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return f"{aware:%Y-%m-%d %H:%M:%S} UTC"


def _clusters(count: int) -> str:
    return f"{count:,} cluster{'s' * (count != 1)}"


def _checks(count: int) -> str:
    return f"{count:,} check{'' if count == 1 else 's'}"


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _urgency(record: Record) -> tuple[object, ...]:
    place = list(OUTCOMES).index(record.outcome), SEVERITIES.index(record.severity)
    return *place, record.control, record.cluster, record.kind, record.resource, record.test


def _once(records: list[Record], key: Callable[[Record], Hashable]) -> tuple[list[Record], list[int]]:
    """Return one record for each key, and for each record the number of its key."""
    number: dict[Hashable, int] = {}
    of = [number.setdefault(key(record), len(number)) for record in records]
    first = dict(zip(reversed(of), reversed(records), strict=True))
    return [first[i] for i in range(len(number))], of


def _anchors(records: list[Record]) -> list[str]:
    """Return an anchor for each record that stays the same from run to run."""
    seen: Counter[str] = Counter()
    anchors = []
    for r in records:
        name = json.dumps([r.cluster, r.kind, r.resource, r.check, r.control])
        digest = "r" + hashlib.sha256(name.encode()).hexdigest()[:12]
        seen[digest] += 1
        anchors.append(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
    return anchors


def _matrix(records: list[Record], key: str, names: list[str]) -> Matrix:
    cells = Counter((printable(getattr(r, key)), r.outcome) for r in records)
    return Matrix(key, [(name, Counter({o: cells[name, o] for o in OUTCOMES})) for name in names])


@cache
def _environment() -> Environment:
    """Return what knows the page. To compile it takes a sixth of the whole audit of a small cluster, and a fleet has many."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        plain=printable, lines=lines, code=code, ticked=ticked, slug=slug, utc=_utc, checks=_checks, fields=fields
    )
    environment.tests["copyable"] = copyable
    environment.globals["meaning"] = {str(outcome): text for outcome, text in OUTCOMES.items()}
    return environment
