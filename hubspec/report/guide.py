"""The guide as one HTML file: no script, nothing from the network, and the look of the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from hubspec.report.html import HERE, SEVERITIES, _digest, _environment


def render(title: str, baseline: Any, sections: Sequence[Any], files: Sequence[str], waivers: Sequence[Any]) -> str:
    """Return the page. The same input gives the same text."""
    style = (HERE / "report.css").read_text("utf-8") + (HERE / "guide.css").read_text("utf-8")
    entries = [entry for section in sections for entry in section.entries]
    page = _environment().get_template("guide.html.j2")
    return page.render(
        title=title,
        files=files,
        sections=sections,
        waivers=waivers,
        frameworks=baseline.frameworks,
        severities=SEVERITIES,
        levels=Counter(entry.control.severity for entry in entries),
        controls=len(entries),
        checks=sum(section.count for section in sections),
        digest=_digest(style),
        style=Markup(style),  # noqa: S704 - files of this package, not input
    )
