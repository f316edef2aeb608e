"""Parts of the HTML report that are more than a list: bodies that are packed, the trend as bars, requirements by framework."""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import Markup

from hubspec.framework import Standing, Standpoint, coverage
from hubspec.model import Outcome, Record, Run, Severity
from hubspec.printable import printable
from hubspec.report.common import frameworks as titled

ROOM = 2_000_000
"""Characters of bodies that stand in the page as text: what needs attention first. The rest is packed."""
_HIGH, _BAR, _GAP = 96, 14, 4


@dataclass
class Bodies:
    """The bodies of the rows: text while there is room, then packed, so that 6,000 drifts stay one small file."""

    room: int = ROOM
    packed: list[str] = field(default_factory=list)

    def body(self, text: Markup) -> Markup:
        """Return what stands in the page of one body; nothing of one that is packed."""
        self.room -= len(text)
        if self.room >= 0:
            return Markup("<noscript>") + text + Markup("</noscript>")
        self.packed.append(str(text))
        return Markup("")

    def pack(self) -> str:
        """Return the packed bodies: gzip over a JSON list, in base64."""
        data = json.dumps(self.packed, ensure_ascii=False).encode("utf-8", "backslashreplace")
        return base64.b64encode(gzip.compress(data, 6, mtime=0)).decode("ascii")


@dataclass(frozen=True)
class Bar:
    """One severity of one run in the drawing: a rectangle."""

    x: int
    y: float
    height: float
    severity: str


@dataclass(frozen=True)
class Trend:
    """The trend as a drawing and as a table: for each run when, and the count of each severity."""

    rows: list[tuple[datetime, list[int]]]
    bars: list[Bar]
    width: int
    most: int
    high: int = _HIGH
    bar: int = _BAR


def trend(points: Sequence[dict[str, Any]]) -> Trend | None:
    """Return the trend of two runs and more."""
    if len(points) < 2:
        return None
    levels = [str(one) for one in reversed(Severity)]
    rows = [(datetime.fromisoformat(point["seen"]), [int(point[level]) for level in levels]) for point in points]
    most = max(sum(counts) for _, counts in rows)
    bars = []
    for place, (_, counts) in enumerate(rows):
        bottom = float(_HIGH)
        for level, count in reversed(list(zip(levels, counts, strict=True))):
            height = round(count / max(most, 1) * _HIGH, 2)
            bottom = round(bottom - height, 2)
            if count:
                bars.append(Bar(place * (_BAR + _GAP), bottom, height, level))
    return Trend(rows, bars, len(rows) * (_BAR + _GAP), most)


@dataclass(frozen=True)
class Framework:
    """The requirements of one framework, those that failed first, and how many stand how."""

    name: str
    points: list[Standpoint]
    count: dict[str, int]
    title: str = ""


def frameworks(records: Sequence[Record], run: Run) -> list[Framework]:
    """Return each framework that the run or its records name."""
    found: dict[str, list[Standpoint]] = {}
    for point in coverage(records, run.frameworks):
        found.setdefault(point.framework, []).append(point)
    order, titles = list(Standing), titled(run)
    result = []
    for name, points in found.items():
        count = Counter(str(point.standing) for point in points)
        ordered = sorted(points, key=lambda point: order.index(point.standing))
        result.append(
            Framework(name, ordered, {str(one): count[one] for one in Standing if count[one]}, titles.get(name, ""))
        )
    return result


def asked(framework: str, requirement: str) -> str:
    """Return a requirement as the filter has it."""
    return printable(f"{framework} {requirement}")


def number(point: Standpoint, *outcomes: str) -> int:
    """Return how many checks of a requirement had one of these outcomes."""
    return sum(point.outcomes[Outcome(one)] for one in outcomes)
