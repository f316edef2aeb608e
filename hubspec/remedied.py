"""From the verdict before a fix and the one after it to the verdict of the run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hubspec.model import Outcome
from hubspec.verdict import Verdict


def remedied(before: Verdict, after: Verdict, results: Mapping[str, str]) -> Verdict:
    """Return what a check says once its cluster was worked on.

    `results` is request -> what became of it, of the actions that were tried for this check's resource. A drift that
    was tried, and is gone, is FIXED; whatever still drifts says what was tried, and what is left to do.
    """
    tried = {action.request: results[action.request] for action in before.actions if action.request in results}
    if before.outcome is not Outcome.DRIFTED or not tried:
        return after
    if after.outcome is Outcome.COMPLIANT:
        reason = f"{before.reason}; it was put right, and is as declared now"
        return replace(after, outcome=Outcome.FIXED, reason=reason, before=before, results=tried)
    failed = [text for text in tried.values() if not text.startswith("done")]
    said = f"; tried, and {_short(failed[0])}" if failed else "; what was tried did not change that"
    return replace(after, reason=f"{after.reason}{said}", before=before, results=tried)


def _short(text: str) -> str:
    """Return a result in one line: its beginning, and the last line of what was printed."""
    first, *others = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{first.partition(': ')[0]}: {others[-1]}" if others else first
