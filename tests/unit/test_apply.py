"""Carrying out a plan: the script of a batch is really run by sh here, and what breaks off leaves nothing unsaid."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hubspec import apply as applying
from hubspec.apply import Result, apply
from hubspec.door import Workers
from hubspec.errors import DoorError, EndUnknownError
from hubspec.model import Action
from hubspec.plan import Entry


@dataclass
class Worker:
    """All three ways to work: the container's script runs in a shell of this machine, requests answer as told."""

    refuse: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    broken: DoorError = field(default_factory=lambda: DoorError("the container ended"))
    asked: list[str] = field(default_factory=list)
    is_stopped: bool = False

    def act(self, *given: Any, stop: str = "") -> Any:
        if callable(given[1]):
            return self._script(given[0], given[1], stop)
        request = " ".join(filter(None, given))
        self.asked.append(request)
        if request in self.refuse:
            raise DoorError(self.refuse[request])
        return "it was so already" if "already" in request else ""

    def _script(self, script: str, hear: Callable[[str], None], stop: str) -> None:
        assert stop.startswith("touch /")
        done = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        for line in lines[: self.cut_after]:
            hear(line)
        if self.cut_after is not None:
            raise self.broken

    def manage(self, argv: list[str]) -> str:
        self.asked.append(" ".join(argv))
        return ""

    def lock(self, about: str, seconds: float) -> Any:
        raise AssertionError((about, seconds))


def entry(id_: str, request: str, *needs: str, door: Any = "container") -> Entry:
    action = Action(sentence=f"do {id_}", door=door, request=request, safety="safe")
    return Entry(
        id=id_, kind="user", resource=f"u{id_}", control="USR-01", differences=[], action=action, permission="root",
        needs=list(needs),
    )  # fmt: skip


def carried_out(entries: list[Entry], worker: Worker | None = None) -> dict[str, Result]:
    worker = worker or Worker()
    heard: list[tuple[str, Result]] = []
    results = apply(
        entries,
        Workers(worker, worker, worker, lambda: worker.is_stopped),
        lambda one, result: heard.append((one.id, result)),
    )
    assert dict(heard) == results, "each result is told once, as it comes"
    assert len(heard) == len(entries), "no entry is without a result"
    return results


def states(results: dict[str, Result]) -> dict[str, str]:
    return {id_: result.state for id_, result in results.items()}


def test_a_batch_is_done_in_order(tmp_path: Path) -> None:
    log = tmp_path / "log"
    results = carried_out([entry("1", f"echo one >> {log}"), entry("2", f"echo two >> {log}", "1")])

    assert states(results) == {"1": "done", "2": "done"}
    assert log.read_text() == "one\ntwo\n"


def test_a_failed_action_leaves_those_that_need_it_undone_and_no_other(tmp_path: Path) -> None:
    batch = [
        entry("1", "echo 'no such group' >&2; exit 6"),
        entry("2", f"touch {tmp_path}/2", "1"),
        entry("3", f"touch {tmp_path}/3", "2"),
        entry("4", f"touch {tmp_path}/4"),
        entry("5", "POST /hub/api/users/u1 {}", "1", door="hub"),
        entry("6", "POST /hub/api/users/u4 {}", "4", door="hub"),
    ]
    worker = Worker()
    results = carried_out(batch, worker)

    assert states(results) == {
        "1": "failed", "2": "skipped", "3": "skipped", "4": "done", "5": "skipped", "6": "done",
    }  # fmt: skip
    assert results["1"].text == "status 6: no such group"
    assert results["2"].text == "it needs 1, which was not done"
    assert results["5"].text == "it needs 1, which was not done"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["4"]
    assert worker.asked == ["POST /users/u4 {}"]


HOSTILE = [
    "exit 0",  # ends its own shell only
    "cat",  # reads nothing of the script
    "set -e; cd /",
    "printf 'no line break'",
    "echo '0123 end 1 1'",
    "trap 'exit 3' EXIT; true; trap - EXIT",
    "bad=' 2 '; status=7; act() { :; }",
    "x='it'\"'\"'s'; [ \"$x\" = \"it's\" ]",
    "printf '\\n\\n\\n'",
    "sleep 0 &",
]


