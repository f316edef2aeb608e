"""What the doctor says of each way in that is shut, on a real SSH server, a real engine and the lab's hub."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import emr
import pytest
import sshd
from sshd import PASSWORD, Sshd

from hubspec.__main__ import main
from hubspec.doctor import table
from hubspec.doctor.model import Finding, State
from lab.model import HUB
from tests.conftest import ROOT

Rows = dict[str, tuple[str, str]]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take out of the environment what this machine may have in it."""
    mine = ("SSH_AUTH_SOCK", "DOCKER_HOST", "HUBSPEC_HUB_TOKEN")
    for name in (*mine, *(f"{word}_proxy" for word in ("http", "https", "all", "no"))):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Give an SSH server with every sort of user, beside the lab."""
    with emr.scene() as on, sshd.running(on, tmp_path_factory.mktemp("ssh")) as made:
        yield made


@pytest.fixture
def told(server: Sshd, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Give a function that has the doctor look as a user, and returns row -> (state, words), and the code."""
    lab = server.on.lab

    def run(
        user: str, *args: str, port: str = server.port, password: str | None = None, **how: str | None
    ) -> tuple[Rows, int]:
        if password:
            monkeypatch.setenv("HUBSPEC_SUDO_PASSWORD", password)
        known = {"ssh-config": str(server.folder / "config"), "ssh-key": server.key, "hub-url": lab.hub_url,
                 "hub-fingerprint": lab.hub_fingerprint, "hub-token-file": str(lab.token_file), "deadline": "30",
                 "baseline": str(ROOT / "baselines" / "lab.yaml")}  # fmt: skip
        options = known | {key.replace("_", "-"): value for key, value in how.items()}
        words = [word for key, value in options.items() if value for word in (f"--{key}", value)]
        code = main(["doctor", "--cluster", f"ssh://{user}@127.0.0.1:{port}", "--json", *words, *args])
        text = capsys.readouterr().out
        assert "c4n4ry" not in text
        assert lab.token_file.read_text().strip() not in text
        (document,) = json.loads(text)
        rows = {f"{one['section']}.{one['name']}": one for one in document["findings"]}
        stops = any(one["needed"] and one["state"] in {"fails", "not tried"} for one in rows.values())
        assert (code, document["code"]) == (11 * stops,) * 2
        return {row: (one["state"], f"{one['found']} -> {one['fix']}") for row, one in rows.items()}, code

    return run


def broken(rows: Rows) -> list[str]:
    """Return the rows that fail."""
    return [row for row, (state, _) in rows.items() if state == "fails" and not row.startswith("other")]


@pytest.mark.parametrize(
    ("user", "password", "rows"),
    [
        ("member", None, {"door.sudo": "not needed: member may use docker without it"}),
        ("limited", None, {"door.sudo": "works: without a password"}),
        ("asks", PASSWORD, {"door.sudo": "works: with the password that was given"}),
        ("chatty", None, {"door.shell": r"mind: its profile prints \d+ characters; hubspec reads past them"}),
        ("hostile", None, {"door.shell": r"mind: its profile prints 100000\d\d characters; hubspec reads past them"}),
    ],
)
def test_who_may_look(told: Any, user: str, password: str | None, rows: dict[str, str]) -> None:
    found, code = told(user, password=password)

    assert broken(found) == []
    assert code == 0
    for row, words in rows.items():
        assert re.match(words, ": ".join(found[row]))
    assert found["container.proxy"][1].startswith("its API answers at 127.0.0.1:8001")
    assert {found[f"clock.{one}"][0] for one in ("master", "hub")} == {"works"}
    assert found["hub.rights"][1].startswith("an admin")


