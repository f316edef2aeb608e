"""The Markdown summary: it fits a message, begins with the worst, and nothing in it is markup but ours."""

from __future__ import annotations

import pytest

from tests.readers import made
from tests.records import HOSTILE, drifted, many, one_of_each, run


@pytest.mark.parametrize("count", [1, 60, 6000])
def test_the_summary_fits_a_message_and_begins_with_the_worst(count: int) -> None:
    summary = made("markdown", [*one_of_each(), *many(count)])
    assert len(summary) <= 3500
    assert summary.startswith("## Not compliant\n")
    found = summary.split("### Drifted")[1].splitlines()
    assert found[2].startswith("- **critical** `USR-01` `user ")
    assert ("- and " in summary) == (count == 6000)
    assert "exit code 1" in summary
    assert summary.count("\n| ") == 2 + len({one.cluster for one in [*one_of_each(), *many(count)]})


def test_no_half_of_a_command_is_in_the_summary() -> None:
    for command in ("x" * 161, "echo `id`", "a | b"):
        action = drifted().actions[0] | {"command": command}
        assert "; next: `Install numpy 1.26.4 with conda.`\n" in made("markdown", [drifted(actions=[action])])
    assert f"; next: `{drifted().actions[0]['command']}`\n" in made("markdown", [drifted()])


@pytest.mark.parametrize("what", [*HOSTILE, "a `b` c | d", "@here <!channel> ![x](https://leak.invalid)"])
def test_what_was_found_is_no_markup_in_the_summary(what: str) -> None:
    one = drifted(resource=what, cluster=what, message=what)
    spans = made("markdown", [one], run(notices=[what])).split("`")
    assert len(spans) % 2 == 1
    assert not any(mark in "".join(spans[::2]) for mark in ("<", "@", "![", "leak.invalid", "javascript"))