@pytest.mark.parametrize("request_", HOSTILE)
def test_no_action_disturbs_another(request_: str, tmp_path: Path) -> None:
    results = carried_out([entry("1", request_), entry("2", f"touch {tmp_path}/2")])

    assert states(results) == {"1": "done", "2": "done"}
    assert (tmp_path / "2").exists()


@pytest.mark.parametrize("request_", ["false", "exit 9", "no-such-command", "kill -9 $$", "if", "echo 'unclosed"])
def test_a_bad_action_fails_alone(request_: str, tmp_path: Path) -> None:
    results = carried_out([entry("1", request_), entry("2", f"touch {tmp_path}/2")])

    assert states(results) == {"1": "failed", "2": "done"}
    assert results["1"].text.startswith("status ")


def test_of_what_a_failed_action_said_the_end_is_kept() -> None:
    (result,) = carried_out([entry("1", "seq 1 1000; false")]).values()

    assert result.text.splitlines()[0] == "status 1: 981"
    assert result.text.splitlines()[-1] == "1000"


def test_a_secret_that_a_failed_action_printed_is_masked() -> None:
    (result,) = carried_out([entry("1", "echo 'Looking in indexes: https://me:c4n4ry@index/simple'; exit 1")]).values()

    assert "c4n4ry" not in str(result)
    assert "https://me:***@index/simple" in result.text


def test_a_container_that_breaks_off_leaves_one_unknown_and_the_rest_not_reached() -> None:
    batch = [entry(str(number), "true") for number in range(1, 6)]
    # each action prints begin, an empty line and end: the second has begun when it breaks off
    results = carried_out(batch, Worker(cut_after=4))

    assert states(results) == {
        "1": "done", "2": "unknown", "3": "not reached", "4": "not reached", "5": "not reached",
    }  # fmt: skip
    assert results["2"].text == "nobody knows whether it was done: the container ended"


def test_what_was_begun_and_cannot_be_read_is_unknown_and_not_called_not_reached() -> None:
    worker = Worker(cut_after=3, broken=EndUnknownError("the step s-1 FAILED"))
    results = carried_out([entry("1", "true"), entry("2", "true")], worker)

    assert states(results) == {"1": "done", "2": "unknown"}


def test_an_interrupted_batch_ends_after_the_action_under_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    monkeypatch.setattr(applying, "_stop_file", lambda _nonce: stop)
    batch = [entry("1", f"touch {stop}"), entry("2", f"touch {tmp_path}/2"), entry("3", "true", "2")]
    results = carried_out(batch)

    assert states(results) == {"1": "done", "2": "not reached", "3": "skipped"}
    assert not (tmp_path / "2").exists()
    assert not stop.exists()


def test_an_interrupted_run_asks_the_hub_no_more() -> None:
    worker = Worker(is_stopped=True)
    results = carried_out([entry("1", "POST /hub/api/users/a {}", door="hub")], worker)

    assert states(results) == {"1": "not reached"}
    assert worker.asked == []


def test_the_hub_refuses_and_the_others_go_on() -> None:
    worker = Worker(refuse={"POST /users/a {}": "POST /users/a answered 500: oops"})
    batch = [
        entry("1", "POST /hub/api/users/a {}", door="hub"),
        entry("2", 'POST /hub/api/users/already {"admin": false}', door="hub"),
        entry("3", "elasticmapreduce:AddTags owner=platform team", door="aws"),
        entry("4", "docker update --restart on-failure:5 jupyterhub", door="engine"),
    ]
    results = carried_out(batch, worker)

    assert states(results) == {"4": "done", "1": "failed", "2": "done", "3": "done"}
    assert results["1"].text == "POST /users/a answered 500: oops"
    assert results["2"].text == "it was so already"
    assert worker.asked == [
        "docker update --restart on-failure:5 jupyterhub",
        "POST /users/a {}",
        'POST /users/already {"admin": false}',
        "elasticmapreduce:AddTags owner=platform team",
    ]


def test_an_action_that_takes_too_long_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "LIMIT", 1)
    results = carried_out([entry("1", "sleep 60"), entry("2", "true")])

    assert states(results) == {"1": "failed", "2": "done"}
    assert "longer than 1 s" in results["1"].text
