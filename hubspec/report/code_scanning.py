"""`code-scanning.sarif`: the SARIF 2.1.0 that GitHub's code scanning takes, with what is open and nothing else.

GitHub makes an open alert of every result, whatever its `kind` and its `suppressions` say; tells alerts apart by
`primaryLocationLineHash` alone, which it else makes of a line of the baseline, the same for every cluster; lets an upload
close the alerts of the one before in its category; and shows the 5,000 most severe. Source: GitHub Docs, 'SARIF support
for code scanning'; microsoft/PSRule issue 955.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hubspec.model import Outcome, Record, Run, Severity
from hubspec.report.common import identity, member, opened, place, uid
from hubspec.report.sarif import LEVEL, SCHEMA, invocation, rule, text_of, uri

MOST = 5000
"""Results that GitHub shows of one upload."""
TAGS = 20
"""Tags that a rule may have: a file with more is refused."""
_OPEN = (Outcome.DRIFTED, Outcome.UNREADABLE)
_LADDER = list(reversed(Severity))


def render(records: Sequence[Record], run: Run) -> Iterator[str]:
    """Yield the log, the most severe results first. What was waived or put right is left out, so that its alert closes."""
    found = [record for record in records if record.outcome in _OPEN]
    found.sort(key=lambda record: (_LADDER.index(record.severity), _OPEN.index(record.outcome)))
    kept = found[:MOST]
    rules = {record.control: record for record in reversed(kept)}
    number = {control: index for index, control in enumerate(sorted(rules))}
    told = invocation(run)
    if left := len(found) - len(kept):
        text = f"{left} more are open than GitHub shows: the other reports have all of them"
        told["toolExecutionNotifications"].append({"level": "warning", "message": {"text": text}})
    head = {
        "tool": {"driver": {"name": "hubspec", "version": run.version, "rules": [_rule(rules[id_]) for id_ in number]}},
        "automationDetails": {"id": f"{category(run)}/{run.id}"},
        "invocations": [told],
    }
    yield opened({"$schema": SCHEMA, "version": "2.1.0"}) + ', "runs": [' + opened(head)
    yield from member("results", (_result(record, number, run) for record in kept), always=True)
    yield "}]}\n"


def category(run: Run) -> str:
    """Return what an upload takes the place of: the last one of the same cluster, or of the same part of many."""
    part = run.clusters[0] if len(run.clusters) == 1 else f"part {run.shard.replace('/', ' of ')}" if run.shard else ""
    return f"hubspec/{part.replace('/', '_')}" if part else "hubspec"


def _rule(record: Record) -> dict[str, Any]:
    made = rule(record)
    made["properties"]["tags"] = made["properties"]["tags"][:TAGS]
    return made


def _result(record: Record, number: dict[str, int], run: Run) -> dict[str, Any]:
    file, line = place(record)
    steps = f"; next: {record.actions[0]['sentence']}" if record.actions else ""
    # What could not be looked at keeps the alert that it had: it is not put right.
    blind = "could not be looked at: " if record.outcome is Outcome.UNREADABLE else ""
    said = text_of(record.model_copy(update={"message": f"{blind}{record.message}{steps}"}))
    return {
        "ruleId": record.control,
        "ruleIndex": number[record.control],
        "level": LEVEL[record.severity],
        "message": {"text": said},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri(file or next(iter(run.baselines), "hubspec"))},
                    "region": {"startLine": line or 1},
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": f"{uid('finding', *identity(record))}:1"},
    }
