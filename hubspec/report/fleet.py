"""The page of a merged report with more records than one page holds: counts of each cluster, and the most severe controls.

No script, and nothing from the network: every cluster leads to its own report, which lies below this one.
"""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from hubspec.model import Outcome, Run
from hubspec.report.html import CHANGES, HERE, OUTCOMES, _clusters, _digest, _environment, answer
from hubspec.report.overview import Overview
from hubspec.report.parts import frameworks

CONTROLS = 100
"""How many controls the page names; how many are left out is said."""


def render(tally: Overview, run: Run, links: Mapping[str, str]) -> str:
    """Return the page. `links` is cluster -> the path of its own report. The same input gives the same text."""
    style = (HERE / "report.css").read_text("utf-8") + (HERE / "fleet.css").read_text("utf-8")
    worst = tally.worst()
    environment = _environment()
    environment.filters["clusters"] = _clusters
    return environment.get_template("fleet.html.j2").render(
        run=run,
        verdict=answer(tally.outcomes, run),
        tally=tally,
        changes=CHANGES,
        changed=tally.changes,
        outcomes=list(OUTCOMES),
        worst=worst[:CONTROLS],
        left=len(worst) - len(worst[:CONTROLS]),
        clusters=sorted(tally.clusters, key=lambda name: _urgency(tally, name)),
        links={name: links.get(name, "") for name in tally.clusters},
        standing=frameworks(list(tally.spoken.values()), run),
        digest=_digest(style),
        style=Markup(style),  # noqa: S704 - files of this package, not input
    )


def _urgency(tally: Overview, name: str) -> tuple[int, int, str]:
    count = tally.clusters[name].outcomes
    return -count[Outcome.DRIFTED], -count[Outcome.UNREADABLE], name
