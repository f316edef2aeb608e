"""The documentation knows what the code knows: every option, field, outcome and decision it names."""

from __future__ import annotations

import re
import subprocess
import sys

from fixtures.options import _TEXT
from hubspec.__main__ import fields
from hubspec.model import Outcome
from tests.conftest import ROOT


def test_every_option_is_documented() -> None:
    text = (ROOT / "docs" / "options.md").read_text()

    assert [
        option
        for option in [
            "--cluster",
            "--region",
            "--hubspec-config",
            "--smoke",
            "--fail-on-fixed",
            "--token-scopes",
            "--insecure",
            "--checks",
            *_TEXT,
        ]
        if f"`{option}" not in text
    ] == []


def test_every_field_is_documented() -> None:
    assert (ROOT / "docs" / "baseline.md").read_text().endswith("\n".join(fields()) + "\n")


def test_every_outcome_is_documented() -> None:
    text = (ROOT / "docs" / "records.md").read_text()

    assert [outcome for outcome in Outcome if f"| {outcome} |" not in text] == []


def test_links_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "reports" / "README.md"]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text())]

    assert len(links) > 5
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []


def test_the_command_line_prints_what_is_shipped() -> None:
    for name in ("baseline", "record", "run"):
        done = subprocess.run(
            [sys.executable, "-m", "hubspec", "schema", name], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout == (ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text()
