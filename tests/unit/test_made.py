"""What was made is taken back where nobody waits any more for who made it; and jobs that nobody has to wait for."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest
from pydantic import SecretStr

from hubspec.cluster import own_token
from hubspec.cluster.beside import ended, start
from hubspec.cluster.made import Made
from hubspec.cluster.own_token import OwnToken
from hubspec.cluster.token import Minted
from hubspec.errors import DoorError


def nothing() -> None:
    pass


class Hanging:
    """A reading that holds something that was made, and hangs until it is let go."""

    def __init__(self, made: Made, *, makes: float = 0.0) -> None:
        self.made, self.makes = made, makes
        self.there = self.back = 0
        self.let_go, self.began = threading.Event(), threading.Event()

    def read(self) -> None:
        with self.made.held(self.take_back):
            with self.made.making():
                self.began.set()
                time.sleep(self.makes)
                self.there = 1
            self.let_go.wait(30)

    def take_back(self) -> None:
        self.back, self.there = self.back + self.there, 0


@pytest.mark.parametrize("makes", [0.0, 0.5])
def test_of_a_reading_that_hangs_it_is_taken_back_once(makes: float) -> None:
    made, said = Made(), list[str]()
    readings = [Hanging(made, makes=makes) for _ in range(20)]
    jobs = start([reading.read for reading in readings], 20)
    for reading in readings:
        reading.began.wait()
    began = time.monotonic()
    made.stop(said.append)

    assert time.monotonic() - began < 5
    assert [(reading.there, reading.back) for reading in readings] == [(0, 1)] * 20
    assert bool(said) or not makes, "what is just being made is waited for, and that is said"
    for reading in readings:
        reading.let_go.set()
    ended(jobs, nothing, 1)
    assert [reading.back for reading in readings] == [1] * 20


def test_nothing_is_made_after_the_interrupt() -> None:
    made = Made()
    made.stop(print)
    token = OwnToken(lambda: None, lambda: pytest.fail("it was made"), made)
    with pytest.raises(DoorError, match="the run was interrupted"):
        token.give()


def test_a_token_that_was_made_is_revoked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    revoked: list[str] = []
    monkeypatch.setattr(own_token, "revoke", lambda _hub, one: revoked.append(one.id))
    minted = Minted(SecretStr("0" * 32), "jovyan", 1.0, 2.0, "a7")
    token = OwnToken(lambda: None, lambda: minted, Made())
    assert token.give() is token.give()
    for _ in range(2):
        token.take_back(None, print)  # type: ignore[arg-type] # no hub is asked here

    assert revoked == ["a7"]
    assert token.names == {minted.name}


def test_at_most_so_many_at_a_time_in_their_order() -> None:
    now, most, order = 0, 0, list[int]()
    lock = threading.Lock()

    def job(number: int) -> int:
        nonlocal now, most
        with lock:
            order.append(number)
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1
        return number

    jobs = start([partial(job, number) for number in range(20)], 4)
    ended(jobs, nothing, 1)

    assert [one.result() for one in jobs] == order == list(range(20))
    assert most == 4


def test_an_error_is_that_of_its_job_alone_and_an_interrupt_begins_no_more() -> None:
    begun: list[int] = []
    hold = threading.Event()

    def job(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise ValueError("this one")
        hold.wait(30)

    def tick() -> None:
        if len(begun) == 2:
            raise KeyboardInterrupt

    jobs = start([partial(job, number) for number in range(9)], 1)
    with pytest.raises(KeyboardInterrupt):
        ended(jobs, tick, 0.05)
    hold.set()
    jobs[1].result(5)

    assert str(jobs[0].exception()) == "this one"
    assert [one.cancelled() for one in jobs[2:]] == [True] * 7
    assert begun == [0, 1]
