"""What every break must do to an audit, whatever the hub's version; and what a version can never show."""

from __future__ import annotations

import pytest

import lab
from lab import breaks
from lab.breaks import BREAKS, RefusedError
from lab.hub import TOKENS_SINCE
from lab.versions import at_least
from tests.conftest import Audit, Run


def silent(version: str) -> set[str]:
    """Return the kinds of which a hub of this version never tells: those are not applicable."""
    return set() if at_least(version, TOKENS_SINCE) else {"hub_token"}


def not_applicable(run: Run) -> set[str]:
    """Return the kinds that were not applicable to an audit; what a smoke test needs is another thing."""
    silent_ = [one for one in run.records if one["outcome"] == "not applicable" and one["check"] != "smoke"]
    return {record["kind"] for record in silent_}


def turns_red(audit: Audit, name: str) -> None:
    """Break one thing, and assert that the audit says so, and nothing else of that sort. It is not mended here.

    Skips, with the lab's reason, what this engine or this hub cannot have broken.
    """
    broken = BREAKS[name]
    try:
        breaks.apply(name)
    except RefusedError as error:
        pytest.skip(str(error).splitlines()[0])
    if broken.smoke:
        run = audit("--cluster", "lab", f"--smoke={broken.smoke}", "--smoke-deadline", "45", checks="checks/smoke")
    else:
        run = audit("--cluster", "lab", "--deadline", "5")
    outcome = "drifted" if broken.exit_code == 1 else "unreadable"
    told = [record for record in run.records if record["outcome"] == outcome and record["kind"] == broken.kind]
    mine = [record for record in told if broken.resource in {"", record["resource"]}]

    assert run.code == broken.exit_code, run.text
    assert mine, [record["message"] for record in run.records if record["outcome"] != "compliant"]
    if broken.exit_code == 1:
        assert all(record["declared_at"].startswith("baselines/") for record in mine)
        assert all(record["declared_at"] in run.text for record in mine)
        assert broken.smoke or any(record["actions"] for record in mine), "a drift says what to do next"
    else:
        here = lab.status()
        assert here
        assert set(run.outcomes()) <= {"compliant", "unreadable", "not applicable"}
        assert not_applicable(run) <= silent(here.version)
        assert [record for record in run.records if record["actions"]] == []
    if broken.field:
        fields = [difference["field"] for record in mine for difference in record["differences"]]
        assert any(field == broken.field or field.startswith(f"{broken.field}.") for field in fields), fields
