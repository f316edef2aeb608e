"""The one message of a run: when it is due, what it says first, and that nothing in it calls anybody."""

from __future__ import annotations

import re

import pytest

from hubspec.message import LIMIT, message
from hubspec.model import Outcome
from hubspec.notice import WHEN, due
from hubspec.results import Whereabouts
from hubspec.tally import tallied
from tests.records import HOSTILE, all_drift, drifted, many, one_of_each, record, run, with_history

NEW = drifted(change="new")
STILL = drifted(change="still")
AGAIN = drifted(change="regressed")
GONE = record(change="fixed")
MENDED = record(outcome=Outcome.FIXED)
BLIND = record(outcome=Outcome.UNREADABLE, before=None)
ACCEPTED = drifted(outcome=Outcome.WAIVED, change="new", waiver={"owner": "Ada"})
DUE = [
    # records, exit code, the reasons for which a message is due
    ([record()], 0, ["always"]),
    ([NEW], 1, ["new", "always"]),
    ([AGAIN], 1, ["new", "always"]),
    ([STILL], 1, ["always"]),
    ([drifted()], 1, ["new", "always"]),
    ([ACCEPTED], 0, ["always"]),
    ([GONE], 0, ["fixed", "always"]),
    ([MENDED], 0, ["fixed", "always"]),
    ([BLIND], 11, ["blind", "always"]),
    ([NEW, GONE, BLIND], 1, ["new", "fixed", "blind", "always"]),
    ([STILL], 0, ["always"]),
    ([record()], 2, ["blind", "always"]),
    ([STILL], 11, ["blind", "always"]),
    ([], 11, ["blind", "always"]),
]


@pytest.mark.parametrize(("records", "code", "reasons"), DUE)
def test_when_it_is_due(records: list, code: int, reasons: list[str]) -> None:
    ended = run(exit_code=code)
    every = [one for one in WHEN if one != "never"]
    assert due(tallied(records), ended, every) == reasons
    assert due(tallied(records), ended, WHEN) == []
    for one in every:
        assert due(tallied(records), ended, [one]) == ([one] if one in reasons else [])
    assert due(tallied(records), ended, []) == []


@pytest.mark.parametrize("unknown", [{"missing": {"j-B": "it did not end"}}, {"unseen": ["eu-west-1 refuses"]}])
def test_a_cluster_of_which_nothing_is_known_could_not_be_looked_at(unknown: dict) -> None:
    ended = run(exit_code=1, clusters=["j-A", "j-B"], **unknown)
    told = message(tallied([STILL]), ended)
    assert due(tallied([STILL]), ended, ["blind"]) == ["blind"]
    assert told.kind == "warning"
    assert ("\n- `j-B`: nothing: `it did not end`\n" in told.text) == ("missing" in unknown)


KINDS = [
    ([NEW, BLIND], 1, "failure", "Not compliant"),
    ([STILL, BLIND], 1, "warning", "Not compliant"),
    ([record()], 2, "warning", "Compliance not shown"),
    ([STILL], 1, "info", "Not compliant"),
    ([GONE], 0, "success", "Compliant"),
]


@pytest.mark.parametrize(("records", "code", "kind", "headline"), KINDS)
def test_how_bad_it_is(records: list, code: int, kind: str, headline: str) -> None:
    told = message(tallied(records), run(exit_code=code, clusters=["j-A"]))
    assert told.kind == kind
    assert told.title.startswith(f"hubspec, j-A: {headline}")


def test_the_whole_of_a_night_that_has_nights_before_it() -> None:
    records, ended = with_history()
    command = drifted().actions[0]["command"]
    told = message(tallied(records), ended, "https://reports.example/{name}/report.html?a={run}&b=<2>")
    assert told.title == "hubspec, 2 clusters: Not compliant, 1 new, 1 fixed"
    assert told.text.splitlines() == [
        "1 of 6 checks found drift; 1 could not look. Since the last run: 1 new, 1 fixed.",
        "",
        "### New drift (1)",
        "",
        f"- **critical, new** `USR-01` `user mallory` on `research`: `mallory is an admin, and is not declared to be one.`; next: `{command}`",
        "",
        "### Clusters with something that could not be looked at (1)",
        "",
        "- `teaching`: 1 check: `Could not look: the container does not answer. Start it, then run again.`",
        "",
        "### Fixed (1)",
        "",
        "- `PKG-01` `package scipy` on `research`",
        "",
        "### To know (1)",
        "",
        "- `The waiver of PKG-01 for pandas on teaching ended on 2026-01-31; its drift counts again.`",
        "",
        "Report: https://reports.example/20260304T050607Z-run-1/report.html?a=run-1&b=<2>",
        "",
        "Run `run-1`, exit code 1, hubspec `0.1.0`.",
    ]


