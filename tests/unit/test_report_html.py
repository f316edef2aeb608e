"""The HTML report as text: its structure, its numbers, its escapes, its size."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from hubspec.model import Outcome, Record, Severity
from hubspec.printable import printable
from hubspec.report.cells import copyable, visible
from hubspec.report.fields import rows
from hubspec.report.html import OUTCOMES, render, verdict, worst
from tests.readers import MAP
from tests.records import HOSTILE, all_drift, drifted, many, one_of_each, record, run, with_history

LIMIT = 5_000_000


class Page(HTMLParser):
    """Every tag with its attributes, as a parser sees them; bodies are read too, as without a script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def checks(self) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == "details" and "data-f" in attributes]


def tally(page: str) -> dict[str, int]:
    found = re.findall(r'<li data-outcome="([^"]+)">\s*<a[^>]*><strong>([\d,]+)', page)
    return {name: int(number.replace(",", "")) for name, number in found}


def matrix(page: str, key: str) -> dict[str, list[int]]:
    table = page.split(f'data-key="{key}"')[1].split("</table>", maxsplit=1)[0]
    lines = re.findall(r'<tr><th scope="row">([^<]+)</th>(.*)</tr>', table)
    return {
        name: [int(n.replace(",", "")) for n in re.findall(r"<td><(?:a|span)[^>]*>([\d,]+)<", cells)]
        for name, cells in lines
    }


def test_numbers_equal_the_records() -> None:
    records = many(203) + one_of_each()
    page = render(records, run())
    by_outcome = Counter(r.outcome for r in records)
    assert tally(page) == {str(o): by_outcome[o] for o in OUTCOMES}
    assert Counter(c["class"] for c in Page(page).checks()) == {o.replace(" ", "-"): n for o, n in by_outcome.items()}
    for key in ("severity", "kind", "cluster"):
        lines = matrix(page, key)
        assert set(lines) >= {str(getattr(r, key)) for r in records}
        for name, cells in lines.items():
            mine = Counter(r.outcome for r in records if getattr(r, key) == name)
            assert cells == [*(mine[o] for o in OUTCOMES), mine.total()], (key, name)


def test_every_outcome_and_severity_has_a_place() -> None:
    assert set(OUTCOMES) == set(Outcome)
    for severity in Severity:
        assert f'class="{severity}"' in render([record(severity=severity)], run())


def test_same_records_give_same_bytes_in_any_order() -> None:
    records = many(64)
    assert render(records, run()) == render(list(records), run())
    assert render(records[::-1], run()) == render(records, run())


@pytest.mark.parametrize("made", [many, all_drift])
def test_six_thousand_records_stay_small(made: Callable[[int], list[Record]]) -> None:
    page = render(made(6000), run())
    assert len(page.encode()) < LIMIT
    assert len(Page(page).checks()) == 6000


def test_what_there_is_no_room_for_is_packed_the_least_urgent_last() -> None:
    records = sorted(all_drift(6000), key=lambda one: one.resource)
    page = render(records, run())
    packed = re.search('<script id="packed" type="text/plain">([^<]*)</script>', page)
    assert packed
    bodies = json.loads(gzip.decompress(base64.b64decode(packed[1])))
    assert page.count("<noscript><div><div>") + len(bodies) == 6000
    assert page.count("<noscript><div><div>") > 2000
    assert f"What {len(bodies):,} less urgent checks found is packed" in page
    text = page + "".join(bodies)
    assert [one for one in records[::97] if one.message not in text] == []
    assert 'id="packed"' not in render(many(500), run())


def test_history_waivers_and_requirements_are_on_the_page() -> None:
    records, about = with_history()
    page = Page(render(records, about))
    text = " ".join(page.text.split())
    for said in ("1 new, 1 still, 1 fixed since the run of 2026-03-03 05:06:07 UTC", "It drifts since 2026-03-01",
                 "waiver w2 of Ada (OPS-7) expired on 2026-01-31", "waivers.yaml:3", "By requirement", "NIST 800-53"):  # fmt: skip
        assert said in text
    bars = [a for tag, a in page.tags if tag == "rect"]
    assert len(bars) == sum(bool(point[level]) for point in about.trend for level in ("critical", "high", "medium"))
    assert sum(float(bar["height"] or 0) for bar in bars) <= 96 * 10
    assert "Trend" not in Page(render(records, run())).text
    assert "NIST 800-53 NIST SP 800-53 5.1.1: " in " ".join(Page(render(records, run(frameworks=[MAP]))).text.split())


