"""A hub that asks to be left alone, restarts, or changes under one's eyes: what the door waits for, and what it does not."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hubs import Answer, Hub, answer, running
from pydantic import SecretStr

from hubspec.cluster.hub import HubDoor, Trust
from hubspec.errors import AnsweredError, DoorError

TOKEN = "canary-0f1e2d3c4b5a69788796a5b4c3d2e1f0"
GOOD = answer(200, b"[]")


def door(hub: Hub, deadline: float = 5, told: list[str] | None = None, why: str = "") -> HubDoor:
    said = told if told is not None else []
    trust = Trust(fingerprint=hub.fingerprint)
    return HubDoor(lambda: hub.url, lambda: SecretStr(TOKEN), trust, deadline, progress=said.append, why=lambda: why)


def turns(*answers: Answer) -> Answer:
    """Return what answers in turn, the last one again and again."""
    left = list(answers)

    def send(request: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(request)

    return send


def cut(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True
    request.connection.close()


def after(seconds: str, status: int = 429) -> Answer:
    return answer(status, b'{"message": "too many"}', **{"Retry-After": seconds})


def called(names: list[str], before: Callable[[int], None] = lambda _offset: None, most: int = 200) -> Answer:
    """Return what pages a list of users as the hub does (JupyterHub 2.0 and later); `before` is told each offset."""

    def page(request: BaseHTTPRequestHandler) -> None:
        asked = parse_qs(urlsplit(request.path).query)
        offset, limit = int(asked["offset"][0]), min(most, int(asked["limit"][0]))
        before(offset)
        end = offset + limit
        following = {"offset": end, "limit": limit, "url": "https://evil.example/"} if end < len(names) else None
        about = {"offset": offset, "limit": limit, "total": len(names), "next": following}
        items = [{"name": name} for name in names[offset:end]]
        answer(200, json.dumps({"items": items, "_pagination": about}).encode())(request)

    return page


WAITED = {
    "429 to a reading": (after("1"), "GET"),
    "503 to a reading": (after("1", 503), "GET"),
    "429 to a change, which was not made": (after("1"), "POST"),
}


@pytest.mark.parametrize("name", WAITED)
def test_retry_after_is_waited_for(name: str, tmp_path: Path) -> None:
    first, method = WAITED[name]
    with running({"/users": turns(first, GOOD)}, tmp_path) as hub:
        began = time.monotonic()
        made = door(hub)
        if method == "GET":
            assert made.pages("/users") == []
        else:
            assert made.act(method, "/users", "{}") == ""

    assert time.monotonic() - began >= 1
    assert hub.methods == [method, method]
    assert made.trips == {f"hub {method}": 2}


def test_a_long_wait_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    with running({"/users": turns(after("3"), GOOD)}, tmp_path) as hub:
        door(hub, told=told).pages("/users")

    (line,) = told
    assert "answered 429: the hub is asked too much, and wants 3 s of rest" in line
    assert "it is asked again, for 5 s at most" in line
    assert TOKEN not in line


NOT_WAITED = {
    "longer than the deadline": (after("60"), "GET", "wants 60 s of rest; that is more than the 5 s of --deadline"),
    "again and again": (after("2"), "GET", "wants 2 s of rest; that is more than the 5 s of --deadline"),
    "503 to a change, of which nobody knows whether it was made": (after("1", 503), "POST", "answered 503"),
    "429 without a word on when": (answer(429, b'{"message": "limit"}'), "GET", "answered 429"),
    "404 of what is no hub": (
        answer(404, b"<!DOCTYPE HTML>", mime="text/html"),
        "GET",
        "no hub's answer: either it is still starting, or --hub-url",
    ),
    "503 of a hub that never answered": (answer(503, b"oops"), "GET", "and the hub does not: sudo docker logs"),
    "a connection cut before anything was answered": (cut, "GET", "the hub does not answer; is it up?"),
}


@pytest.mark.parametrize("name", NOT_WAITED)
def test_what_is_not_waited_for_is_an_error(name: str, tmp_path: Path) -> None:
    first, method, sentence = NOT_WAITED[name]
    with running({"/users": first}, tmp_path) as hub, pytest.raises(DoorError) as error:
        door(hub).act(method, "/users", None)

    assert sentence in str(error.value)
    assert len(hub.methods) == (3 if name == "again and again" else 1)


def test_a_change_is_not_repeated_where_the_connection_breaks(tmp_path: Path) -> None:
    with running({"/user": GOOD, "/users": cut}, tmp_path) as hub:
        made = door(hub)
        made.get("/user")
        with pytest.raises(DoorError, match="the hub does not answer"):
            made.act("POST", "/users", "{}")

    assert hub.methods == ["GET", "POST"]


NAMES = [f"user{number:03}" for number in range(500)]


RESTARTS = {
    "cut": cut,
    "502": answer(502),
    "503": answer(503, b"<h1>503</h1>"),
    "503 with a time": after("1", 503),
    "404 of a proxy that has just started": answer(404, b"<!DOCTYPE HTML>"),
}


@pytest.mark.parametrize("name", RESTARTS)
def test_a_hub_that_restarts_between_two_pages_is_read_on_where_it_was(name: str, tmp_path: Path) -> None:
    gone = iter([RESTARTS[name]] * 2)
    page = called(NAMES)

    def flaky(request: BaseHTTPRequestHandler) -> None:
        bad = next(gone, None) if "offset=200" in request.path else None
        (bad or page)(request)

    with running({"/users": flaky}, tmp_path) as hub:
        found = door(hub, 10).pages("/users")

    assert [entry["name"] for entry in found] == NAMES
    offsets = [parse_qs(urlsplit(path).query)["offset"][0] for path, _ in hub.asked]
    assert offsets == ["0", "200", "200", "200", "400"]


@contextlib.contextmanager
def restarting(names: list[str], seconds: float, folder: Path) -> Iterator[Hub]:
    """Serve pages; after the first one nobody listens for so long."""
    ended = threading.Event()
    routes = {"/users": called(names, lambda offset: ended.set() if offset == 0 else None)}
    with contextlib.ExitStack() as first:
        hub = first.enter_context(running(routes, folder))

        def restart() -> None:
            ended.wait()
            time.sleep(0.05)
            first.close()
            time.sleep(seconds)
            with running(routes, folder, int(hub.url.rpartition(":")[2])) as again:
                up.set()
                done.wait()
                hub.asked += again.asked

        up, done = threading.Event(), threading.Event()
        thread = threading.Thread(target=restart)
        thread.start()
        try:
            yield hub
        finally:
            up.wait(10)
            done.set()
            thread.join()


def test_a_port_that_nobody_listens_on_for_a_while_is_waited_for(tmp_path: Path) -> None:
    with restarting(NAMES, 1.5, tmp_path) as hub:
        found = door(hub, 20).pages("/users")

    assert [entry["name"] for entry in found] == NAMES
    assert [parse_qs(urlsplit(path).query)["offset"][0] for path, _ in hub.asked] == ["0", "200", "400"]


def test_a_hub_that_does_not_come_back_says_what_is_known(tmp_path: Path) -> None:
    told: list[str] = []
    page = called(NAMES)
    with running({"/users": lambda one: (page if "offset=0" in one.path else cut)(one)}, tmp_path) as hub:
        began = time.monotonic()
        with pytest.raises(DoorError, match=r"more than the 6 s of --deadline; the proxy is down$"):
            door(hub, 6, told, "the proxy is down").pages("/users")

    assert time.monotonic() - began < 2 * 6
    assert len(told) == 1


def test_a_user_made_between_two_pages_is_there_once_and_nothing_is_read_again(tmp_path: Path) -> None:
    names = list(NAMES)
    with running({"/users": called(names, lambda offset: names.append(f"new{offset}"))}, tmp_path) as hub:
        found = door(hub).pages("/users")

    assert [entry["name"] for entry in found] == names
    assert len(hub.asked) == 3


def test_a_user_deleted_between_two_pages_hides_no_other(tmp_path: Path) -> None:
    names = list(NAMES)
    gone: list[str] = []

    def delete(offset: int) -> None:
        if offset == 200 and not gone:
            gone.append(names.pop(3))

    with running({"/users": called(names, delete)}, tmp_path) as hub:
        found = door(hub).pages("/users")

    assert [entry["name"] for entry in found] == names
    assert "user200" in names, "the one that moved to a page that was read already"
    assert len(hub.asked) == 5


def test_one_put_before_the_others_moves_them_back_and_none_is_there_twice(tmp_path: Path) -> None:
    names = list(NAMES)
    once = iter([True])

    def add(offset: int) -> None:
        if offset == 200 and next(once, False):
            names.insert(0, "aaa")

    with running({"/users": called(names, add)}, tmp_path) as hub:
        found = door(hub).pages("/users")

    assert sorted(entry["name"] for entry in found) == sorted(names)


def test_a_list_that_never_stands_still_is_unreadable(tmp_path: Path) -> None:
    names = list(NAMES)
    with (
        running({"/users": called(names, lambda offset: names.pop(0) and None if offset else None)}, tmp_path) as hub,
        pytest.raises(AnsweredError, match="is being cut down while it is read, 3 times in a row"),
    ):
        door(hub).pages("/users")

    assert len(hub.asked) == 6


def test_pages_that_lead_nowhere_end(tmp_path: Path) -> None:
    stuck = json.dumps({"items": [{"name": "a"}], "_pagination": {"total": 9, "next": {"offset": 0}}}).encode()
    with (
        running({"/users": answer(200, stuck)}, tmp_path) as hub,
        pytest.raises(DoorError, match="whose next one does not come after it"),
    ):
        door(hub).pages("/users")

    assert len(hub.asked) == 1


@pytest.mark.parametrize(("count", "requests"), [(5000, 25), (0, 1), (200, 1), (201, 2)])
def test_a_list_takes_a_request_for_every_200_entries(count: int, requests: int, tmp_path: Path) -> None:
    with running({"/users": called([f"u{number}" for number in range(count)])}, tmp_path) as hub:
        assert len(door(hub).pages("/users")) == count

    assert len(hub.asked) == requests
