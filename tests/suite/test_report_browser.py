"""The HTML report in a real browser: filters, links, keyboard, copying, themes, paper, and names made to break it."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from hubspec.model import Outcome, Record, Run
from hubspec.printable import printable
from hubspec.report.html import OUTCOMES, render
from tests.records import HOSTILE, all_drift, drifted, many, one_of_each, record, run, with_history

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[dev]'")
AXE_SCRIPT = Path(axe_playwright_python.__file__).parent / "axe.min.js"
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium: install Debian's with `apt-get install chromium`"
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
RECORDS = [*many(48), *one_of_each()]
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any, tmp_path: Path) -> Iterator[Open]:
    """Open a report; at the end, no page may have logged, raised, asked a question or asked the network."""
    faults: list[str] = []
    contexts = []

    def ask(dialog: Any) -> None:
        faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def fetch(request: Any) -> None:
        if not request.url.startswith(("file:", "data:")):
            faults.append(f"request: {request.url}")

    def watch(page: Any) -> None:
        page.on("console", lambda message: faults.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("dialog", ask)
        page.on("request", fetch)

    def go(
        records: Sequence[Record] = RECORDS,
        hash_: str = "",
        *,
        width: int = 1280,
        about: Run | None = None,
        **options: Any,
    ) -> Any:
        file = tmp_path / "report.html"
        file.write_text(render(records, about or run()), encoding="utf-8")
        context = chromium.new_context(viewport={"width": width, "height": 900}, **options)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        watch(page)
        page.goto(file.as_uri() + hash_)
        return page

    yield go
    for context in contexts:
        context.close()
    assert faults == []


def shown(page: Any) -> list[str]:
    return page.locator("#list > details:not([hidden])").evaluate_all("rows => rows.map(row => row.id)")  # type: ignore[no-any-return]


def count(page: Any) -> str:
    return page.locator("#count").inner_text()  # type: ignore[no-any-return]


def row(page: Any, text: str) -> Any:
    return page.locator("#list > details", has_text=text).first


def box(page: Any, name: str) -> Any:
    return page.get_by_role("checkbox", name=re.compile(f"^{name} ")).first  # 'fixed' is an outcome, and a change


def follow(link: Any) -> None:
    """Click a link to a filter, and return when the page has followed it."""
    link.evaluate(
        "a => new Promise(done => { addEventListener('hashchange', () => done(), { once: true }); a.click(); })"
    )


def told(number: int) -> str:
    return f"{number} of {len(RECORDS)} checks"


def query(page: Any) -> str:
    return page.evaluate("decodeURIComponent(location.hash)")  # type: ignore[no-any-return]


@pytest.mark.parametrize("outcome", list(OUTCOMES))
def test_filter_by_outcome(visit: Open, outcome: Outcome) -> None:
    page = visit()
    box(page, outcome).check()
    wanted = sum(r.outcome is outcome for r in RECORDS)
    assert (len(shown(page)), count(page)) == (wanted, told(wanted))
    assert page.locator(f"#list > .{outcome.replace(' ', '-')}:not([hidden])").count() == wanted


@pytest.mark.parametrize("severity", ["critical", "high", "medium", "low"])
def test_filter_by_severity(visit: Open, severity: str) -> None:
    page = visit()
    box(page, severity).check()
    assert count(page) == told(sum(r.severity == severity for r in RECORDS))
    seen = page.locator("#list > details:not([hidden]) > summary > i").all_inner_texts()
    assert set(seen) == {severity}


@pytest.mark.parametrize(("key", "value"), [("kind", "user"), ("cluster", "teaching"), ("control", "KRN-01")])
def test_filter_by_a_list(visit: Open, key: str, value: str) -> None:
    page = visit()
    page.get_by_label(key.capitalize(), exact=True).select_option(value)
    assert count(page) == told(sum(getattr(r, key) == value for r in RECORDS))
    assert f"{key}: {value}" in page.locator("#active").inner_text()


def test_filters_narrow_each_other_and_two_outcomes_widen(visit: Open) -> None:
    page = visit()
    for outcome in ("drifted", "fixed"):
        box(page, outcome).check()
    page.get_by_label("Kind").select_option("package")
    assert count(page) == told(sum(r.outcome in {"drifted", "fixed"} and r.kind == "package" for r in RECORDS))
    page.get_by_role("button", name="Clear filters").click()
    assert count(page) == f"{len(RECORDS)} checks"
    assert query(page) == ""


@pytest.mark.parametrize(
    ("words", "number"),
    [("mallory", 1), ("MALLORY admin", 1), ("ac-6", sum("AC-6" in str(r.tags) for r in RECORDS)), ("no such thing", 0)],
)
def test_search(visit: Open, words: str, number: int) -> None:
    page = visit()
    page.get_by_label("Search").fill(words)
    assert (count(page), len(shown(page))) == (told(number), number)
    assert page.locator("#nothing").is_visible() == (number == 0)


@pytest.mark.parametrize("word", ["noscript", "<td>", "&lt;", "quot"])
def test_search_reads_the_text_and_not_its_markup(visit: Open, word: str) -> None:
    page = visit([record(resource="a<b", expected={"path": 'a<b & "c"'}), record()])
    page.get_by_label("Search").fill(word)
    assert count(page) == "0 of 2 checks"
    page.get_by_label("Search").fill('a<b & "c"')
    assert count(page) == "1 of 2 checks"


def test_address_holds_the_filters_and_brings_them_back(visit: Open) -> None:
    page = visit()
    box(page, "drifted").check()
    box(page, "critical").check()
    page.get_by_label("Cluster").select_option("research")
    page.get_by_label("Search").fill("mallory")
    assert query(page) == "#outcome=drifted&severity=critical&cluster=research&q=mallory"
    again = visit(RECORDS, page.evaluate("location.hash"))
    assert (shown(again), count(again)) == (shown(page), told(1))
    assert box(again, "drifted").is_checked()
    assert again.get_by_label("Search").input_value() == "mallory"
    assert again.get_by_label("Cluster").input_value() == "research"


def test_address_with_unknown_values_shows_everything(visit: Open) -> None:
    assert count(visit(RECORDS, "#kind=nothing&bad=%00%zz&cluster=__proto__")) == f"{len(RECORDS)} checks"


def test_every_number_of_the_summary_is_a_filter_with_that_many_checks(visit: Open) -> None:
    page = visit()
    links = page.locator(".matrix td a, .tally a")
    assert links.count() > len(OUTCOMES)
    for link in links.all():
        follow(link)
        number = int(re.match(r"\d+", link.inner_text())[0])  # type: ignore[index]
        assert len(shown(page)) == number, link.get_attribute("href")


def test_most_severe_leads_to_its_checks(visit: Open) -> None:
    page = visit()
    follow(page.locator(".worst a").first)
    wanted = [r for r in RECORDS if (r.outcome, r.severity) == ("drifted", "critical")]
    assert len(shown(page)) == max(Counter(r.control for r in wanted).values())


def test_link_to_one_check_opens_it_even_when_a_filter_hides_it(visit: Open) -> None:
    page = visit()
    name = row(page, "torch").get_attribute("id")
    box(page, "drifted").check()
    page.evaluate(f"location.hash = '{name}'")
    page.wait_for_function(f"document.getElementById('{name}').open")
    assert count(page) == f"{len(RECORDS)} checks"
    assert page.evaluate("document.activeElement.parentElement.id") == name
    other = visit(RECORDS, f"#{name}")
    assert other.locator("details[open]").evaluate_all("rows => rows.map(row => row.id)") == [name]
    assert row(other, "torch").evaluate("row => row.getBoundingClientRect().top") < 900


def test_open_check_says_everything(visit: Open) -> None:
    page = visit(one_of_each())
    drift = row(page, "mallory")
    drift.locator("summary").click()
    text = drift.inner_text()
    for said in ("is not declared to be one", "Next steps", "conda install", "A notebook gives other", "CM-2, CM-6",
                 "baselines/research.yaml:12", "conda list --json", "2026-03-04 05:06:07 UTC", "test_declared["):  # fmt: skip
        assert said in text
    assert drift.locator("tr.differs").inner_text().split() == ["admin", "false", "true"]
    waived = row(page, "pandas")
    waived.locator("summary").click()
    assert "OPS-7" in waived.inner_text()
    fixed = row(page, "scipy")
    fixed.locator("summary").click()
    assert fixed.locator("tr").first.inner_text().split() == ["Field", "Wanted", "Before", "After"]
    assert "done, exit code 0" in fixed.inner_text()


def test_keyboard_alone_opens_a_check(visit: Open) -> None:
    page = visit(one_of_each())
    page.locator("#clear").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.locator("#list > details").first.evaluate("row => row.open")
    page.keyboard.press("Space")
    assert not page.locator("#list > details").first.evaluate("row => row.open")


def test_page_has_landmarks_names_and_headings_in_order(visit: Open) -> None:
    page = visit()
    assert [page.get_by_role(role).count() for role in ("main", "banner", "search")] == [1, 1, 1]
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(one => +one.tagName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.locator("#count").get_attribute("aria-live") == "polite"
    unnamed = "all => all.filter(one => !one.labels.length).length"
    assert page.locator("input, select").evaluate_all(unnamed) == 0


def test_copy_takes_exactly_the_command(visit: Open) -> None:
    page = visit([drifted()])
    check = page.locator("#list > details")
    check.locator("summary").click()
    check.locator("li .copy").click()
    check.locator("li .copy", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == drifted().actions[0]["command"]
    assert page.locator("#said").inner_text() == "Copied"
    check.locator("code + .copy").click()
    check.locator("code + .copy", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == drifted().test


def test_command_with_hidden_characters_has_no_copy_button(visit: Open) -> None:
    action = {**drifted().actions[0], "command": "ls \u202e; rm"}
    page = visit([drifted(actions=[action], test="a\x1bb")])
    page.locator("#list summary").click()
    assert "ls \\u202e; rm" in page.locator("#list pre.raw").inner_text()
    assert page.locator("#list li .copy, #list code + .copy").count() == 0


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
def test_theme_follows_the_system_and_the_button_turns_it(visit: Open, scheme: str, other: str) -> None:
    def bright(page: Any) -> bool:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)[:3])) > 3 * 128

    page = visit(one_of_each(), color_scheme=scheme)
    assert bright(page) == (scheme == "light")
    page.locator("#theme").click()
    assert bright(page) == (other == "light")
    assert page.locator("#theme").get_attribute("aria-pressed") == str(other == "dark").lower()
    stored = page.evaluate("({...localStorage})")
    # Between its processes a busy Chromium loses what a page stored, 1 time in 100; what the page makes of it is meant here.
    page.add_init_script(f"Object.assign(localStorage, {json.dumps(stored)})")
    page.reload()
    assert bright(page) == (other == "light")


CONTRAST = """() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("body *")]
    .filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(e => [light(rgb(getComputedStyle(e).color)), light(ground(e)), e.outerHTML.slice(0, 80)])
    .map(([a, b, html]) => [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), html])
    .filter(([ratio]) => ratio < 4.5);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_of_wcag_aa(visit: Open, scheme: str) -> None:
    page = visit([*one_of_each(), drifted(resource="hidden\u202e")], color_scheme=scheme)
    for summary in page.locator("#list > details > summary").all():
        summary.click()
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [400, 1280])
def test_page_never_scrolls_sideways(visit: Open, width: int) -> None:
    long = "x" * 300
    page = visit(
        [*one_of_each(), drifted(resource=long, kind=long, cluster=long, evidence=long, message=long)], width=width
    )
    for summary in page.locator("#list > details > summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_paper_shows_what_needs_attention_in_full_and_no_controls(visit: Open) -> None:
    page = visit(one_of_each(), color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("main > section > details:not([open])").count() == 0
    opened = page.locator("#list > details[open]").evaluate_all("rows => rows.map(row => row.className)")
    assert sorted(opened) == ["drifted", "fixed", "unreadable", "waived"]
    assert page.locator("form, button").evaluate_all("all => all.filter(one => one.checkVisibility()).length") == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.get_by_text("conda install --yes").first.is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#list > details[open]").count() == 0
    assert page.pdf().startswith(b"%PDF")


def test_without_script_everything_can_be_read(visit: Open) -> None:
    page = visit(one_of_each(), java_script_enabled=False)
    assert page.locator("noscript > .note").is_visible()
    assert not page.locator("#filters").is_visible()
    row(page, "mallory").locator("summary").click()
    body = row(page, "mallory").locator("noscript > div")
    assert body.is_visible()
    assert "mallory is an admin, and is not declared to be one." in body.inner_text()
    evidence = page.locator("#evidence li").first
    evidence.scroll_into_view_if_needed()
    assert evidence.get_by_text("conda list --json").is_visible()


def hostile(text: str) -> Record:
    action = {"sentence": text, "door": text, "request": text, "command": text, "safety": text, "result": text}
    return record(
        outcome=Outcome.DRIFTED, cluster=text, kind=text, resource=text, test=text, control=text, title=text, why=text,
        tags={text: [text]}, message=text, expected={text: text}, before={text: [text, {text: text}]},
        differences=[{"field": text, "wanted": text, "found": [text]}], actions=[action], declared_at=text, door=text,
        evidence=text, waiver={"reason": text, "owner": text, "ticket": text, "until": text},
    )  # fmt: skip


def test_hostile_names_are_text_and_nothing_else(visit: Open) -> None:
    page = visit([hostile(text) for text in HOSTILE])
    for each in page.locator("#list > details").all():
        each.locator("summary").click()
        each.hover()
    for part in ("summary > span:nth-of-type(2)", "th:first-child", "li > span", "dl:last-child dd:first-of-type"):
        seen = " ".join(page.locator(f"#list > details {part}").all_text_contents())
        assert [name for name in HOSTILE if printable(name) not in seen] == [], part
    assert page.locator("#list script, #list img, #list [onmouseover], #list [onfocus]").count() == 0
    assert page.locator("a").evaluate_all("all => all.filter(a => !a.getAttribute('href').startsWith('#')).length") == 0
    for link in page.locator(".matrix tbody td:last-child a").all():
        follow(link)
        assert len(shown(page)) == int(link.inner_text())
    for select in ("kind", "cluster", "control"):
        page.locator("#clear").click()
        for name in HOSTILE:
            page.locator(f"select[name={select}]").select_option(printable(name))
            assert len(shown(page)) == 1
            assert count(page) == f"1 of {len(HOSTILE)} checks"


def test_policy_stops_a_script_that_got_in(chromium: Any, tmp_path: Path) -> None:
    file = tmp_path / "broken.html"
    bad = "<img src=x onerror=\"document.title='in'\"><script>document.title='in'</script></main>"
    file.write_text(render(one_of_each(), run()).replace("</main>", bad), encoding="utf-8")
    page = chromium.new_page()
    page.goto(file.as_uri())
    page.wait_for_timeout(200)
    assert page.title() != "in"
    page.close()


def test_six_thousand_checks_open_and_filter_quickly(visit: Open) -> None:
    page = visit(many(6000))
    timing = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < 2000
    assert timing < 5000
    page.get_by_label("Search").fill("user-00001")
    assert count(page) == "1 of 6,000 checks"


@pytest.mark.parametrize("change", ["new", "still", "fixed"])
def test_filter_by_change(visit: Open, change: str) -> None:
    records, about = with_history()
    page = visit(records, about=about)
    follow(page.locator("#changed a", has_text=change))
    assert page.locator("#list > details:not([hidden]) em").all_text_contents() == [change]
    assert len(shown(page)) == 1
    assert query(page) == f"#change={change}"


def test_filter_by_requirement(visit: Open) -> None:
    page = visit()
    options = page.locator("select[name=requirement] option").all_inner_texts()[1:]
    assert options
    for option in options:
        name, number = re.fullmatch(r"(.*) \((\d+)\)", option).groups()  # type: ignore[union-attr]
        page.get_by_label("Requirement", exact=True).select_option(name)
        wanted = sum(f"{f} {id_}" == name for r in RECORDS for f, ids in r.tags.items() for id_ in ids)
        assert (len(shown(page)), int(number)) == (wanted, wanted), name
    page.locator("#clear").click()
    page.locator(".framework summary").first.click()
    link = page.locator(".framework a").first
    follow(link)
    assert page.locator("#active").inner_text().startswith("requirement: ")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_axe_finds_nothing(visit: Open, scheme: str, width: int) -> None:
    records, about = with_history()
    page = visit([*records, drifted(resource="hidden\u202e")], about=about, color_scheme=scheme, width=width)
    for summary in page.locator("summary").all():
        summary.click()
    # The page's own policy lets no script in; axe is evaluated through the browser's debugger, which asks no policy.
    page.evaluate(AXE_SCRIPT.read_text(encoding="utf-8"))
    told = page.evaluate("() => axe.run(document)")
    assert len(told["passes"]) > 20, "it looked"
    found = told["violations"]
    assert [(one["impact"], one["id"], one["nodes"][0]["html"]) for one in found] == []


@pytest.mark.parametrize("width", [400, 1280])
def test_history_and_waivers_never_scroll_sideways(visit: Open, width: int) -> None:
    records, about = with_history()
    page = visit(records, about=about, width=width)
    for summary in page.locator("main summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.get_by_role("img", name="Drift after each of 10 runs").is_visible()


def test_six_thousand_drifts_open_are_searched_and_opened(visit: Open) -> None:
    records = all_drift(6000)
    page = visit(records)
    timing = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert timing < 5000
    last = page.locator("#list > details").last
    resource = re.search(r"\w+-\d{5}", last.locator("summary").text_content())[0]
    page.wait_for_function("!!document.getElementById('packed')")
    page.get_by_label("Search").fill(f"{resource}==")
    page.wait_for_function("document.getElementById('count').textContent.startsWith('1 of')")
    last.locator("summary").click()
    last.locator("pre").first.wait_for()
    assert f"{resource}==" in last.inner_text()
    last.locator("li .copy").click()
    last.locator("li .copy", has_text="Copied").wait_for()
    assert resource in page.evaluate("navigator.clipboard.readText()")


def test_link_to_a_packed_check_opens_it(visit: Open) -> None:
    page = visit(all_drift(6000))
    name = page.locator("#list > details").last.get_attribute("id")
    other = visit(all_drift(6000), f"#{name}")
    other.locator(f"#{name} pre").first.wait_for()
    assert other.locator("details[open]").evaluate_all("rows => rows.map(row => row.id)") == [name]