THERE = Whereabouts("s3://audits/runs/20260304T050607Z-run-1/")
LOST = Whereabouts("s3://audits/", "AWS refuses PutObject: <!channel> ask https://x/", "/var/lib/hubspec/unsent/a")
LINK = "https://reports.example/{name}/report.html"


def test_where_the_results_are() -> None:
    told = message(tallied([GONE]), run(exit_code=0, clusters=["j-A"]), LINK, THERE)
    assert told.title == "hubspec, j-A: Compliant, 1 fixed"
    assert told.kind == "success"
    assert "\nResults: `s3://audits/runs/20260304T050607Z-run-1/`\n" in told.text
    assert "\nReport: https://reports.example/20260304T050607Z-run-1/report.html\n" in told.text
    assert "exit code 0" in told.text


@pytest.mark.parametrize(
    ("records", "own", "kind"), [([GONE], 0, "warning"), ([NEW], 1, "failure"), ([BLIND], 11, "warning")]
)
def test_results_that_are_not_at_their_place(records: list, own: int, kind: str) -> None:
    ended = run(exit_code=own, clusters=["j-A"])
    told = message(tallied(records), ended, LINK, LOST)
    assert told.title.endswith(", results NOT at their place")
    assert told.kind == kind
    assert (
        "\n**The results are NOT in `s3://audits/`**: `AWS refuses PutObject: \u2039!channel\u203a ask https[:]//x/`."
        in told.text
    )
    assert "They are kept in `/var/lib/hubspec/unsent/a`." in told.text
    assert "Report:" not in told.text, "a link that leads there leads to nothing"
    assert f"exit code {20 + own}, " in told.text
    assert due(tallied(records), ended, ["blind"], lost=True) == ["blind"]
    assert due(tallied(records), ended, ["never", "blind"], lost=True) == []
    fixed = message(tallied(records), ended, "https://ci.example/jobs/7", LOST)
    assert "\nReport: https://ci.example/jobs/7\n" in fixed.text


@pytest.mark.parametrize("count", [1, 60, 6000])
def test_it_is_short_and_begins_with_the_worst(count: int) -> None:
    told = message(tallied([*many(count), *all_drift(count), *one_of_each()]), run(), "https://h/" + "x" * 200, LOST)
    assert len(told.text) <= LIMIT
    assert len(told.title) <= 200
    first, *_ = [line for line in told.text.splitlines() if line.startswith("- ")]
    assert first.startswith("- **critical** `USR-01` ")
    assert ("more\n" in told.text) == (count > 1)
    assert told.text.count("\nReport: https://h/x") == 1


def test_what_is_left_out_is_counted() -> None:
    told = message(tallied(all_drift(500)), run(exit_code=1))
    assert "### Drifted (500)\n\n- **critical** `USR-01` `user user-00001` on `teaching`: " in told.text
    assert "\n- and 99 more of `USR-01`, on 3 clusters\n- **high** " in told.text
    assert sum(map(int, re.findall(r"^- and (\d+) more", told.text, re.MULTILINE))) + told.text.count("\n- **") == 500


def test_each_sort_has_its_room() -> None:
    fleet = [one.model_copy(update={"cluster": f"j-{number:03}"}) for number in range(40) for one in many(200)]
    text = message(tallied(fleet), run(exit_code=1, clusters=[f"j-{number:03}" for number in range(40)])).text
    for headline in (
        "Drifted (280)",
        "Clusters with something that could not be looked at (40)",
        "Fixed (240)",
        "To know (1)",
    ):
        section = text.split(f"### {headline}\n\n")[1]
        assert re.match(r"- (?!and )", section), headline
    assert len(text) <= LIMIT


def test_a_few_of_a_control_are_all_named() -> None:
    three = [drifted(resource=name) for name in ("numpy", "pandas", "scipy")]
    text = message(tallied(three), run(exit_code=1)).text
    assert [name for name in ("numpy", "pandas", "scipy") if f"`package {name}` on" in text] == [
        "numpy",
        "pandas",
        "scipy",
    ]
    assert "more of" not in text
    assert "\n- and 3 more of `PKG-01`\n" in message(tallied([*three, drifted()]), run(exit_code=1)).text


@pytest.mark.parametrize(
    "what", [*HOSTILE, "@everyone", "<!channel>", "<@U123>", "HTTPS://evil.invalid", "a@b.example"]
)
def test_nothing_that_was_found_calls_anybody_or_leads_anywhere(what: str) -> None:
    ended = run(clusters=[what], notices=[what])
    told = message(tallied([drifted(resource=what, cluster=what, message=what)]), ended)
    for text in (told.title, told.text):
        assert not re.search(r"(?<!\w)@|[<>]|(?i:https?://)", text)
        assert text.replace("\n", "").isprintable()
    assert ("a@b.example" in told.text) == (what == "a@b.example")
