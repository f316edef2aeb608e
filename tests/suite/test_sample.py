"""reports/sample/ is what the command in the README makes of its snapshot today; `make sample` makes it anew."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.conftest import ROOT, Audit
from tests.told import rows_of

SAMPLE = ROOT / "reports" / "sample"
COMMAND = re.compile(r"pytest checks/ (--snapshot reports/sample/snapshot\.json [^`]*)`")


def told(text: str) -> list[dict[str, Any]]:
    """Return the records without what differs from run to run."""
    return [json.loads(line) | {"run": ""} for line in text.splitlines()]


def test_the_sample_is_the_output_of_the_command_in_the_readme(audit: Audit) -> None:
    found = COMMAND.search((ROOT / "README.md").read_text())
    assert found
    run = audit(*found[1].split(), checks="checks/")
    page, sample = ((folder / "report.html").read_text() for folder in (run.folder / "latest", SAMPLE))

    assert run.code == 1, run.text
    assert told((run.folder / "latest" / "records.jsonl").read_text()) == told((SAMPLE / "records.jsonl").read_text())
    assert rows_of(page) == rows_of(sample) != []
    assert f'<code id="command">pytest checks/ {found[1]}</code>' in sample
    # A file's name may end like that of a secret: what comes after it in an id, the control, is none, and -k finds it.
    assert any(one["test"].endswith("[/home/jovyan/jupyterhub_cookie_secret:FIL-02]") for one in run.records)
