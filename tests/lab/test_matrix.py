"""The oldest and the newest hub: audit, smoke tests, and the breaks that depend on the hub's version. It runs last.

`make matrix` does the same for every version, with all breaks. The default lab is put back, also after a failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import emr
import pytest

import lab
from lab import Lab, breaks, hub
from lab.breaks import BREAKS
from lab.versions import DEFAULT, VERSIONS, at_least
from tests.conftest import Audit, Run
from tests.lab.red import not_applicable, silent, turns_red

OLDEST, *_, NEWEST = VERSIONS
SCOPES_SINCE = "2.0"
ANY_HUB = {"container", "user", "package", "file", "kernel", "config", "step", "cluster"}
"""Kinds that are read and put right past the hub, so that its version makes no difference; test_breaks.py has them."""
OF_THE_HUB = [name for name, entry in BREAKS.items() if entry.kind not in ANY_HUB and not entry.smoke]
"""Without those that only a smoke test sees: each waits for its deadline. `make matrix` has them too."""


@pytest.fixture(scope="module", autouse=True)
def _default_again() -> Iterator[None]:
    """Put the default lab back at the end, whatever became of the others."""
    yield
    lab.up(print, hub=DEFAULT)


@pytest.fixture(scope="module", params=[OLDEST, NEWEST])
def here(request: pytest.FixtureRequest) -> Lab:
    return lab.up(print, hub=request.param)


def test_it_is_that_version(here: Lab) -> None:
    assert hub.must(here, "GET", "/") == {"version": here.version}
    assert hub.token_works(here)
    assert lab.up(pytest.fail) == here, "up without a version leaves the lab that is there"
    assert lab.up(pytest.fail, hub=here.version) == here


def test_it_is_as_declared_and_works(here: Lab, audit: Audit) -> None:
    run = audit("--cluster", "lab", "--smoke")

    assert run.code == 0, run.text
    assert set(run.outcomes()) <= {"compliant", "not applicable"}
    assert not_applicable(run) == silent(here.version)
    assert [record for record in run.records if record["check"] == "smoke"]


def test_the_least_scopes_are_enough_and_each_is_needed(here: Lab, audit: Audit, tmp_path: Path) -> None:
    if not at_least(here.version, SCOPES_SINCE):
        pytest.skip(f"a hub before {SCOPES_SINCE} knows no scopes")
    told = audit("--cluster", "lab", "--token-scopes")
    scopes = [line.split()[0] for line in told.text.splitlines()]
    assert told.code == 0

    def look(scopes: list[str]) -> Run:
        body = {"note": "least", "expires_in": 600, "scopes": scopes}
        (tmp_path / "token").write_text(hub.must(here, "POST", "/users/jovyan/tokens", body)["token"])
        return audit("--cluster", "lab", "--hub-token-file", str(tmp_path / "token"))

    whole = look(scopes)
    assert whole.code == 0, whole.text
    assert set(whole.outcomes()) == {"compliant"}
    for one in scopes:
        run = look([scope for scope in scopes if scope != one])
        reasons = {record["message"] for record in run.records if record["outcome"] == "unreadable"}
        assert run.code == 11, one
        assert any(re.search(rf"scope {re.escape(one)}(\W|$)", reason) for reason in reasons), (one, reasons)
    for token in (token for token in tokens() if token.note.startswith("least")):
        hub.drop(here, token)


def tokens() -> list[hub.Token]:
    with emr.scene() as scene:
        return hub.tokens(scene.client)


def test_no_minted_token_stays_behind(here: Lab, audit: Audit) -> None:
    with emr.scene() as scene:
        before = hub.tokens(scene.client)
        run = audit("--cluster", "lab", "--mint-token", "jovyan", checks="checks/test_hub_users.py")
        after = hub.tokens(scene.client)

    assert after == before
    if silent(here.version):
        assert run.code == 11
        assert "JupyterHub before 0.9 revokes no token" in run.text
    else:
        assert run.code == 0, run.text


@pytest.mark.parametrize("name", OF_THE_HUB)
def test_break_of_the_hub(here: Lab, audit: Audit, name: str) -> None:
    assert here == lab.status()
    try:
        turns_red(audit, name)
    finally:
        breaks.mend(name)
        lab.up(print)


def test_the_mends_left_it_so(here: Lab, audit: Audit) -> None:
    run = audit("--cluster", "lab")

    assert run.code == 0, run.text
    assert not_applicable(run) == silent(here.version)