@pytest.mark.parametrize(
    ("user", "password", "row", "words"),
    [
        ("asks", None, "door.sudo", "sudo on 127.0.0.1 asks for a password (.*) -> give it in HUBSPEC_SUDO_PASSWORD"),
        ("asks", "c4n4ry", "door.sudo", "sudo on 127.0.0.1 does not take the password that was given for asks"),
        ("terminal", None, "door.sudo", "sudo on 127.0.0.1 wants a terminal.* -> take requiretty out of sudoers"),
        ("nosudo", "c4n4ry", "door.sudo", "sudo on 127.0.0.1 does not (let nosudo run docker|take the password)"),
        ("elsewhere", None, "door.docker", "no Docker engine answers on 127.0.0.1 .* -> start it there"),
        (
            "quits",
            None,
            "door.shell",
            r"the shell of quits on 127.0.0.1 .*\(status 3\).* -> does (its|the) profile( of quits)? end it",
        ),
        (
            "eats",
            None,
            "door.shell",
            "the shell of eats on 127.0.0.1 does not run what it is told .* -> does the profile",
        ),
        ("cut", None, "container.running", "the connection to 127.0.0.1 broke off in the middle of the answer"),
    ],
)
def test_what_is_shut_for_a_user(told: Any, user: str, password: str | None, row: str, words: str) -> None:
    rows, _ = told(user, password=password)

    assert broken(rows) == [row]
    assert re.search(words, rows[row][1])
    assert rows["door.login"][0] == "works"
    assert rows["container.conda"][0] == rows["container.proxy"][0] == "not tried"
    assert rows["hub.rights"][0] == "works", "the hub needs no shell"


def test_sudo_is_not_to_be_used(told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBSPEC_SUDO", "0")
    rows, _ = told("asks")

    assert broken(rows) == ["door.docker"]
    assert "asks may not use the Docker engine on 127.0.0.1, and sudo was not used" in rows["door.docker"][1]


def test_host_keys(told: Any, server: Sshd) -> None:
    other = server.folder / "other_hosts"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", server.folder / "other"], check=True)
    other.write_text(f"[127.0.0.1]:{server.port} {(server.folder / 'other.pub').read_text()}")
    changed, _ = told("member", ssh_config=server.config(UserKnownHostsFile=str(other)))
    unknown, _ = told("member", ssh_config=server.config(UserKnownHostsFile=str(server.folder / "none")))

    assert broken(changed) == broken(unknown) == ["door.host key"]
    assert "is not the one that is known" in changed["door.host key"][1]
    assert "(ssh-keygen -R 127.0.0.1)" in changed["door.host key"][1]
    assert "is not known here" in unknown["door.host key"][1]
    assert changed["door.reached"][0] == "works"
    assert changed["door.login"] == ("not tried", "needs door: host key -> ")


def test_keys_and_agents(told: Any, server: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = server.folder / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger], check=True)
    refused, _ = told("member", ssh_key=str(stranger))
    config = server.config(IdentityFile=str(server.folder / "no-such-file"), IdentityAgent="SSH_AUTH_SOCK")
    without, _ = told("member", ssh_key=None, ssh_config=config)
    place = server.folder / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", place], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 10
        while not place.exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        empty, _ = told("member", ssh_key=None, ssh_config=config)
    finally:
        agent.terminate()
        agent.wait()

    assert broken(refused) == broken(without) == broken(empty) == ["door.login"]
    assert f"the key {stranger} does not open it, and there is no agent" in refused["door.login"][1]
    assert "there was no key to offer: there is no agent; add one" in without["door.login"][1]
    assert "there was no key to offer: the agent holds no key; add one" in empty["door.login"][1]
    assert refused["door.host key"][0] == "works"


