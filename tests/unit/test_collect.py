"""One script for every probe, really run by sh, and frames that tell what was cut or failed."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubspec.check import checks, undeclared_check
from hubspec.collect import collect, join, unframe
from hubspec.door import Doors, Look
from hubspec.errors import AnsweredError, DoorError, UnknownClusterError
from hubspec.kinds import KINDS
from hubspec.model import Absent, Detail, NotApplicable, Outcome, Present, Unreadable
from hubspec.verdict import judge
from tests.made import declare

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
NONCE = "0123456789abcdef"
INSPECT = {
    "Name": "/jupyterhub", "Image": "sha256:0d", "Config": {"Image": "hub"}, "State": {"Running": True}, "Mounts": [],
    "HostConfig": {"Privileged": False},
}  # fmt: skip
CONTAINER_KINDS = ["container", "user", "package", "file", "hub_token"]


@dataclass
class Fake:
    """All three doors: a container whose script runs here, in place of docker exec."""

    answer: Any = None
    shell: bool = True
    name: str = "docker"
    command: str = "docker exec -i jupyterhub sh"
    container: str = "jupyterhub"
    trips: dict[str, int] = field(default_factory=lambda: {"docker exec": 1})
    asked: list[bool] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def look(self, script: str, *, others: bool) -> Look:
        self.asked.append(others)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is None:
            return Look(None, {}, "", "")
        done = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=False)
        return Look(self.answer, {}, done.stdout, done.stderr)

    def pages(self, path: str) -> list[Any] | dict[str, Any]:
        self.paths.append(path)
        answer = self.answer.get(path, []) if isinstance(self.answer, dict) else self.answer
        if isinstance(answer, Exception):
            raise answer
        return {} if path == "/proxy" and not answer else answer

    def version(self) -> dict[str, Any]:
        self.paths.append("/")
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"version": "1.5.0"}

    def certificate(self) -> dict[str, Any]:
        raise DoorError("no handshake")

    def ask(self, calls: str) -> dict[str, Any]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return {name: self.answer.get(name, Unreadable(f"no {name}")) for name in calls.split()}

    def explain(self, thing: str) -> tuple[Detail, ...]:
        return (Detail("stderr", f"last words of {thing}"),)


def doors(container: Any = INSPECT, hub: Any = (), aws: Any = NotApplicable("no cluster")) -> Doors:  # noqa: B008
    about = aws if isinstance(aws, NotApplicable) else Fake(aws, name="aws", trips={"aws DescribeCluster": 1})
    return Doors(Fake(container), Fake(hub, name="hub", trips={"hub GET": 2}), about)


PROBES = [
    # the script of the user probe, its answer or the reason why there is none
    ("printf 'p:ok:x:1:1::/:/bin/sh\\n'", "p:ok:x:1:1::/:/bin/sh\n"),
    ("printf 'no line break'", "no line break"),
    (":", ""),
    ("exit 3", "the container could not list its users (status 3): nothing on standard error"),
    ("echo first >&2; echo 'no right' >&2; false", "the container could not list its users (status 1): no right"),
    ("no-such-command-here", "the container could not list its users (status 127): sh: "),
    ("kill -9 $$", "the answer of the container broke off while it listed users; last: nothing on standard error"),
    ("cat", ""),  # the script on standard input is not eaten
    ("set -e; false; echo never", "the container could not list its users (status 1): nothing on standard error"),
    ('LC_ALL=de_DE cd /; printf %s "$PWD"', "/"),
    ("printf '0123456789abcde end user 0'", "0123456789abcde end user 0"),
]  # fmt: skip


@pytest.mark.parametrize(("probe", "answer"), PROBES)
def test_a_probe_spoils_its_own_frame_only(probe: str, answer: str, tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"diego": {}}, files={"/gone": {}})
    before, after = (replace(KINDS[name], probe=lambda *_: "pwd; echo said") for name in ("container", "file"))
    script = join([before, replace(KINDS["user"], probe=lambda *_: probe), after], baseline, NONCE)
    done = subprocess.run(["sh"], input=script, cwd=tmp_path, capture_output=True, text=True, check=False)

    read = unframe(done.stdout, "user", NONCE, done.stderr)
    assert (read.reason if isinstance(read, Unreadable) else read).startswith(answer)
    assert isinstance(read, Unreadable) == (" container " in answer)
    assert unframe(done.stdout, "container", NONCE, done.stderr) == f"{tmp_path}\nsaid\n"
    if "kill" not in probe:
        assert unframe(done.stdout, "file", NONCE, done.stderr) == f"{tmp_path}\nsaid\n"


def test_declared_names_stay_words_in_the_joined_script(tmp_path: Path) -> None:
    pwned = tmp_path / "pwned"
    names = [f"$(touch {pwned})", f"'; touch {pwned}; '", f'"; touch {pwned}', f"`touch {pwned}`", "\\"]
    hostile = [f"{tmp_path}/gone/{name}" for name in names]
    baseline = declare(tmp_path, files={name: {"contains": [name], "sha256": "0" * 64} for name in hostile})
    script = join([KINDS["file"]], baseline, NONCE)
    done = subprocess.run(["sh"], input=script, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert KINDS["file"].parse(str(unframe(done.stdout, "file", NONCE, ""))) == dict.fromkeys(hostile, Absent())
    assert not pwned.exists()


@given(st.text(), st.sampled_from(CONTAINER_KINDS), st.text(max_size=20), st.text(max_size=20))
def test_what_was_framed_comes_out_whole(text: str, kind: str, before: str, after: str) -> None:
    stdout = f"{before}{NONCE} begin {kind}\n{text}\n{NONCE} end {kind} 0\n{after}"
    assert unframe(stdout, kind, NONCE, "") == text


@given(st.text(max_size=20), st.sampled_from(CONTAINER_KINDS), st.data())
def test_a_cut_frame_is_never_an_answer(text: str, kind: str, data: st.DataObject) -> None:
    stdout = f"{NONCE} begin {kind}\n{text}\n{NONCE} end {kind} 0\n"
    cut = data.draw(st.integers(0, len(stdout) - 3))  # before the status
    assert isinstance(unframe(stdout[:cut], kind, NONCE, ""), Unreadable)


@given(st.text(), st.sampled_from(CONTAINER_KINDS), st.text())
def test_any_text_without_a_frame_is_unreadable(stdout: str, kind: str, stderr: str) -> None:
    read = unframe(stdout, kind, NONCE, stderr)
    assert isinstance(read, Unreadable)
    assert "\n" not in read.reason


def test_ten_million_bytes_are_unframed(tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"diego": {}})
    probe = "head -c 10000000 /dev/zero | tr '\\0' x; printf '\\0'"
    script = join([replace(KINDS["user"], probe=lambda *_: probe)], baseline, NONCE)
    done = subprocess.run(["sh"], input=script.encode(), capture_output=True, check=False)
    read = unframe(done.stdout.decode(), "user", NONCE, "")
    assert isinstance(read, str)
    assert len(read) == 10_000_001


def test_every_door_is_looked_through_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    baseline = declare(tmp_path, users={"root": {}}, files={f"{tmp_path}/a": {}, f"{tmp_path}/b": {}})
    hub, aws = (
        [{"name": "diego"}],
        {"DescribeCluster": {"Status": {"State": "WAITING"}}, "ListSteps": {"Steps": [], "Now": NOW}},
    )
    snapshot = collect("lab", doors(INSPECT, hub, aws), baseline, set(KINDS) - {"package"})

    assert set(snapshot.readings) == set(KINDS) - {"package"}
    assert snapshot.trips == {"docker exec": 1, "hub GET": 2, "aws DescribeCluster": 1}
    seen = {kind: reading.seen for kind, reading in snapshot.readings.items()}
    assert isinstance(seen["user"]["root"], Present)  # type: ignore[index]
    assert [type(one) for one in seen["file"].values()] == [Absent, Present]  # type: ignore[union-attr]
    assert list(seen["hub_user"]) == ["diego"]  # type: ignore[arg-type]
    assert snapshot.readings["user"].door == "docker"
    assert snapshot.readings["user"].evidence.startswith("docker exec -i jupyterhub sh: /etc/passwd")


SHUT = [
    # doors, kind, what its reading says
    (doors(DoorError("no engine")), "container", Unreadable("no engine")),
    (doors(DoorError("no engine")), "user", Unreadable("no engine")),
    (doors(DoorError("no engine")), "hub_user", {}),
    (doors(None), "user", Unreadable("the container is not there, so nothing in it could be looked at")),
    (doors(None), "container", {}),
    (doors(hub=DoorError("no token")), "hub_user", Unreadable("no token")),
    (doors(hub=DoorError("no token")), "route", Unreadable("no token")),
    (doors(hub=[{"name": "x"}]), "route", Unreadable("the answer about routes is not understood (ValueError: the hub tells no servers of its users; give its token the scope read:servers)")),
    (doors(hub=["x"]), "hub_user", Unreadable("the answer about hub_users is not understood (ValueError: the hub's list of users has an entry that is no user: 'x')")),
    (doors(aws=DoorError("no right")), "cluster", Unreadable("no right")),
    (doors(aws={"ListSteps": {}}), "cluster", Unreadable("no DescribeCluster")),
    (doors(aws={"DescribeCluster": {}}), "step", Unreadable("no ListSteps")),
    (doors(), "cluster", NotApplicable("no cluster")),
    (doors(aws={"DescribeCluster": {}}), "cluster", Unreadable("the answer about clusters is not understood (KeyError: 'Status')")),
    (doors({"Name": "/x"}), "container", Unreadable("the answer about containers is not understood (KeyError: 'HostConfig')")),
]  # fmt: skip


@pytest.mark.parametrize(("ways", "kind", "seen"), SHUT, ids=range(len(SHUT)))
def test_a_shut_door_is_a_reason_and_never_an_absence(ways: Doors, kind: str, seen: Any, tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"diego": {}})
    assert collect("lab", ways, baseline, {kind, "hub_user"}).readings[kind].seen == seen


def test_an_unknown_cluster_ends_it(tmp_path: Path) -> None:
    with pytest.raises(UnknownClusterError):
        collect("j-1", doors(aws=UnknownClusterError("none")), declare(tmp_path, users={"diego": {}}), {"cluster"})


def test_the_hub_is_asked_each_path_once_and_a_refused_one_spoils_its_kind_only(tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"diego": {}})
    users = [{"name": "diego", "server": None}]
    ways = doors(hub={"/users": users, "/proxy": AnsweredError("may not see the proxy's routes", 403)})
    readings = collect("lab", ways, baseline, {"hub_user", "route"}).readings
    assert list(readings["hub_user"].seen) == ["diego"]  # type: ignore[arg-type]
    assert readings["route"].seen == Unreadable("may not see the proxy's routes")
    assert ways.hub.paths == ["/users", "/proxy"]  # type: ignore[attr-defined]


def test_what_was_made_for_the_reading_is_no_part_of_the_cluster(tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"diego": {}})
    ways = replace(doors(hub=[{"name": "diego"}, {"name": "ours"}]), own={"hub_user": {"ours"}, "user": {"ours"}})
    assert list(collect("lab", ways, baseline, {"hub_user"}).readings["hub_user"].seen) == ["diego"]  # type: ignore[arg-type]
    shut = replace(doors(hub=DoorError("no token")), own={"hub_user": {"ours"}})
    assert collect("lab", shut, baseline, {"hub_user"}).readings["hub_user"].seen == Unreadable("no token")


def test_a_step_that_was_submitted_to_look_is_no_part_of_the_cluster(tmp_path: Path) -> None:
    steps = [
        {"Id": id_, "Name": name, "Status": {"State": "RUNNING"}}
        for name, id_ in (("hubspec look 1", "s-1"), ("theirs", "s-2"))
    ]
    answers = {
        "ListSteps": {"Steps": steps, "Now": NOW, "Cut": ""},
        "DescribeCluster": {"Status": {"State": "RUNNING"}},
    }
    ways = replace(doors(aws=answers), own={"step": {"hubspec look 1 (s-1)"}})
    baseline = declare(tmp_path, steps={"theirs": {}}, undeclared={"step": {"policy": "report"}})
    snapshot = collect("j-1", ways, baseline, {"step"})

    assert list(snapshot.readings["step"].seen) == ["theirs (s-2)"]  # type: ignore[arg-type]


OTHERS = [
    # declared containers, policy, whether the containers beside the hub's are asked for
    ({"jupyterhub": {}}, "ignore", False),
    ({"jupyterhub": {}}, "report", True),
    ({"jupyterhub": {}, "sidecar": {}}, "ignore", True),
]


@pytest.mark.parametrize(("containers", "policy", "asked"), OTHERS)
def test_other_containers(containers: Any, policy: str, *, asked: bool, tmp_path: Path) -> None:
    baseline = declare(tmp_path, containers=containers, undeclared={"container": {"policy": policy}})
    ways = doors()
    collect("lab", ways, baseline, {"container"})
    assert ways.container.asked == [asked]  # type: ignore[attr-defined]


def test_the_nonce_is_new_each_time(tmp_path: Path) -> None:
    baseline = declare(tmp_path, users={"diego": {}})
    scripts = []
    ways = doors()
    ways.container.look = lambda script, *, others: scripts.append((script, others)) or Look(None, {}, "", "")  # type: ignore[method-assign,func-returns-value]
    for _ in range(2):
        collect("lab", ways, baseline, {"user"})
    assert scripts[0] != scripts[1]
    assert "export LC_ALL=C PATH=" in scripts[0][0]


def test_what_a_cluster_will_never_tell_is_not_applicable_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = replace(KINDS["hub_token"], probe=lambda *_: """printf '{"unnoted": true}'""")
    monkeypatch.setitem(KINDS, "hub_token", silent)
    baseline = declare(tmp_path, hub_tokens={"jovyan/nightly": {"expires": True}})
    way = Fake(INSPECT)
    snapshot = collect("lab", Doors(way, way, NotApplicable("no AWS")), baseline, ["hub_token"])

    seen = snapshot.readings["hub_token"].seen
    assert isinstance(seen, NotApplicable)
    assert seen.reason.startswith("this hub keeps neither note nor age of a token")
    found = [*checks(baseline, "hub_token"), undeclared_check(baseline, "hub_token")]
    assert {judge(check, baseline, snapshot).outcome for check in found if check} == {Outcome.NOT_APPLICABLE}


def test_a_hub_that_does_not_answer_is_asked_once_and_its_certificate_is_looked_at_all_the_same(tmp_path: Path) -> None:
    baseline = declare(tmp_path, hub={"version": "1.5.0", "spawner": "x", "key": None}, hub_users={"diego": {}})
    ways = doors(hub=DoorError("the hub is down"))
    ways.hub.certificate = lambda: {"pem": None, "host": "h", "now": 0, "trusted": None, "oldest_tls": None}  # type: ignore[method-assign]
    readings = collect("lab", ways, baseline, {"hub", "hub_user", "server"}).readings

    seen = readings["hub"].seen["hub"]  # type: ignore[index]
    assert isinstance(seen, Present)
    assert seen.unread == dict.fromkeys(("version", "authenticator", "spawner"), "the hub is down")
    assert seen.resource.stated()["key"] is None
    assert {kind: readings[kind].seen for kind in ("hub_user", "server")} == dict.fromkeys(
        ("hub_user", "server"), Unreadable("the hub is down")
    )
    assert ways.hub.paths == ["/"]  # type: ignore[attr-defined]


def test_a_hub_of_which_nothing_is_seen_is_unreadable_with_the_first_reason(tmp_path: Path) -> None:
    baseline = declare(tmp_path, hub={"version": "1.5.0", "key": None})
    readings = collect("lab", doors(hub=DoorError("the hub is down")), baseline, {"hub"}).readings

    assert readings["hub"].seen == Unreadable("the hub is down")
