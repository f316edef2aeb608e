"""The failure of one check as text: what, where, wanted, found, and the next thing to do."""

from __future__ import annotations

from hubspec.model import Record
from hubspec.printable import printable
from hubspec.record import shown


def scene(record: Record) -> str:
    """Return the text that pytest, JUnit and Allure show for a check that is not compliant."""
    lines = [
        f"{printable(record.message)}",
        f"  cluster   {printable(record.cluster)}",
        f"  control   {printable(record.control)} ({record.severity}): {printable(record.title)}",
        f"  declared  {printable(record.declared_at)}",
    ]
    for difference in record.differences:
        lines.append(f"  {printable(str(difference['field']))}")
        lines.append(f"    wanted  {shown(difference['wanted'])}")
        lines.append(f"    found   {shown(difference['found'])}")
    lines.append(
        f"  seen by   {printable(record.evidence)} (door {printable(record.door)}, {record.started:%Y-%m-%d %H:%M:%S} UTC)"
    )
    for detail in record.details:
        first, *rest = detail["text"].split("\n")
        lines.append(f"  {printable(detail['title'])}")
        lines += [f"    {printable(line)}" for line in (first, *rest)]
    for action in record.actions:
        lines.append(f"  next      {printable(action['sentence'])} ({action['safety']})")
        lines.append(f"            {printable(action['command'])}")
    if record.outcome == "unreadable":
        lines.append("  nothing is concluded and no fix is planned: what could not be looked at is not called absent")
    return "\n".join(lines)
