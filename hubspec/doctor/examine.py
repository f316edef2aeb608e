"""Checks carried out one after the other: one that hangs or fails does not stop the rest, and what rests on it is not tried. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hubspec.doctor.model import Check, Course, Finding, State
from hubspec.errors import HubspecError, ShutError

Patient = Callable[[Check, Callable[[], None]], None]
"""Calls something for a check, and waits for its end. Raises DoorError where that takes too long."""


def examine(checks: Iterable[Check], course: Course, patient: Patient) -> None:
    """Carry out the checks in their order, and keep in the course what was found. `checks` may look into it for what comes next."""
    for check in checks:
        missing = next((need for need in check.needs if not course.works(need)), None)
        if missing is not None:
            _untried(check, course, missing)
            continue
        told: list[Finding] = []
        try:
            patient(check, lambda told=told, check=check: told.extend(check.run()))  # type: ignore[misc] # bound at once
        except HubspecError as error:
            _broken(check, course, told, error)
        else:
            for finding in told:
                course.take(finding)
            _untried(check, course, "")


def _broken(check: Check, course: Course, told: list[Finding], error: HubspecError) -> None:
    failed = check.failed(error, {one.row for one in told})
    for finding in told:
        course.take(finding)
    # Where an error says how far it came, what is before that works.
    known = isinstance(error, ShutError) and error.at in failed.row.split(".")
    for row in check.rows[: check.rows.index(failed.row)] if known else ():
        if row not in course.found:
            course.take(Finding(row, State.WORKS, needed=check.needed))
    course.take(failed)
    _untried(check, course, failed.row)


def _untried(check: Check, course: Course, missing: str) -> None:
    for row in check.rows:
        if row not in course.found:
            why = f"needs {missing.replace('.', ': ', 1)}" if missing else "nothing was told of it"
            course.take(Finding(row, State.UNTRIED, why, needed=check.needed))
