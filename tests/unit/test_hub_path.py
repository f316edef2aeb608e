"""Names in the addresses of the hub: whatever they are, they are one segment, and come out again as they went in."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from requests import Request

from hubspec.hub_path import hub_path
from hubspec.kinds import hub_token, hub_user
from hubspec.model import Absent, Drift

NAMES = st.text(min_size=1, max_size=20)
HOSTILE = [
    "a@b.org",
    "a b",
    "añá",
    "100%",
    "%2F",
    "a/b",
    "../shutdown",
    "?x=1",
    "#",
    "a;b",
    "a&b=c",
    "\n",
    "\ud800",
    "~",
    "+",
]


@given(NAMES, NAMES)
@example("..", ".")
@example("a/../../shutdown", "%2e%2e")
def test_a_name_is_one_segment_and_comes_out_again(one: str, other: str) -> None:
    path = hub_path("users", one, "tokens", other)
    split = urlsplit(f"https://hub.example/hub/api{path}")

    assert path.isascii()
    assert path.isprintable()
    assert " " not in path
    assert (split.query, split.fragment) == ("", "")
    words = split.path.split("/")
    assert words[:4] == ["", "hub", "api", "users"]
    assert words[5] == "tokens"
    assert [unquote(word, errors="surrogatepass") for word in (words[4], words[6])] == [one, other]
    assert not {words[4], words[6]} & {".", ".."}


@given(NAMES)
@example("..")
@example("%2e%2e/..")
def test_requests_sends_the_segments_as_they_are(name: str) -> None:
    """It normalises addresses: not so that a name becomes another, or leads elsewhere."""
    sent = Request("GET", f"https://hub.example/hub/api{hub_path('users', name, 'tokens')}").prepare().path_url

    words = sent.split("/")
    assert words[:4] + words[5:] == ["", "hub", "api", "users", "tokens"]
    assert unquote(words[4], errors="surrogatepass") == name


@pytest.mark.parametrize("name", HOSTILE)
def test_what_the_kinds_would_ask_for_has_it_so(name: str) -> None:
    user = hub_user.HubUser.model_construct({"name", "groups"}, name=name, groups=[name])
    made = hub_user.fix(Drift("hub_user", name, user, Absent(), ()))
    paths = [
        action.request.split(" ")[1] for action in [*made, *hub_user.forget(name), *hub_token.forget("ana/x (a1)")]
    ]

    assert paths[0] == f"/hub/api{hub_path('users', name)}"
    assert f"/hub/api{hub_path('groups', name, 'users')}" in paths
    assert paths[-2:] == [f"/hub/api{hub_path('users', name)}", "/hub/api/users/ana/tokens/a1"]