def test_a_host_that_is_not_there_or_not_well(told: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        silent, _ = told("member", port=str(mute.getsockname()[1]), deadline="2")
        port = str(mute.getsockname()[1])
    refusing, _ = told("member", port=port)

    assert broken(silent) == broken(refusing) == ["door.reached"]
    assert re.search("accepts connections and never speaks SSH .* -> is there an SSH server", silent["door.reached"][1])
    assert f"refuses connections to port {port}" in refusing["door.reached"][1]
    assert refusing["door.configuration"][0] == "works"
    assert refusing["hub.rights"][0] == "works"


def test_a_configuration_that_ssh_cannot_read(told: Any, server: Sshd) -> None:
    rows, _ = told("member", ssh_config=server.config(NoSuchOption="yes"))
    assert broken(rows) == ["door.configuration"]
    rows, _ = told("member", ssh_key="/no/such")
    assert broken(rows) == ["door.configuration"]
    assert "--ssh-key /no/such: there is no such file" in rows["door.configuration"][1]


def test_a_container_that_has_another_name(told: Any) -> None:
    rows, _ = told("member", container="hub-of-old")

    assert broken(rows) == ["container.running"]
    assert "there is no container hub-of-old -> is it " in rows["container.running"][1]
    assert f"{HUB} (of hubspec-lab/hub:" in rows["container.running"][1]
    assert rows["door.docker"][0] == "works"


def test_a_container_that_does_not_run_and_one_that_is_no_hub(told: Any, server: Sshd) -> None:
    image = server.on.client.containers.get(HUB).attrs["Config"]["Image"]
    made = server.on.client.containers.create(image, name=f"{server.name}-made", labels={"hubspec.test": "1"})
    try:
        created, _ = told("member", container=made.name)
    finally:
        made.remove(force=True, v=True)
    other, _ = told("member", container=server.name)

    assert broken(created) == ["container.running"]
    assert f"sudo docker start {server.name}-made" in created["container.running"][1]
    assert broken(other) == ["container.conda", "container.hub"]
    assert "there is no conda environment at /opt/conda" in other["container.conda"][1]
    assert "no jupyterhub process of root runs in it -> sudo docker logs" in other["container.hub"][1]


SAMPLE = ROOT / "docs" / "doctor.md"
VARIES = (
    (r"\d+\.\d+\.\d+ on Linux \w+", "3.11.2 on Linux x86_64"),
    (r"OpenSSH_[^\s\"]+( [^\s\"]+)?", "OpenSSH_9.2p1"),
    (r"/[^\s\"]+/config-\w+", "/home/ana/.ssh/config"),
    (r"\d+ steps( or more)?", "2 steps"),
    (r"j-[A-Z0-9]+", "j-2AXXXXXXGAPLF"),
    (r"\d+d( \d+[hms])* left", "824d 23h left"),
    (r"\bi-[0-9a-f]{8,}", "i-0123456789abcdef0"),
    (r"within \d+ s", "within 1 s"),
    (r"http://127.0.0.1:\d+", "http://127.0.0.1:5000"),
    (r"https://localhost:\d+", "https://localhost:9443"),
)
"""What is another machine's, or of another day, and what the page has for it."""
STATES = {state.lower(): state for state in State}


def test_the_sample_of_the_page_is_what_it_says(
    server: Sshd, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = server.on.lab
    for name, value in lab.env.items():
        monkeypatch.setenv(name, value)
    config = server.config(Port=server.port, HostKeyAlias=f"[127.0.0.1]:{server.port}")
    where = ("--deadline", "60", "--door", "ssh", "--ssh-user", "asks", "--ssh-key", server.key, "--ssh-config", config)
    code = main(["doctor", "--cluster", lab.cluster_id, "--json", *where])
    (document,) = json.loads(capsys.readouterr().out)
    text = json.dumps(document["findings"])
    for pattern, instead in VARIES:
        text = re.sub(pattern, instead, text)
    found = [
        Finding(f"{one['section']}.{one['name']}", STATES[one["state"]], one["found"], one["fix"], one["needed"])
        for one in json.loads(text)
    ]
    made = "\n".join(table.lines("j-2AXXXXXXGAPLF", found, 118))

    assert code == 11
    assert f"\n```\n{made}\n```\n" in SAMPLE.read_text(), made