def test_standing_of_a_requirement_is_that_of_its_checks() -> None:
    text = re.sub(r"<[^>]*>", " ", render(one_of_each(), run()).split('id="requirements"')[1].split("</section>")[0])
    assert re.search(r"CM-2\s+failed", " ".join(text.split()))


def test_anchors_are_unique_and_stay_from_run_to_run() -> None:
    records = [*many(40), record(), record()]
    ids = [c["id"] for c in Page(render(records, run())).checks()]
    assert len(set(ids)) == len(records)
    alone = Page(render([record(run="run-2", message="Other words.")], run(id="run-2"))).checks()[0]["id"]
    assert alone in ids


def test_one_file_and_a_policy_that_lets_only_its_own_script_and_style_in() -> None:
    page = render(one_of_each(), run())
    tags = Page(page).tags
    assert not [a for tag, a in tags if "src" in a or any(name.startswith("on") or name == "style" for name in a)]
    assert [a["href"] for tag, a in tags if tag == "link"] == ["data:,"]
    assert not [a for tag, a in tags if tag == "a" and not (a["href"] or "").startswith("#")]
    policy = next(a["content"] or "" for _, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        inline = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert len(inline) == 1
        digest = base64.b64encode(hashlib.sha256(inline[0].encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def all_hostile(text: str) -> Record:
    differences = [{"field": text, "wanted": text, "found": [text]}]
    action = {"sentence": text, "door": text, "request": text, "command": text, "safety": text, "result": text}
    return record(
        outcome=Outcome.DRIFTED, cluster=text, kind=text, resource=text, test=text, control=text, title=text, why=text,
        tags={text: [text]}, message=text, expected={text: text}, before={text: [text, {text: text}]},
        differences=differences, actions=[action], declared_at=text, door=text, evidence=text,
        waiver={"reason": text, "owner": text, "ticket": text, "until": text},
    )  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_adds_no_tag_and_no_attribute(text: str) -> None:
    def shape(value: str) -> list[tuple[str, list[str]]]:
        stated: dict[str, Any] = dict.fromkeys(("id", "version", "command"), value) | {"round_trips": {value: 1}}
        lists = {"clusters": [value], "baselines": [value], "notices": [value]}
        tags = Page(render([all_hostile(value)], run(**stated, **lists))).tags
        return [
            (tag, sorted(a))
            for tag, a in tags
            if not (tag == "i" and a.get("class") == "x") and a.get("class") != "note"
        ]

    def harmless(shape: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
        return [(tag, [name for name in names if name != "class"]) for tag, names in shape]

    assert harmless(shape(text)) == harmless(shape("harmless"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_can_be_read(text: str) -> None:
    assert printable(text) in Page(render([record(resource=text)], run())).text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1bb", r"a\x1bb"),
        ("a\u202eb", r"a\u202eb"),
        ("a\nb", r"a\nb"),
        ("a\u200bb", r"a\u200bb"),
        ("a\u3164b", r"a\u3164b"),
        ("a\ud800b", r"a\ud800b"),
        ("Zoë 日本", "Zoë 日本"),
    ],
)
def test_characters_that_do_not_show_are_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert unescape(re.sub("<[^>]*>", "", visible(text))) == shown
    assert ('class="x"' in visible(text)) == (text != shown)
    render([record(resource=text, expected={"name": text})], run()).encode()


def test_only_a_text_that_shows_all_it_holds_can_be_copied() -> None:
    assert copyable("first line\n\tsecond")
    assert not copyable("ls \u202e")
    assert not copyable("ls\r\x1b[2K rm")


@pytest.mark.parametrize(
    ("outcomes", "exit_code", "headline", "sentence"),
    [
        (["compliant", "drifted", "unreadable"], 1, "Not compliant", "1 of 3 checks found drift; 1 could not look."),
        (["compliant", "unreadable"], 1, "Compliance not shown", "1 of 2 checks could not look and the run ended"),
        (["compliant"], 3, "Compliance not shown", "the run ended with exit code 3"),
        (["not applicable"], 0, "Nothing was checked", "1 check ran, and none applied"),
        ([], 0, "Nothing was checked", "0 checks ran"),
        (["compliant", "waived"], 0, "Compliant, with 1 waived", "1 of 2 checks that apply hold."),
        (["compliant", "fixed"], 0, "Compliant", "1 held only after a fix"),
        (["compliant", "not applicable"], 0, "Compliant", "1 of 1 check that apply hold."),
    ],
)
def test_verdict(outcomes: list[str], exit_code: int, headline: str, sentence: str) -> None:
    told = verdict([record(outcome=outcome) for outcome in outcomes], run(exit_code=exit_code))
    assert told.headline == headline
    assert sentence in told.sentence
    page = render([record(outcome=outcome) for outcome in outcomes], run(exit_code=exit_code))
    assert re.search(rf'<h1 id="verdict"[^>]*>{headline}</h1>', page)


def test_worst_names_the_most_severe_first_and_counts_those_alike() -> None:
    low = [drifted(control="L", severity=Severity.LOW, resource=str(i)) for i in range(3)]
    blind = record(control="C", severity=Severity.CRITICAL, outcome=Outcome.UNREADABLE, before=None)
    critical = drifted(control="C", severity=Severity.CRITICAL)
    told = [(r.control, r.outcome, n) for r, n in worst([*low, blind, critical, record(control="fine")])]
    assert told == [("C", Outcome.DRIFTED, 1), ("C", Outcome.UNREADABLE, 1), ("L", Outcome.DRIFTED, 3)]


def test_rows_put_what_differs_first_and_keep_what_does_not() -> None:
    assert [
        (r.name, r.differs, r.cells) for r in rows(drifted(expected={"manager": "conda", "version": "1.26.4"}))
    ] == [
        ("version", True, ["1.26.4", "1.24.0"]),
        ("manager", False, ["conda", "conda"]),
    ]


def test_rows_of_a_fix_show_before_and_after() -> None:
    fixed = drifted(outcome=Outcome.FIXED, after={"version": "1.26.4", "manager": "conda"})
    assert rows(fixed)[0].cells == ["1.26.4", "1.24.0", "1.26.4"]
    assert "<th>Before<th>After" in render([fixed], run())


@pytest.mark.parametrize(
    ("outcome", "cell"),
    [(Outcome.UNREADABLE, "not read"), (Outcome.NOT_APPLICABLE, "not read"), (Outcome.DRIFTED, "not there")],
)
def test_not_read_is_not_the_same_as_not_there(outcome: Outcome, cell: str) -> None:
    (row,) = rows(record(outcome=outcome, before=None, expected={"version": "1"}))
    assert cell in row.cells[1]


@pytest.mark.parametrize(("ensure", "cell"), [("absent", "not there"), ("present", "not reported")])
def test_fields_of_a_thing_that_is_absent_are_not_there(ensure: str, cell: str) -> None:
    told = rows(record(outcome=Outcome.DRIFTED, expected={"ensure": "present", "uid": 7}, before={"ensure": ensure}))
    assert cell in told[1].cells[1]


@pytest.mark.parametrize(("wanted", "found"), [("1", 1), ("true", True), ("[]", []), (["a, b"], ["a", "b"])])
def test_two_values_that_differ_never_look_alike(wanted: object, found: object) -> None:
    difference = {"field": "f", "wanted": wanted, "found": found}
    (row,) = rows(record(expected={"f": wanted}, before={"f": found}, differences=[difference]))
    assert re.sub("</?mark>", "", row.cells[0]) != re.sub("</?mark>", "", row.cells[1])


def test_a_list_marks_what_the_other_side_lacks() -> None:
    (row,) = rows(record(expected={"admins": ["ada", "bob"]}, before={"admins": ["ada", "eve"]}))
    assert row.cells == ["ada, <mark>bob</mark>", "ada, <mark>eve</mark>"]


def test_everything_a_record_says_is_on_the_page() -> None:
    for each in one_of_each():
        text = " ".join(Page(render([each], run())).text.split())
        said = [each.cluster, each.kind, each.resource, each.control, each.title, each.severity, each.why, each.message,
                each.declared_at, each.evidence, each.test, each.door, "2026-03-04 05:06:07 UTC", "0.25 s",
                *each.tags, *(i for ids in each.tags.values() for i in ids), *(each.waiver or {}).values(),
                *(a[k] for a in each.actions for k in a if a[k]), *map(str, each.expected)]  # fmt: skip
        assert [s for s in said if s not in text] == []


def test_everything_a_run_says_is_on_the_page() -> None:
    notices = [f"Notice number {i}." for i in range(7)]
    text = " ".join(Page(render([], run(notices=notices, exit_code=4))).text.split())
    said = [*notices, "research, teaching", "baselines/teaching.yaml", "42.5 s, 12 through docker, 3 through hub",
            "pytest checks --cluster research", "exit code 4", "run-1", "hubspec 0.1.0"]  # fmt: skip
    assert [s for s in said if s not in text] == []
