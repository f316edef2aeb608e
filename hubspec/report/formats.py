"""Every format by the name that `--report` has for it: its file, and the function over the records that makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module

from hubspec.faults import nearest
from hubspec.model import Record, Run

RECORDS = "records.jsonl"
"""Written in every run: what a report is made from."""
RUN = "run.json"
"""Written in every run too: the run itself, as `Run` of the model. With the records it is all that a report says."""
ALLURE = "allure"
"""A folder, with a file or more for each record."""
EVERY = "all"
DEFAULT = ("html", "junit", ALLURE)
OF_MANY = ("html", "junit")
"""The default of a fleet, in the report of each cluster too, and of a merged report."""
Piece = str | tuple[str, bytes]
"""Of a file: its next text. Of a folder: the name and the content of its next file."""


@dataclass(frozen=True)
class Format:
    """A file of a report, or a folder. `module` is the file of hubspec/report that renders it."""

    file: str
    module: str
    about: str

    def render(self, records: Sequence[Record], run: Run) -> Iterable[Piece]:
        """Return it in pieces. The same records and run give the same."""
        # Imported when asked for: who wants CSV does not wait for a template engine.
        made = _render(self.module)(records, run)
        return [made] if isinstance(made, str) else made


FORMATS = {
    "html": Format("report.html", "html", "for people: one file, without a network"),
    "junit": Format("junit.xml", "junit", "for CI servers: JUnit XML"),
    ALLURE: Format("allure-results", "allure", "for Allure: a folder of results"),
    "ocsf": Format("ocsf.json", "ocsf", "for SIEMs and security lakes: OCSF 1.5.0 Compliance Findings, a JSON array"),
    "sarif": Format("report.sarif", "sarif", "for readers of SARIF 2.1.0: every check, whatever it found"),
    "code-scanning": Format(
        "code-scanning.sarif", "code_scanning", "for GitHub's code scanning: SARIF 2.1.0 of what is open"
    ),
    "oscal": Format("oscal-assessment-results.json", "oscal", "for auditors: NIST OSCAL 1.1.3 assessment results"),
    "hdf": Format("hdf.json", "hdf", "for MITRE Heimdall: Heimdall Data Format, the JSON of `inspec exec`"),
    "csv": Format("records.csv", "csv", "for spreadsheets: RFC 4180"),
    "markdown": Format("summary.md", "markdown", "for a chat message or a job summary: at most 3,500 characters"),
}
"""Name -> format, in the order in which they are written."""


def chosen(text: str | None, default: Sequence[str] = DEFAULT) -> list[str]:
    """Return the names that a list with commas asks for, in the order of FORMATS; the default for none.

    Raises ValueError, with the nearest name, for one that there is not.
    """
    names = [name.strip() for name in (text or "").split(",") if name.strip()] or list(default)
    for name in names:
        if name != EVERY and name not in FORMATS:
            raise ValueError(f"there is no format {name!r}; {nearest(name, [*FORMATS, EVERY])}")
    return [name for name in FORMATS if EVERY in names or name in names]


def first(names: Sequence[str]) -> str:
    """Return the file that a person is led to: the HTML page, else the first of what was asked for."""
    return FORMATS[names[0]].file


def _render(module: str) -> Callable[[Sequence[Record], Run], str | Iterable[Piece]]:
    render: Callable[[Sequence[Record], Run], str | Iterable[Piece]] = import_module(f"hubspec.report.{module}").render
    return render
